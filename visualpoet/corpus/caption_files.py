"""Captions as public data sets publish them."""

import json
import pathlib
import re

from visualpoet.corpus.readers import merge_photographs
from visualpoet.corpus.readers import read_captions
from visualpoet.corpus.records import BadRow
from visualpoet.corpus.records import Photograph

_TOKEN = re.compile(r"^(?P<image>\S.*?)#(?P<number>\d+)[ \t]+(?P<caption>.+)$")


def read_caption_file(
    path: pathlib.Path,
) -> tuple[list[Photograph], list[BadRow]]:
    """Reads COCO's JSON, a token file of Flickr8k or Flickr30k, or rows.

    Args:
        path: A .json with `images` and `annotations`; lines of a name with
            `#` and a number, a tab and a caption; or what `read_captions`
            takes, such as a .csv of `file` and `caption`.

    Returns:
        One record a photograph, and the rows that could not be read. Where no
        row names a split, all are for training.

    Raises:
        FileNotFoundError: If the path does not exist.
        ValueError: If nothing in it is a caption or label.
    """
    photos, bad_rows = (
        _read_coco(path) or _read_tokens(path) or _read_rows(path)
    )
    if not any(photo.captions or photo.label for photo in photos):
        reason = f" ({bad_rows[0]})" if bad_rows else ""
        raise ValueError(
            "expected captions or labels of photographs: COCO's JSON, a token "
            "file of Flickr8k or Flickr30k, or rows of file and caption. "
            f"Received: {path}, without any{reason}"
        )
    return merge_photographs(photos, []), bad_rows


def _read_rows(path: pathlib.Path) -> tuple[list[Photograph], list[BadRow]]:
    return read_captions(path)


def _read_coco(
    path: pathlib.Path,
) -> tuple[list[Photograph], list[BadRow]] | None:
    if path.suffix.lower() != ".json":
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or "annotations" not in content:
        return None
    names = {row["id"]: row["file_name"] for row in content.get("images", ())}
    photos, bad_rows = [], []
    for number, row in enumerate(content["annotations"], start=1):
        image, caption = names.get(row.get("image_id")), row.get("caption")
        if image and isinstance(caption, str):
            photos.append(_photograph(image, caption))
        else:
            reason = "expected the id of an image and a caption"
            bad_rows.append(BadRow(str(path), number, reason))
    return photos, bad_rows


def _read_tokens(
    path: pathlib.Path,
) -> tuple[list[Photograph], list[BadRow]] | None:
    if path.suffix.lower() not in (".txt", ".token"):
        return None
    lines = path.read_text(encoding="utf-8").splitlines()
    photos, bad_rows = [], []
    for number, line in enumerate(lines, start=1):
        found = _TOKEN.match(line)
        if found:
            photos.append(_photograph(found["image"], found["caption"]))
        elif line.strip():
            reason = f"expected NAME#NUMBER and a caption. Received: {line!r}"
            bad_rows.append(BadRow(str(path), number, reason))
    return photos, bad_rows


def _photograph(image: str, caption: str) -> Photograph:
    return Photograph(image, captions=(" ".join(caption.split()),))
