"""Gather photographs, poems, prose and experts into a folder for all.sh.

python recipes/fetch_data.py DATA --sources tfds:coco_captions books prose \
        object:keras:MobileNetV2 scene:keras:EfficientNetB0
"""

import dataclasses
import pathlib
import re
import sys
import urllib.parse

from visualpoet.corpus import books
from visualpoet.corpus import caption_files
from visualpoet.corpus import downloads
from visualpoet.corpus import readers
from visualpoet.corpus import row_files
from visualpoet.features import collections
from visualpoet.run_options import argument
from visualpoet.run_options import option
from visualpoet.run_options import parse_config

# Titles as they begin in the heads of the files: another book is refused.
BOOKS = {
    136: "A Child's Garden of Verses",
    1322: "Leaves of Grass",
    1934: "Songs of Innocence",
    3021: "A Boy's Will",
    3026: "North of Boston",
    4800: "The Complete Poetical Works of Percy Bysshe Shelley",
    9622: "Lyrical Ballads",
    12242: "Poems by Emily Dickinson",
    16950: "Goblin Market",
    23684: "Keats",
    29345: "Mountain Interval",
}
PROSE = {
    45: "Anne of Green Gables",
    205: "Walden",
    289: "The Wind in the Willows",
    1342: "Pride and Prejudice",
    2701: "Moby Dick",
}
_HEAD = "# Sources\n\n| source | what came | licence |\n|---|---|---|\n"
_BAR = "\\|"  # in a cell of a table
_THERE = "already there"
_PUBLIC = "public domain in the USA (Project Gutenberg); look up your country"
_YOURS = "yours to know: it came from this machine"


@dataclasses.dataclass(frozen=True)
class Config:
    """Gather photographs, poems, prose and experts into a folder for all.sh."""

    data: pathlib.Path = argument("the folder")
    sources: tuple[str, ...] = option(
        (), "what to fetch, as KIND:WHAT; recipes/README.md lists the kinds"
    )
    max_photographs: int = option(0, "most of each source; 0 for all")
    checksums: str = option(
        "", "SHA-256 and address a line; empty for checksums.txt in the folder"
    )
    book_address: str = option(
        "https://www.gutenberg.org/cache/epub/{number}/pg{number}.txt",
        "of a plain text of Project Gutenberg, or of a mirror",
    )

    def __post_init__(self):
        if not self.sources:
            raise ValueError(
                "expected --sources, such as books. Received: none; the kinds "
                f"are {', '.join(KINDS)}, books and prose"
            )


class Fetching:
    """Fetches sources; every method returns what it made and its licence."""

    def __init__(self, config: Config):
        self._config = config
        self._cache = config.data / "downloads"
        given = pathlib.Path(config.checksums) if config.checksums else None
        self._checksums = downloads.Checksums(
            config.data / "checksums.txt", given
        )

    def photographs(self, what):
        """`photographs:FOLDER_OR_TAR:CAPTIONS` of this machine."""
        images, _, captions = what.rpartition(":")
        photos, bad = caption_files.read_caption_file(pathlib.Path(captions))
        folder, limit = pathlib.Path(images), self._config.max_photographs
        photos = collections.draw_photographs(folder, photos, limit)
        rows = collections.match_photographs(folder, photos)
        name = pathlib.Path(captions).name.split(".")[0]
        made = self._collection(f"photographs:{what}", name, rows)
        return f"{made}, {len(bad)} bad rows", _YOURS

    def webdataset(self, what):
        """`webdataset:FILE.tar`, or a pattern of several."""
        path = pathlib.Path(what)
        paths = sorted(path.parent.glob(path.name))
        rows = collections.read_webdataset(paths)
        name = re.sub(r"\W+", "-", path.stem).strip("-")
        name = name or path.resolve().parent.name  # of *.tar
        return self._collection(f"webdataset:{what}", name, rows), _YOURS

    def tfds(self, what):
        """`tfds:BUILDER`, or the folder of one that is prepared."""
        from visualpoet.features import builders

        builder = builders.open_builder(what, self._cache / "tfds")
        rows = builders.read_builder(builder)
        made = self._collection(f"tfds:{what}", builder.name, rows)
        return made, builders.describe(builder)

    def book(self, what):
        """`book:NUMBER` of Project Gutenberg, as poems."""
        poems = books.cut_poems(self._book(what), f"gutenberg-{what}")
        made = f"poems/gutenberg-{what}.jsonl.gz"
        self._refuse_another(f"book:{what}", made)
        _write_records(self._config.data / made, poems)
        return f"{len(poems)} poems in {made}", _PUBLIC

    def paragraphs(self, what):
        """`paragraphs:NUMBER` of Project Gutenberg, as prose."""
        texts = books.cut_paragraphs(self._book(what), f"gutenberg-{what}")
        folder = self._config.data / "prose"
        _write_records(folder / f"gutenberg-{what}.jsonl.gz", texts)
        # Members of a gzip file may follow each other.
        joined = b"".join(p.read_bytes() for p in sorted(folder.glob("*.gz")))
        path = self._config.data / "poems" / "paragraphs.jsonl.gz"
        row_files.replace_file(path, joined)
        return f"{len(texts)} paragraphs", _PUBLIC

    def poems(self, what):
        """`poems:PATH` of this machine, whatever the readers take."""
        poems, bad = readers.read_poems(pathlib.Path(what))
        if not poems:
            raise ValueError(f"expected poems. Received: none in {what}")
        path = pathlib.Path(what).resolve()
        name = path.name.split(".")[0]
        if name == "paragraphs":
            raise ValueError(
                f"expected poems of another name: poems/{name}.jsonl.gz is for "
                f"prose. Received: {what}"
            )
        poems = readers.name_poems(poems, path)
        if all(poem.split == "train" for poem in poems):
            poems = [
                dataclasses.replace(poem, split=books.choose_split(poem.text))
                for poem in poems
            ]
        made = f"poems/{name}.jsonl.gz"
        self._refuse_another(f"poems:{what}", made)
        _write_records(self._config.data / made, poems)
        return f"{len(poems)} poems in {made}, {len(bad)} bad rows", _YOURS

    def object(self, what):
        """`object:HANDLE` of TF-Hub, a folder, or `object:keras:NAME`."""
        return self._expert("object", what)

    def scene(self, what):
        """`scene:HANDLE` of TF-Hub, a folder, or `scene:keras:NAME`."""
        return self._expert("scene", what)

    def _expert(self, name, handle):
        from visualpoet.features import pretrained

        folder = self._config.data / "experts" / name
        self._refuse_another(f"{name}:{handle}", f"experts/{name}")
        if folder.exists():
            return _THERE, "as before"
        pretrained.bring_expert(
            handle, folder, self._checksums.download, self._cache
        )
        licence = "look up the network's and its weights'"
        return f"a SavedModel in experts/{name}", licence

    def _refuse_another(self, source, made):
        """A file is of one source, which SOURCES.md names."""
        if not (self._config.data / made).exists():
            return
        for other, (said, _) in _read_sources(self._config.data).items():
            if other != source and f" in {made}" in said:
                raise ValueError(
                    f"expected {made} to be of {source}. Received: it is of "
                    f"{other}; delete it, or give the new one another name"
                )

    def _collection(self, source, name, rows):
        folder = self._config.data / "images"
        self._refuse_another(source, f"images/{name}.tar")
        if (folder / f"{name}.tar").exists():
            return f"{_THERE}; delete its files to fetch it anew"
        limit = self._config.max_photographs
        count = collections.write_collection(rows, folder, name, limit)
        return f"{count} photographs in images/{name}.tar"

    def _book(self, number):
        address = self._config.book_address.format(number=int(number))
        host = urllib.parse.urlsplit(address).netloc.replace(":", "-")
        path = self._cache / host / f"pg{int(number)}.txt"
        with self._checksums.download(address, path):
            book = books.read_book(path.read_text(encoding="utf-8-sig"))
            title = (BOOKS | PROSE).get(int(number), "")
            if title.casefold() not in book.title.replace("’", "'").casefold():
                raise ValueError(
                    f"expected {title} as book {number}. Received: {book.title}"
                )
        return book


KINDS = (
    *("photographs", "webdataset", "tfds", "book", "paragraphs", "poems"),
    *("object", "scene"),
)


def _expand(sources):
    for source in sources:
        if source == "books":
            yield from (f"book:{number}" for number in BOOKS)
        elif source == "prose":
            yield from (f"paragraphs:{number}" for number in PROSE)
        else:
            yield source


def _write_records(path, records):
    rows = (dataclasses.asdict(record).items() for record in records)
    row_files.write_rows(path, ({k: v for k, v in row if v} for row in rows))


def _note_source(folder, source, made, licence):
    """Keeps a line for each source in SOURCES.md."""
    sources = _read_sources(folder)
    if not made.startswith(_THERE) or source not in sources:
        sources[source] = made, licence
    rows = [
        f"| `{source.replace('|', _BAR)}` | {made} | {licence} |\n"
        for source, (made, licence) in sources.items()
    ]
    row_files.replace_file(
        folder / "SOURCES.md", (_HEAD + "".join(rows)).encode()
    )


def _read_sources(folder):
    """What came, and its licence, by source."""
    path = folder / "SOURCES.md"
    text = path.read_text(encoding="utf-8") if path.exists() else _HEAD
    rows = re.findall(r"^\| `(.*?)` \| (.*) \| (.*) \|$", text, re.MULTILINE)
    return {
        source.replace(_BAR, "|"): (made, licence)
        for source, made, licence in rows
    }


def main(config: Config) -> int:
    """Runs the recipe.

    Args:
        config: Its options.

    Returns:
        Sources that failed.
    """
    config.data.mkdir(parents=True, exist_ok=True)
    fetching = Fetching(config)
    failed = 0
    for source in _expand(config.sources):
        kind, _, what = source.partition(":")
        try:
            if kind not in KINDS:
                raise ValueError(
                    f"expected a kind of {', '.join(KINDS)}. Received: {kind}"
                )
            made, licence = getattr(fetching, kind)(what)
        except Exception as error:  # the other sources are fetched all the same
            failed += 1
            print(f"{source}: failed: {error}", file=sys.stderr, flush=True)
            continue
        _note_source(config.data, source, made, licence)
        print(f"{source}: {made}; licence: {licence}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(min(main(parse_config(Config)), 1))
