"""Requests of tests, by the standard library only."""

import base64
import json
import secrets
import socket
import urllib.error
import urllib.request


def ask(address, body=None, headers=None):
    """GET, or POST of bytes or of a value as JSON; status, headers, body."""
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    request = urllib.request.Request(address, body, headers or {})
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, reply.headers, reply.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def ask_json(address, body=None, headers=None):
    """Status and the JSON of the answer."""
    status, _, content = ask(address, body, headers)
    return status, json.loads(content)


def post_form(address, photograph=None, headers=None, **fields):
    """A form as a browser sends it; status, headers, body."""
    boundary = secrets.token_hex(8)
    parts = [
        f'name="{name}"\r\n\r\n{value}'.encode()
        for name, value in fields.items()
    ]
    if photograph is not None:
        head = b'name="photograph"; filename="photo.jpg"\r\n'
        kind = b"Content-Type: image/jpeg\r\n\r\n"
        parts.append(head + kind + photograph)
    content = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; ".encode()
        + part
        + b"\r\n"
        for part in parts
    )
    kind = f"multipart/form-data; boundary={boundary}"
    return ask(
        address,
        content + f"--{boundary}--\r\n".encode(),
        {"Content-Type": kind, **(headers or {})},
    )


def b64(content):
    return {"b64": base64.b64encode(content).decode()}


def exchange(address, content):
    """Sends bytes as they are; what comes back until the end."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(content)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return answer
