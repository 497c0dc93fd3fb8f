"""A collection: photographs in a tar archive, and a row for each beside it."""

import dataclasses
import hashlib
import io
import json
import pathlib
import tarfile
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

from visualpoet.corpus import row_files
from visualpoet.corpus.books import choose_split
from visualpoet.corpus.records import Photograph
from visualpoet.features import photographs as photograph_files

_NEVER = 315532800  # 1980; archives of equal photographs are equal


def write_collection(
    rows: Iterable[tuple[Photograph, bytes]],
    folder: pathlib.Path,
    name: str,
    max_photographs: int,
) -> int:
    """Writes `<name>.tar` and `<name>.jsonl`, both or none.

    Args:
        rows: What is known of each photograph, and its encoded bytes.
        folder: Where the two files go.
        name: Of the collection; a photograph is called `<name>/<its name>`.
        max_photographs: Later ones are left out; 0 for all of them.

    Returns:
        Photographs written. Where all rows are for training, one in twenty
        becomes one for validation, one in twenty for test, by its name.

    Raises:
        ValueError: If there is no row, no name, or two of one name.
    """
    if not name:
        raise ValueError("expected a name of the collection. Received: none")
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{name}.tar.partial"
    photos: list[Photograph] = []
    names: set[str] = set()
    try:
        with tarfile.open(partial, "w") as archive:
            for photo, content in rows:
                photo = dataclasses.replace(
                    photo, image=f"{name}/{_safe(photo.image)}"
                )
                if photo.image in names:
                    raise ValueError(
                        "expected a name for each photograph. Received: "
                        f"{photo.image} twice"
                    )
                names.add(photo.image)
                _add(archive, photo.image, content)
                photos.append(photo)
                if len(photos) == max_photographs:
                    break
        if not photos:
            raise ValueError(
                "expected photographs with captions or labels. Received: "
                f"none for {name}"
            )
        _write_rows(folder / f"{name}.jsonl", _split(photos))
        partial.rename(folder / f"{name}.tar")
    finally:
        partial.unlink(missing_ok=True)
    return len(photos)


def _safe(name: str) -> str:
    """A name that stays inside its collection, whoever unpacks it."""
    parts = [p for p in name.replace("\\", "/").split("/") if p.strip(". ")]
    return "/".join(parts)


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mtime = len(content), _NEVER
    archive.addfile(member, io.BytesIO(content))


def _split(photos: Sequence[Photograph]) -> list[Photograph]:
    if any(photo.split != "train" for photo in photos):
        return list(photos)
    return [dataclasses.replace(p, split=choose_split(p.image)) for p in photos]


def _write_rows(path: pathlib.Path, photos: Sequence[Photograph]) -> None:
    rows = [
        {
            "file": photo.image,
            "split": photo.split,
            "captions": photo.captions,
            "label": photo.label,
        }
        for photo in photos
    ]
    lines = [
        json.dumps({k: v for k, v in row.items() if v}, ensure_ascii=False)
        for row in rows
    ]
    row_files.replace_file(path, "".join(f"{x}\n" for x in lines).encode())


def match_photographs(
    source: pathlib.Path, photos: Sequence[Photograph]
) -> Iterator[tuple[Photograph, bytes]]:
    """Finds the photographs of rows in a folder or archive.

    Args:
        source: As for `read_photographs`.
        photos: Their names are paths inside it, or the last parts of paths;
            of several files of one name the first counts.

    Yields:
        What is known of each that is there, and its encoded bytes.
    """
    known = {photo.image: photo for photo in photos}
    found = set()
    for name, content in photograph_files.read_photographs([source]):
        photo = known.get(name) or known.get(pathlib.PurePosixPath(name).name)
        if photo and photo.image not in found:
            found.add(photo.image)
            yield photo, content


def draw_photographs(
    source: pathlib.Path, photos: Sequence[Photograph], number: int
) -> list[Photograph]:
    """Draws photographs by their names, so that splits keep their shares.

    Args:
        source: As for `match_photographs`.
        photos: As for `match_photographs`.
        number: Most of them; 0 for all.

    Returns:
        Those that are drawn, in their order, of those that are there.
    """
    if not number:
        return list(photos)
    there = _list_names(source)
    photos = [photo for photo in photos if photo.image in there]
    digests = [hashlib.sha256(p.image.encode()).digest() for p in photos]
    last = sorted(digests)[number - 1 :][:1]
    return [p for p, d in zip(photos, digests) if not last or d <= last[0]]


def _list_names(source: pathlib.Path) -> set[str]:
    """Paths inside a folder or archive, and their last parts."""
    if source.is_dir():
        found = [p.relative_to(source).as_posix() for p in source.rglob("*")]
    else:
        with tarfile.open(source) as archive:
            found = archive.getnames()
    return {*found, *(pathlib.PurePosixPath(name).name for name in found)}


def read_webdataset(
    paths: Sequence[pathlib.Path],
) -> Iterator[tuple[Photograph, bytes]]:
    """Reads pictures with a `.txt` beside them, as WebDataset has them.

    Args:
        paths: Tar archives, not compressed. Two files of one name, but for
            what follows its first dot, belong together and follow each other.
            Of several archives each is a folder: all may count from 0.

    Yields:
        A photograph with the lines of its `.txt` as captions, and its encoded
        bytes.

    Raises:
        ValueError: If an archive cannot be read, or a file is too large.
    """
    for path in paths:
        sample: dict[str, bytes] = {}
        last = ""
        folder = f"{path.stem}/" if len(paths) > 1 else ""
        for name, content in photograph_files.read_archive(path, (".txt",)):
            key, _, suffix = _split_key(name)
            if key != last:
                yield from _find_photographs(folder + last, sample)
                sample, last = {}, key
            sample["." + suffix.lower()] = content
        yield from _find_photographs(folder + last, sample)


def _split_key(name: str) -> tuple[str, str, str]:
    folder, slash, file = name.rpartition("/")
    stem, dot, suffix = file.partition(".")
    return folder + slash + stem, dot, suffix


def _find_photographs(
    key: str, sample: dict[str, bytes]
) -> Iterator[tuple[Photograph, bytes]]:
    lines = sample.pop(".txt", b"").decode("utf-8", "replace").split("\n")
    captions = tuple(line.strip() for line in lines if line.strip())
    for suffix, content in sample.items():
        if captions and not suffix.endswith(".txt"):
            yield Photograph(key + suffix, captions=captions), content
