"""Rows as files that the readers take."""

import gzip
import json
import pathlib
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from visualpoet import whole_files


def write_rows(path: pathlib.Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes rows as JSON lines, compressed.

    Args:
        path: The file, .jsonl.gz; the same rows give the same bytes.
        rows: Field to value.
    """
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    replace_file(path, gzip.compress(lines.encode(), mtime=0))


def read_json_lines(*paths: pathlib.Path) -> list[dict[str, Any]]:
    """Reads rows that recipes wrote as JSON lines.

    Args:
        *paths: The files, not compressed.

    Returns:
        Field to value, of each row of the first file, then of the others.
    """
    rows = []
    for path in paths:
        with path.open(encoding="utf-8") as stream:
            rows += [json.loads(line) for line in stream if line.strip()]
    return rows


def replace_file(path: pathlib.Path, content: bytes) -> None:
    """Writes a file, all or nothing.

    Args:
        path: The file; its folder is made if need be.
        content: The bytes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    whole_files.remove_partial(path)
    with whole_files.write_whole(path) as partial:
        partial.write_bytes(content)
