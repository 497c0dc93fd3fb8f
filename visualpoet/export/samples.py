"""Small requests for any signature, to warm up and to check an export."""

import io
import pathlib

import numpy as np
from PIL import Image

from visualpoet import model_folders

_TEXT = b"The sea is wide,\nThe sky is grey"
_FORMATS = ("JPEG", "PNG")


def make_picture(
    file_format: str, mode: str = "RGB", size: tuple[int, int] = (48, 36)
) -> bytes:
    """Draws a small picture.

    Args:
        file_format: JPEG or PNG.
        mode: Of the pixels: `RGB`, `L` or `RGBA`.
        size: Width and height in pixels.

    Returns:
        Its bytes.
    """
    ramp = Image.linear_gradient("L").resize(size)
    picture = Image.merge("RGB", [ramp, ramp.rotate(180), ramp]).convert(mode)
    stream = io.BytesIO()
    picture.save(stream, file_format)
    return stream.getvalue()


def sample_inputs(
    folder: pathlib.Path, inputs: dict[str, dict], size: int
) -> dict[str, np.ndarray]:
    """Makes a request for a signature.

    Args:
        folder: The export, for what it writes with if not told otherwise.
        inputs: Of the signature, as `describe_signatures` gives them.
        size: Rows.

    Returns:
        An array for each input; seeds are 0, 1, 2 and so on, one candidate.

    Raises:
        ValueError: If an input is not known.
    """
    known = {
        **model_folders.read_options(folder),
        "num_candidates": 1,
        "opening": _TEXT,
        "poem": _TEXT,
        "clue_ids": 0,
        "image_embedding": 0.1,
    }
    rows = {
        "image_bytes": [make_picture(_FORMATS[i % 2]) for i in range(size)],
        "seed": range(size),
    }
    unknown = inputs.keys() - known.keys() - rows.keys()
    if unknown:
        raise ValueError(
            f"expected inputs among {sorted({*known, *rows})}. Received: "
            f"{sorted(unknown)}"
        )
    return {
        name: np.array(rows[name], _dtype(spec))
        if name in rows
        else np.full([size, *spec["shape"][1:]], known[name], _dtype(spec))
        for name, spec in inputs.items()
    }


def _dtype(spec: dict) -> type | str:
    return object if spec["dtype"] == "string" else spec["dtype"]
