"""TensorFlow Serving's REST interface."""

import re
import urllib.parse

from aiohttp import web
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2

from visualpoet import model_folders
from visualpoet.serve import bodies
from visualpoet.serve import errors
from visualpoet.serve import json_replies
from visualpoet.serve import json_requests
from visualpoet.serve import replies
from visualpoet.serve.core import Core
from visualpoet.serve.servable import Servable
from visualpoet.serve.servable import Signature

_VERSION = r"(?:/versions/(\d+)|/labels/([^/:]+))?"
# As in the stock server, case makes a difference at the end alone.
_PREDICT = re.compile(
    rf"(?i:/v1/models/([^/:]+){_VERSION}):(classify|regress|predict)"
)
_STATUS = re.compile(rf"(?i:/v1/models(?:/([^/:]+))?{_VERSION})(/metadata)?")


class RestApi:
    """Answers what begins with `/v1/`.

    Args:
        core: The models.
    """

    def __init__(self, core: Core):
        self._core = core

    async def handle(self, request: web.Request) -> web.Response:
        """Answers one request.

        Args:
            request: Of any method.

        Returns:
            JSON.

        Raises:
            ServeError: As TensorFlow Serving's.
        """
        path = request.rel_url.raw_path
        if request.method == "POST" and (found := _PREDICT.fullmatch(path)):
            name, version, label, method = found.groups()
            target = _target(name, version, label)
            return await self._predict(request, target, method)
        is_get = request.method in ("GET", "HEAD")
        if is_get and (found := _STATUS.fullmatch(path)):
            name, version, label, metadata = found.groups()
            if name is None:
                raise errors.invalid("Missing model name in request.")
            target = _target(name, version, label)
            if metadata:
                return self._metadata(target)
            return self._status(target)
        raise errors.invalid(f"Malformed request: {request.method} {path}")

    async def _predict(
        self, request: web.Request, target: tuple, method: str
    ) -> web.Response:
        core = self._core
        async with core.admission.receiving(request.remote):
            body = await bodies.read(request)
        document = json_requests.parse(body)
        deadline = core.deadline()
        with (
            core.admission.working(),
            core.resolve(*target) as servable,
        ):
            if method != "predict":
                raise errors.invalid(
                    f"Expected a signature for {method}. This model has "
                    "signatures for predict only"
                )
            signature, inputs, is_row = json_requests.read_predict(
                document,
                lambda name: _find_signature(servable, name),
                core.options.request_rows,
            )
            del document  # not to be kept while the graph runs
            outputs = await core.run(signature, inputs, deadline)
        write = (
            json_replies.write_rows if is_row else json_replies.write_columns
        )
        return replies.from_text(write(outputs))

    def _status(self, target: tuple) -> web.Response:
        # As in the stock server, a label means all versions here.
        states = self._core.status(*target[:2])
        return replies.from_value(
            {
                "model_version_status": [
                    {
                        "version": str(number),
                        "state": state.name,
                        "status": {
                            "error_code": state.code,
                            "error_message": state.message,
                        },
                    }
                    for number, state in states
                ]
            }
        )

    def _metadata(self, target: tuple) -> web.Response:
        servable = self._core.resolve(*target)
        definitions = get_model_metadata_pb2.SignatureDefMap(
            signature_def=servable.definitions
        )
        return replies.from_value(
            {
                "model_spec": {
                    "name": target[0],
                    "signature_name": "",
                    "version": str(servable.number),
                },
                "metadata": {
                    "signature_def": json_format.MessageToDict(
                        definitions,
                        preserving_proto_field_name=True,
                        always_print_fields_with_no_presence=True,
                    )
                },
            }
        )


def _target(
    name: str, version: str | None, label: str | None
) -> tuple[str, int | None, str | None]:
    number = None if version is None else model_folders.parse_version(version)
    if version is not None and number is None:
        raise errors.invalid(
            f"Failed to convert version: {version} to numeric."
        )
    return (
        urllib.parse.unquote(name),
        number,
        None if label is None else urllib.parse.unquote(label),
    )


def _find_signature(servable: Servable, name: str) -> Signature:
    return servable.signature(
        name,
        "INVALID_ARGUMENT",
        'Serving signature name: "{}" not found in signature def',
    )
