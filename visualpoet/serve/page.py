"""The page that people see."""

import importlib.resources
import mimetypes

import jinja2
from aiohttp import web

from visualpoet import controls

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Page:
    """Answers `/` and `/static/<name>` with the files of `web/`."""

    def __init__(self) -> None:
        folder = importlib.resources.files("visualpoet.serve") / "web"
        self._files = {
            file.name: file.read_bytes()
            for file in folder.iterdir()
            if file.is_file()
        }
        self._files["index.html"] = _render(self._files["index.html"])

    async def handle(self, request: web.Request) -> web.Response:
        """Answers one request.

        Args:
            request: With the name in its path, `index.html` if none.

        Returns:
            The file.

        Raises:
            HTTPNotFound: If there is none of this name.
        """
        name = request.match_info.get("name", "index.html")
        if name not in self._files:
            raise web.HTTPNotFound
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return web.Response(
            body=self._files[name],
            content_type=kind,
            charset="utf-8" if kind.startswith("text/") else None,
            headers={**HEADERS, "Cache-Control": "no-cache"},
        )


def _render(template: bytes) -> bytes:
    """Fills in the fields for the controls."""
    shown = [control for control in controls.CONTROLS if control.field]
    return (
        jinja2.Environment(
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        .from_string(template.decode())
        .render(controls=sorted(shown, key=lambda c: c.field.place))
        .encode()
    )
