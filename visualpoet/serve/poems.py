"""Beyond the stock server: poems for people, and one line more for them."""

import base64
import binascii
import json
import struct
from collections.abc import AsyncIterator
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

import numpy as np
from aiohttp import web

from visualpoet import controls
from visualpoet import unwritten
from visualpoet import written_poem
from visualpoet.serve import bodies
from visualpoet.serve import errors
from visualpoet.serve import forms
from visualpoet.serve import json_requests
from visualpoet.serve import replies
from visualpoet.serve.core import Core
from visualpoet.serve.servable import PICTURES
from visualpoet.serve.servable import Servable
from visualpoet.serve.servable import Signature

_HEADER = struct.Struct("<qHH")


class PoemsApi:
    """Answers `/v1/poems` and `/v1/lines`.

    Args:
        core: The models.
    """

    def __init__(self, core: Core):
        self._core = core

    # --- /v1/poems

    async def write_poem(self, request: web.Request) -> web.StreamResponse:
        """Writes a poem for a photograph.

        Args:
            request: A form with the file `photograph`, controls, and `voice`,
                the name of a model, where several are served.

        Returns:
            JSON, or server-sent events: `clues`, with a token for
            `write_line`, the lines of the same poem, and `done` with that
            JSON.

        Raises:
            ServeError: What the client is to know.
        """
        async with self._core.admission.receiving(request.remote):
            photograph, given = await forms.read_form(request)
        voice = forms.take_voice(given, self._core.options)
        deadline = self._core.deadline()
        with (
            self._core.admission.working(),
            self._core.resolve(voice) as servable,
        ):
            values = forms.read_controls(
                controls.CONTROLS, given, self._options(servable)
            )
            values[PICTURES] = photograph
            if _wants_stream(request):
                events = self._write_events(voice, servable, values, deadline)
                return await self._stream(request, events)
            return replies.from_value(
                await self._compose(servable, values, deadline)
            )

    async def _compose(
        self, servable: Servable, values: Mapping[str, Any], deadline: float
    ) -> dict[str, Any]:
        signature = _find(servable, controls.choose_signature(values))
        row = await self._run(signature, values, deadline)
        written = written_poem.to_written_poem(row, values["seed"])
        candidates = [one.to_dict() for one in written.candidates]
        return {
            **candidates[0],
            "seed": written.seed,
            "clues": written.clues,
            "candidates": candidates,
        }

    async def _run(
        self, signature: Signature, values: Mapping[str, Any], deadline: float
    ) -> dict[str, Any]:
        """One row through a signature."""
        inputs = signature.make_row(values)
        outputs = await self._core.run(signature, inputs, deadline)
        return {name: value[0] for name, value in outputs.items()}

    def _options(self, servable: Servable) -> dict[str, Any]:
        any_word = self._core.options.any_word
        return unwritten.leave_out(servable.options, any_word)

    # --- the same as events

    async def _stream(
        self,
        request: web.Request,
        events: AsyncIterator[tuple[str, dict[str, Any]]],
    ) -> web.StreamResponse:
        # A failure before the first event still has its status code.
        first = await anext(events)
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "X-Accel-Buffering": "no",
            }
        )
        await response.prepare(request)
        await response.write(_event(*first))
        try:
            async for event in events:
                await response.write(_event(*event))
        except errors.ServeError as error:
            await response.write(_event("error", {"error": error.message}))
        await response.write_eof()
        return response

    async def _write_events(
        self,
        voice: str,
        servable: Servable,
        values: Mapping[str, Any],
        deadline: float,
    ) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        start = _find(servable, "start_poem")
        seen = await self._run(start, values, deadline)
        token = _write_token(servable.number, seen)
        if voice != self._core.options.name:
            token = f"{voice}.{token}"
        yield "clues", {"clues": _texts(seen["clues"]), "token": token}
        written = await self._compose(servable, values, deadline)
        for number, line in enumerate(written["poem"].split("\n"), 1):
            yield "line", {"line": line, "number": number}
        yield "done", written

    # --- /v1/lines

    async def write_line(self, request: web.Request) -> web.Response:
        """Writes the line after some lines.

        Args:
            request: JSON with `token`, which a streamed poem gave, so that
                the same model goes on, and controls; `poem` holds the lines
                before.

        Returns:
            JSON with `line`, `poem`, `finished` and `score`.

        Raises:
            ServeError: What the client is to know.
        """
        async with self._core.admission.receiving(request.remote):
            body = await bodies.read(request)
        given = json_requests.parse(body)
        voice, token = self._split_token(given.pop("token", None))
        deadline = self._core.deadline()
        with (
            self._core.admission.working(),
            self._core.resolve(voice) as servable,
        ):
            signature = _find(servable, "next_line")
            values = forms.read_controls(
                forms.line_controls(), given, self._options(servable)
            )
            values |= _read_token(token, servable.number, signature)
            row = await self._run(signature, values, deadline)
        return replies.from_value(
            {
                "line": row["line"].decode("utf-8", "replace"),
                "poem": row["poem"].decode("utf-8", "replace"),
                "finished": bool(row["finished"]),
                "score": float(row["score"]),
            }
        )

    def _split_token(self, token: Any) -> tuple[str, str]:
        """The model that a token came from, and the rest of it."""
        if not isinstance(token, str):
            raise _token_error("what is none")
        voice, _, rest = token.rpartition(".")
        voice = voice or self._core.options.name
        if voice not in self._core.models:
            raise _token_error("one of another model")
        return voice, rest


def _find(servable: Servable, name: str) -> Signature:
    return servable.signature(
        name,
        "UNIMPLEMENTED",
        "this model has no signature {}: export it again",
    )


def _wants_stream(request: web.Request) -> bool:
    accepted = request.headers.get("Accept", "")
    return "text/event-stream" in accepted or request.query.get("stream") == "1"


def _texts(values: Iterable[bytes]) -> list[str]:
    return [value.decode("utf-8", "replace") for value in values]


def _event(name: str, data: Mapping[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


# --- tokens: what the server saw, kept by the client


def _write_token(version: int, seen: Mapping[str, np.ndarray]) -> str:
    embedding = seen["image_embedding"].astype("<f4")
    clue_ids = seen["clue_ids"].astype("<i4")
    header = _HEADER.pack(version, embedding.size, clue_ids.size)
    content = header + embedding.tobytes() + clue_ids.tobytes()
    return base64.urlsafe_b64encode(content).decode()


def _read_token(
    token: str, version: int, signature: Signature
) -> dict[str, np.ndarray]:
    try:
        content = base64.b64decode(token, b"-_", validate=True)
        number, size, count = _HEADER.unpack_from(content)
        values = np.frombuffer(content, "<f4", offset=_HEADER.size, count=size)
        clue_ids = np.frombuffer(content, "<i4", offset=_HEADER.size + 4 * size)
    except (ValueError, binascii.Error, struct.error):
        raise _token_error("what is none") from None
    if number != version:
        raise errors.ServeError(
            "ABORTED",
            f"the token is of version {number}, and version {version} is "
            "served now: send the photograph again",
        )
    given = {"image_embedding": values, "clue_ids": clue_ids}
    fits = all(
        signature.inputs[name].shape[1:].is_compatible_with(value.shape)
        for name, value in given.items()
    )
    if not fits or clue_ids.size != count or not np.isfinite(values).all():
        raise _token_error("one of another model")
    return {
        "image_embedding": values.astype(np.float32),
        "clue_ids": clue_ids.astype(np.int32),
    }


def _token_error(received: str) -> errors.ServeError:
    return errors.invalid(
        "expected the token that a streamed poem came with. Received: "
        f"{received}"
    )
