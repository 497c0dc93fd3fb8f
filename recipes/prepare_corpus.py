"""Read poems, pairs and captions; cut excerpts; build the vocabulary.

python recipes/prepare_corpus.py --poems POEMS... --forms FORMS... \
        --pairs PAIRS... --captions CAPTIONS... --run-dir out/corpus
"""

import collections
import contextlib
import dataclasses
import itertools
import json
import logging
import pathlib
from collections.abc import Iterator

from visualpoet import run_options
from visualpoet import runs
from visualpoet.corpus import excerpts
from visualpoet.corpus import paired
from visualpoet.corpus import readers
from visualpoet.corpus.records import BadRow
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Read poems, pairs and captions; cut excerpts; build the vocabulary."""

    poems: tuple[pathlib.Path, ...] = option((), "files or folders of poems")
    forms: tuple[str, ...] = option(
        (), "form of the poems of each of --poems: haiku, verse, ...; or none"
    )
    pairs: tuple[pathlib.Path, ...] = option((), "files of image-poem pairs")
    captions: tuple[pathlib.Path, ...] = option(
        (), "files that say what is known of photographs"
    )
    run_dir: pathlib.Path = option(pathlib.Path("out/corpus"), "output")
    vocabulary_size: int = option(8000, "most tokens to keep")
    level: str = option("word", "tokens are words, or characters")
    resume: bool = option(False, "write again into --run-dir")

    def __post_init__(self):
        if not self.poems:
            raise ValueError("expected --poems. Received: none")
        if self.forms and len(self.forms) != len(self.poems):
            raise ValueError(
                f"expected one of --forms for each of {len(self.poems)} "
                f"--poems. Received: {len(self.forms)}"
            )


def _read_collection(path: pathlib.Path) -> tuple[list, list[BadRow]]:
    photos, bad_rows = readers.read_captions(path)
    name = path.name.split(".")[0]
    return [dataclasses.replace(p, collection=name) for p in photos], bad_rows


def _read_all(read, paths) -> tuple[list, list[BadRow]]:
    records, bad_rows = [], []
    for path in paths:
        new_records, new_bad_rows = read(path)
        records += new_records
        bad_rows += new_bad_rows
    return records, bad_rows


def _write_jsonl(path: pathlib.Path, records: list) -> None:
    with path.open("w", encoding="utf-8") as stream:
        for record in records:
            content = dataclasses.asdict(record)
            stream.write(json.dumps(content, ensure_ascii=False) + "\n")


@contextlib.contextmanager
def _keep_remarks(run: runs.RunDirectory) -> Iterator[None]:
    """Keeps in the log of the run what the readers say of files."""
    handler = logging.Handler()
    handler.emit = lambda record: run.log(record.getMessage())
    logger = logging.getLogger("visualpoet.corpus")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    given = config.poems + config.pairs + config.captions
    inputs = [path for path in given if path.is_file()]
    run = runs.RunDirectory(config.run_dir, config, inputs)
    with _keep_remarks(run):
        poems, bad_poems = _read_poems(config)
        pairs, bad_pairs = _read_all(readers.read_pairs, config.pairs)
        photos, bad_photos = _read_all(_read_collection, config.captions)
    pairs = paired.name_forms(pairs, poems)
    photos = readers.merge_photographs(photos, pairs)
    bad_rows = bad_poems + bad_pairs + bad_photos
    (config.run_dir / "bad_rows.txt").write_text(
        "".join(f"{row}\n" for row in bad_rows),
        encoding="utf-8",
        errors="backslashreplace",
    )
    pieces, without = excerpts.cut_poems(poems)
    if without:
        run.log(excerpts.name_short(without))
    pieces = list({piece.text: piece for piece in pieces}.values())
    before = len(pieces), len(pairs)
    pieces, pairs = paired.leave_out_held(pieces, pairs, photos)
    vocabulary = _train_vocabulary(config, pieces, photos)
    vocabulary.save(config.run_dir / "vocabulary.json")
    _write_jsonl(config.run_dir / "excerpts.jsonl", pieces)
    _write_jsonl(config.run_dir / "pairs.jsonl", pairs)
    _write_jsonl(config.run_dir / "photographs.jsonl", photos)

    splits = dict(collections.Counter(piece.split for piece in pieces))
    run.log(
        f"{len(poems)} poems, {len(pieces)} excerpts {splits}, {len(pairs)} "
        f"pairs, {len(photos)} photographs, {len(vocabulary)} tokens; "
        f"{len(bad_rows)} bad rows, see bad_rows.txt"
    )
    if before != (len(pieces), len(pairs)):
        run.log(
            f"{before[0] - len(pieces)} excerpts and {before[1] - len(pairs)} "
            "pairs for training left out, which validation and test "
            "photographs are paired with"
        )
    captions = [caption for photo in photos for caption in photo.captions]
    if captions:
        unknown = vocabulary.unknown_share(captions)
        run.write_json("results.json", {"unknown_caption_words": unknown})
        run.log(f"{unknown:.1%} of the words of captions have no token")


def _read_poems(config):
    poems, bad_rows = [], []
    for path, form in itertools.zip_longest(config.poems, config.forms):
        new_poems, new_bad_rows = readers.read_poems(path)
        poems += [
            dataclasses.replace(poem, form=form or "")
            for poem in readers.name_poems(new_poems, path)
        ]
        bad_rows += new_bad_rows
    return poems, bad_rows


def _train_vocabulary(config, pieces, photos):
    training = [piece for piece in pieces if piece.split == "train"]
    if not config.forms:
        texts = [piece.text for piece in training]
        return Vocabulary.train(texts, config.vocabulary_size, config.level)
    return Vocabulary.train_balanced(
        [
            [piece.text for piece in training if piece.form == form]
            for form in sorted(set(config.forms))
        ],
        [caption for photo in photos for caption in photo.captions],
        config.vocabulary_size,
        config.level,
    )


if __name__ == "__main__":
    main(run_options.parse_config(Config))
