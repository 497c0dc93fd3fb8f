"""What a user may set when a poet is fine-tuned."""

import dataclasses
import os
import pathlib

from visualpoet.run_options import argument
from visualpoet.run_options import expect
from visualpoet.run_options import option

_AT_LEAST_ONE = (
    *("allow_quotes", "min_count", "batch_size", "epochs", "patience"),
    "adversarial_steps",
)


@dataclasses.dataclass(frozen=True)
class Options:
    """Fine-tune a poet on poems: one more voice."""

    corpus: pathlib.Path = argument(
        "poems: a folder of .txt, or a file: .txt, .csv, .json, .jsonl (.gz) "
        "or .parquet"
    )
    out: pathlib.Path = option(
        pathlib.Path("out/voice"),
        "output: the run, and in it the exported model",
    )
    base: str = option(
        "", "exported model to begin from; empty for the voice verse"
    )
    name: str = option("", "of the model; empty for that of the corpus")
    form: str = option(
        "", "of the base's forms, that the corpus is; empty for its default"
    )
    patterns: tuple[str, ...] = option(
        (),
        "forms besides, with syllables and rhymes: limerick, quatrain-abab, "
        "quatrain-aabb, haiku-5-7-5, jueju-5, jueju-7",
    )
    level: str = option(
        "",
        "of a new vocabulary, word or character; empty for what the script "
        "calls for",
    )
    glosses: str = option(
        "",
        "for another language: CSV with columns token and gloss, what its "
        "words mean in words of the base",
    )
    photographs: tuple[str, ...] = option(
        (), "files or folders to pair with poems of the corpus"
    )
    captions: str = option(
        "",
        "what is said of the photographs, to pair them by it too: COCO's "
        "JSON, a token file of Flickr8k, or rows of file and caption",
    )
    pairs: str = option(
        "", "pairs to learn from as they are, as of readers.read_pairs"
    )
    allow_quotes: int = option(
        5, "words in a row that a poem may have from the corpus"
    )
    dry_run: bool = option(False, "report, and stop before the training")
    force: bool = option(False, "go on although the corpus looks like prose")
    min_count: int = option(2, "of a word, to be added to the vocabulary")
    max_added: int = option(4000, "most words that are added")
    vocabulary_size: int = option(
        0, "most tokens, for a small voice; 0 keeps every word of the base"
    )
    batch_size: int = option(32, "poems a batch")
    max_tokens: int = option(120, "tokens of a poem, START and END included")
    epochs: int = option(12, "times that the corpus is seen, at most")
    patience: int = option(
        2, "epochs that held-out poems gain nothing in, after which it stops"
    )
    learning_rate: float = option(5e-4, "Adam")
    adversarial: bool = option(
        False,
        "train it on against a poem-style discriminator of the corpus; needs "
        "the extra adversarial",
    )
    adversarial_steps: int = option(150, "steps of that")
    interpolation: float = option(
        0.75,
        "weights that are exported, so as not to forget: 1 the trained ones, "
        "0 the base's; 1 always with --glosses",
    )
    seed: int = option(0, "of all draws")
    resume: bool = option(False, "go on with the run in --out")

    def __post_init__(self) -> None:
        kept = self.interpolation
        expect(0 <= kept <= 1, "an --interpolation in [0, 1]", kept)
        for name in _AT_LEAST_ONE:
            value = getattr(self, name)
            expect(
                value >= 1, f"--{name.replace('_', '-')} of 1 or more", value
            )
        expect(
            self.glosses or not self.level,
            "--level with --glosses: the words of the base are kept otherwise",
            f"--level {self.level} alone",
        )
        expect(
            not self.captions or (self.photographs and not self.pairs),
            "--captions with --photographs, to pair them by, and without "
            "--pairs",
            f"--captions {self.captions}",
        )

    def prepare_environment(self) -> None:
        """Prepares for the import of TensorFlow: tf-agents needs Keras 2."""
        if self.adversarial:
            os.environ["TF_USE_LEGACY_KERAS"] = "1"
