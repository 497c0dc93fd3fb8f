"""Names the extra that brings a package that is not installed."""

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def needs(extra: str) -> Iterator[None]:
    """Names the extra where an import of the block fails.

    Args:
        extra: Of `setup.cfg`, which brings what the block imports.

    Raises:
        ModuleNotFoundError: With what to install.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"expected {error.name}, which is not installed. Try: pip install "
            f'"visualpoet[{extra}]"',
            name=error.name,
        ) from error
