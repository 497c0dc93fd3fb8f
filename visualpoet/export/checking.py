"""Whether TensorFlow Serving will take an export: point by point.

A point is a function that raises `Failure` with the reason; its documentation
is what is printed.
"""

import contextlib
import dataclasses
import pathlib
from collections.abc import Callable
from collections.abc import Iterator

from visualpoet.export import answer_points
from visualpoet.export import file_points
from visualpoet.export.failure import Failure
from visualpoet.export.loaded import Export

POINTS = (
    file_points.check_folder,
    file_points.check_default_signature,
    file_points.check_wire_form,
    answer_points.check_batches,
    answer_points.check_pictures,
    answer_points.check_broken_pictures,
    file_points.check_ops,
    file_points.check_paths,
    file_points.check_devices,
    file_points.check_assets,
    file_points.check_jit,
    answer_points.check_warmup,
    file_points.check_metadata,
    answer_points.check_seeds,
    answer_points.check_independence,
)


@dataclasses.dataclass(frozen=True)
class Result:
    """How one point went.

    Attributes:
        point: What was checked.
        reason: Why it is not kept; empty if it is.
    """

    point: str
    reason: str


def check_export(folder: pathlib.Path) -> Iterator[Result]:
    """Checks an export.

    Args:
        folder: The version folder.

    Yields:
        How each point went.

    Raises:
        FileNotFoundError: If the folder holds no SavedModel.
    """
    if not (folder / "saved_model.pb").exists():
        raise FileNotFoundError(
            f"expected a SavedModel. Received: {folder}, without saved_model.pb"
        )
    with contextlib.closing(Export(folder)) as export:
        for point in POINTS:
            yield Result(point.__doc__ or "", _reason(point, export))


def _reason(point: Callable[[Export], None], export: Export) -> str:
    try:
        point(export)
    except Failure as failure:
        return str(failure)
    except Exception as error:  # whatever a foreign export does fails its point
        return (
            f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
        )
    return ""
