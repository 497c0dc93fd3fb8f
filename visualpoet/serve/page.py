"""The page that people see."""

import importlib.resources
import mimetypes
from collections.abc import Iterable

from aiohttp import web

from visualpoet import controls
from visualpoet import templating
from visualpoet.control import Control
from visualpoet.serve import forms
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
        core: Knows the models, and with them the forms to choose from.
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
        """Fills in the fields for the controls of all models."""
        tables = {name: self._read_table(name) for name in self._core.models}
        # A model that has learnt no forms has one control less.
        table = max(tables.values(), key=len)
        choices = forms.voice_controls(self._core.options)
        places = [(c.field.place, c) for c in (*choices, *table) if c.field]
        shown = [c for _, c in sorted(places, key=lambda pair: pair[0])]
        return templating.render(
            "page.html",
            controls=shown,
            forms={name: _list_forms(own) for name, own in tables.items()},
        ).encode()

    def _read_table(self, name: str) -> tuple[Control, ...]:
        with self._core.resolve(name) as servable:
            return controls.fit_to_model(controls.CONTROLS, servable.options)


def _list_forms(table: Iterable[Control]) -> list[str]:
    return [form for c in table if c.name == "form" for form in c.choices]
