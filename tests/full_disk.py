"""A disk without room for a checkpoint."""

import pathlib


def write(checkpoint, path, *arguments, **options):
    """In place of `Checkpoint._write`: half a file, and an error."""
    pathlib.Path(f"{path}.data-00000-of-00001").write_text("half")
    raise OSError(28, "No space left on device")
