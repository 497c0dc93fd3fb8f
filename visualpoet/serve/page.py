"""The page that people see."""

import importlib.resources
import mimetypes

from aiohttp import web

from visualpoet import controls
from visualpoet import templating
from visualpoet.serve.core import Core

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
    """Answers `/` with the page, `/static/<name>` with the files of `web/`.

    Args:
        core: Knows the model, and with it the forms to choose from.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        folder = importlib.resources.files("visualpoet.serve") / "web"
        self._files = {
            file.name: file.read_bytes()
            for file in folder.iterdir()
            if file.is_file()
        }

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
        if name == "index.html":
            body = self._render()
        elif name in self._files:
            body = self._files[name]
        else:
            raise web.HTTPNotFound
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return web.Response(
            body=body,
            content_type=kind,
            charset="utf-8" if kind.startswith("text/") else None,
            headers={**HEADERS, "Cache-Control": "no-cache"},
        )

    def _render(self) -> bytes:
        """Fills in the fields for the controls of the model."""
        with self._core.versions.resolve(self._core.options.name) as servable:
            table = controls.fit_to_model(controls.CONTROLS, servable.options)
        places = [(c.field.place, c) for c in table if c.field]
        shown = [c for _, c in sorted(places, key=lambda pair: pair[0])]
        return templating.render("page.html", controls=shown).encode()
