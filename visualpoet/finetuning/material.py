"""What a voice is made of: a corpus, and the base made ready for it."""

import dataclasses
import pathlib
from collections.abc import Sequence

from visualpoet import model_folders
from visualpoet import pictures
from visualpoet.corpus.records import ImagePoemPair
from visualpoet.finetuning import base
from visualpoet.finetuning import exporting
from visualpoet.finetuning import extension
from visualpoet.finetuning import learning
from visualpoet.finetuning import pairing
from visualpoet.finetuning import reduction
from visualpoet.finetuning import translation
from visualpoet.finetuning.base import PoetParts
from visualpoet.finetuning.corpus import VoiceCorpus
from visualpoet.finetuning.corpus import find_held_out
from visualpoet.finetuning.corpus import read_corpus
from visualpoet.finetuning.learning import Lessons
from visualpoet.finetuning.options import Options
from visualpoet.finetuning.report import CorpusReport
from visualpoet.finetuning.report import make_report
from visualpoet.generator.examples import Examples


@dataclasses.dataclass(frozen=True)
class VoiceMaterial:
    """A corpus, and the base made ready for it.

    Attributes:
        folder: Version folder of the base.
        corpus: The poems.
        poet: The base with the words of the corpus.
        form: What the corpus is learnt as, or empty.
        report: What is said of it.
        pairs: Those that were given, but for pairs of held-out poems.
        photographs: To learn from, of the pairs or to be paired.
    """

    folder: pathlib.Path
    corpus: VoiceCorpus
    poet: PoetParts
    form: str
    report: CorpusReport
    pairs: Sequence[ImagePoemPair]
    photographs: Sequence[pathlib.Path]


def prepare_material(options: Options) -> VoiceMaterial:
    """Reads corpus and base, and gives the base the words of the corpus.

    Args:
        options: The options.

    Returns:
        Both.
    """
    folder = (
        model_folders.newest_version(pathlib.Path(options.base))
        if options.base
        else base.default_folder()
    )
    form = base.choose_form(base.read_options(folder), options.form)
    corpus = read_corpus(options.corpus, form, options.force)
    given, pairs = _read_pairs(corpus, options)
    corpus = dataclasses.replace(
        corpus, paired=[one.poem.text for one in pairs]
    )
    # A voice says what its corpus does, and training moves what a head reads.
    poet = dataclasses.replace(
        base.read_poet(folder), known_phrases=None, reader_head=None
    )
    known = poet.vocabulary
    vocabulary = translation.choose_vocabulary(known, corpus, options)
    texts = corpus.learnt_texts()
    if options.glosses:
        glosses = translation.read_glosses(pathlib.Path(options.glosses))
        poet = translation.translate_poet(poet, vocabulary, glosses, texts)
    else:
        poet = extension.extend_poet(poet, vocabulary, texts)
    if options.vocabulary_size:
        poet = reduction.reduce_poet(poet, texts, options.vocabulary_size)
    report = make_report(
        corpus, known, poet.vocabulary, form, given - len(pairs)
    )
    poet = exporting.prepare_patterns(poet, texts, options.patterns)
    photographs = (
        sorted({pathlib.Path(one.image) for one in pairs})
        if options.pairs
        else list(pictures.find_pictures(options.photographs))
    )
    return VoiceMaterial(folder, corpus, poet, form, report, pairs, photographs)


def _read_pairs(
    corpus: VoiceCorpus, options: Options
) -> tuple[int, list[ImagePoemPair]]:
    """How many pairs are given, and those that may be learnt."""
    if not options.pairs:
        return 0, []
    given = pairing.read_pairs(pathlib.Path(options.pairs))
    held = find_held_out(corpus, [one.poem.text for one in given])
    pairs = [one for one, is_held in zip(given, held) if not is_held]
    if not pairs:
        raise ValueError(
            "expected pairs of poems to learn from. Received: "
            f"{options.pairs}, all of whose poems are held out to measure by"
        )
    return len(given), pairs


def gather_lessons(
    material: VoiceMaterial, options: Options
) -> tuple[Lessons, Sequence[ImagePoemPair]]:
    """Gathers what is learnt from: poems, and pairs if there are photographs.

    Args:
        material: Corpus and base.
        options: The options.

    Returns:
        The lessons, and the pairs among them.
    """
    train, held = (
        learning.place_poems(
            material.poet,
            material.corpus.texts(split),
            material.form,
            options.max_tokens,
        )
        for split in ("train", "validation")
    )
    pairs, paired = _pair(material, options)
    lessons = learning.prepare_lessons(material.poet, [train, *paired], held)
    return lessons, pairs


def _pair(
    material: VoiceMaterial, options: Options
) -> tuple[Sequence[ImagePoemPair], list[Examples]]:
    pairs, paths = material.pairs, material.photographs
    if not paths:
        return [], []
    places = pairing.place_photographs(material.poet, paths)
    if not places:
        raise ValueError(
            "expected photographs. Received: none that could be read among "
            f"{len(paths)} files"
        )
    if not pairs:
        said = (
            pairing.read_captions(pathlib.Path(options.captions), list(places))
            if options.captions
            else {}
        )
        pairs = pairing.pair(material.poet, material.corpus, places, said)
    examples = pairing.learn_pairs(
        material.poet, pairs, places, material.form, options.max_tokens
    )
    return pairs, [examples]
