"""A Python that starts at once: each command in a fork of one process.

That process has imported TensorFlow, which costs most recipes more than all
the rest on tiny data, and has run nothing: threads do not survive a fork. Its
graphs are run as they were traced.
"""

import contextlib
import json
import multiprocessing
import os
import pathlib
import runpy
import socket
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[2]
CLIENT = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    request = json.dumps([os.getcwd(), sys.argv[1:]]).encode()
    socket.send_fds(server, [request], [0, 1, 2])
    sys.exit(server.recv(1)[0])
"""
FORK = multiprocessing.get_context("fork")


@contextlib.contextmanager
def start_python():
    """Yields the path of a command that takes a script, or -m and a module."""
    with tempfile.TemporaryDirectory() as folder:
        address, python = f"{folder}/socket", pathlib.Path(folder, "python")
        python.write_text(CLIENT.format(python=sys.executable, address=address))
        python.chmod(0o755)
        command = [sys.executable, "-m", __spec__.name, address]
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as server:
            try:
                assert server.stdout.readline() == "ready\n"
                yield str(python)
            finally:
                server.terminate()


def _serve(address):
    import jinja2  # noqa: F401
    import keras  # noqa: F401
    import pandas  # noqa: F401
    import rich.progress  # noqa: F401
    import scipy.sparse.csgraph  # noqa: F401
    import sklearn.feature_extraction.text  # noqa: F401
    import sklearn.linear_model  # noqa: F401
    import sklearn.metrics  # noqa: F401
    import tensorflow as tf
    import tensorflow_hub  # noqa: F401
    import tokenizers  # noqa: F401

    # As in conftest.py.
    off = {"disable_meta_optimizer": True}
    tf.config.optimizer.set_experimental_options(off)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        print("ready", flush=True)
        while True:
            with listening.accept()[0] as connection:
                FORK.Process(target=_answer, args=[connection]).start()


def _answer(connection):
    """Runs a command with the streams of who asks; tells how it ended."""
    request, streams, *_ = socket.recv_fds(connection, 2**16, 3)
    for stream, own in zip(streams, range(3), strict=True):
        os.dup2(stream, own)
    folder, arguments = json.loads(request)
    os.chdir(folder)
    command = FORK.Process(target=_run, args=[arguments])
    command.start()
    command.join()
    connection.sendall(bytes([command.exitcode % 256]))


def _run(arguments):
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        sys.path.insert(0, str(pathlib.Path(arguments[0]).parent))
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    _serve(sys.argv[1])
