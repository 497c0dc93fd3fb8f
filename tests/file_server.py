"""A server of files on this machine: ranges, redirects, and faults.

    python -m tests.file_server FOLDER

says where it serves the files of a folder; its first reply breaks off.
"""

import contextlib
import hashlib
import http.server
import pathlib
import re
import sys
import threading


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.files = dict(files)
        self.redirects = {}
        self.break_after = []  # bytes of each of the next replies
        self.statuses = []  # of the next replies, which are no others
        self.asked = []  # path and range of each request


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked = self.headers.get("Range", "")
        self.server.asked.append((self.path, asked))
        if self.server.statuses:
            self.send_error(self.server.statuses.pop(0))
        elif self.path in self.server.redirects:
            self.send_response(302)
            self.send_header("Location", self.server.redirects[self.path])
            self.end_headers()
        elif self.path in self.server.files:
            self._send(self.server.files[self.path], asked)
        else:
            self.send_error(404)

    def _send(self, content, asked):
        tag = f'"{hashlib.sha256(content).hexdigest()[:8]}"'
        start = 0
        if asked and self.headers.get("If-Range") == tag:
            start = int(re.fullmatch(r"bytes=(\d+)-", asked).group(1))
        self.send_response(206 if start else 200)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", len(content) - start)
        if start:
            last, size = len(content) - 1, len(content)
            self.send_header("Content-Range", f"bytes {start}-{last}/{size}")
        self.end_headers()
        sent = content[start:]
        if self.server.break_after:
            sent = sent[: self.server.break_after.pop(0)]
        self.wfile.write(sent)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serve(files):
    """Serves contents by path for the time of a `with` block."""
    with Server(files) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


if __name__ == "__main__":
    paths = pathlib.Path(sys.argv[1]).iterdir()
    with serve({f"/{path.name}": path.read_bytes() for path in paths}) as own:
        own.break_after = [66_000]
        print(own.url, flush=True)
        threading.Event().wait()
