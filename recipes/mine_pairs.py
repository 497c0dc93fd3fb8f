"""Pair photographs with poems by their captions (or labels).

python recipes/mine_pairs.py --captions DATA/images/*.jsonl \
        --poems DATA/poems/gutenberg-*.jsonl.gz \
        --pairs DATA/pairs/mined.jsonl.gz --run-dir out/pairs
"""

import dataclasses
import pathlib

import numpy as np

from visualpoet import run_options
from visualpoet import runs
from visualpoet import templating
from visualpoet.corpus import excerpts
from visualpoet.corpus import formats
from visualpoet.corpus import readers
from visualpoet.corpus import row_files
from visualpoet.evaluation import mining
from visualpoet.evaluation import relevance
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Pair photographs with poems by their captions (or labels)."""

    captions: tuple[pathlib.Path, ...] = option(
        (), "files that say what is known of photographs"
    )
    poems: tuple[pathlib.Path, ...] = option((), "files or folders of poems")
    form: str = option("", "form of the poems; a haiku may have two lines")
    pairs: pathlib.Path = option(pathlib.Path("pairs.jsonl.gz"), "output")
    run_dir: pathlib.Path = option(
        pathlib.Path("out/pairs"), "log, similarities and a page of examples"
    )
    encoder: str = option(
        "", "Keras file or SavedModel of a text encoder; empty for MiniLM"
    )
    pairs_each: int = option(5, "most poems of a photograph")
    most_uses: int = option(12, "most photographs of a poem")
    mean_share: float = option(
        0.5, "of a poem's mean similarity to all photographs, taken off"
    )
    examples: int = option(100, "photographs on the page of examples")
    seed: int = option(0, "of random pairs and examples")
    resume: bool = option(False, "go on with the poems of --run-dir")

    def __post_init__(self):
        if not self.captions or not self.poems:
            raise ValueError("expected --captions and --poems. Received: none")


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    run = runs.RunDirectory(config.run_dir, config, _inputs(config))
    photos = _photographs(config)
    pieces = _pieces(config)
    run.log(f"{len(photos)} photographs, {len(pieces)} excerpts")
    embed = relevance.embed_sentences
    if config.encoder:
        embed = mining.load_encoder(pathlib.Path(config.encoder))
    photo_rows = mining.embed_photographs(photos, embed)
    poem_rows = mining.embed_in_parts(
        [piece.text.replace("\n", " ") for piece in pieces],
        embed,
        config.run_dir / "embeddings",
    )
    options = mining.MiningOptions(
        config.pairs_each, config.most_uses, config.mean_share
    )
    pairs = mining.mine_pairs(photos, photo_rows, pieces, poem_rows, options)
    _write(config.pairs, pairs)
    rng = np.random.default_rng(config.seed)
    drawn = rng.integers(len(photos), size=10_000)
    others = rng.integers(len(pieces), size=10_000)
    random = (photo_rows[drawn] * poem_rows[others]).sum(axis=1).mean()
    by_rank = mining.similarity_by_rank(pairs)
    run.write_json("results.json", {"rank": by_rank, "random": float(random)})
    said = ", ".join(f"{r} {v:.2f}" for r, v in enumerate(by_rank, start=1))
    unpaired = len(photos) - len({pair.image for pair in pairs})
    run.log(f"{len(pairs)} pairs; similarity by rank: {said}")
    if unpaired:
        run.log(
            f"{unpaired} photographs have no poem: others, with the same "
            "label or nearer captions, have used those near to them "
            f"{config.most_uses} times; raise --most-uses, or add poems"
        )
    run.log(f"of random pairs: {random:.2f}")
    known = {photo.image: photo for photo in photos}
    rows = mining.example_rows(pairs, known, config.examples, rng)
    (config.run_dir / "examples.html").write_text(
        templating.render("pairs.html", rows=rows), encoding="utf-8"
    )


def _inputs(config):
    """What parts of an interrupted run are of."""
    poems = [file for path in config.poems for file in formats.find_files(path)]
    inputs = [*config.captions, *poems]
    if config.encoder:
        encoder = pathlib.Path(config.encoder)
        files = [path for path in encoder.rglob("*") if path.is_file()]
        inputs += sorted(files) or [encoder]
    return inputs


def _photographs(config):
    rows = [
        p for path in config.captions for p in readers.read_captions(path)[0]
    ]
    photos = readers.merge_photographs(rows, [])
    photos = [photo for photo in photos if photo.captions or photo.label]
    if not photos:
        raise ValueError(
            "expected photographs with captions or labels. Received: none in "
            f"{', '.join(map(str, config.captions))}"
        )
    return photos


def _pieces(config):
    poems = [
        dataclasses.replace(poem, form=config.form)
        for path in config.poems
        for poem in readers.name_poems(readers.read_poems(path)[0], path)
    ]
    pieces, without = excerpts.cut_poems(poems)
    if not pieces:
        raise ValueError(
            "expected --poems with an excerpt of three lines or more. "
            f"Received: none among {len(without)} poems of "
            f"{', '.join(map(str, config.poems))}"
        )
    return list({piece.text: piece for piece in pieces}.values())


def _write(path, pairs):
    rows = (
        {
            "file": pair.image,
            "split": pair.poem.split,
            "similarity": round(pair.similarity, 4),
            "poem": pair.poem.text,
            "source": pair.poem.id,
            "author": pair.poem.author,
        }
        for pair in pairs
    )
    row_files.write_rows(path, rows)


if __name__ == "__main__":
    main(run_options.parse_config(Config))
