"""What a voice is made of: a corpus, and the base made ready for it."""

import dataclasses
import pathlib

from visualpoet import model_folders
from visualpoet import pictures
from visualpoet.finetuning import base
from visualpoet.finetuning import exporting
from visualpoet.finetuning import extension
from visualpoet.finetuning import learning
from visualpoet.finetuning import pairing
from visualpoet.finetuning import reduction
from visualpoet.finetuning import translation
from visualpoet.finetuning.base import PoetParts
from visualpoet.finetuning.corpus import VoiceCorpus
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
    """

    folder: pathlib.Path
    corpus: VoiceCorpus
    poet: PoetParts
    form: str
    report: CorpusReport


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
        else model_folders.default_model()
    )
    form = base.choose_form(base.read_options(folder), options.form)
    corpus = read_corpus(options.corpus, form, options.force)
    poet = base.read_poet(folder)
    known = poet.vocabulary
    vocabulary = translation.choose_vocabulary(known, corpus, options)
    texts = corpus.texts("train")
    if options.glosses:
        glosses = translation.read_glosses(pathlib.Path(options.glosses))
        poet = translation.translate_poet(poet, vocabulary, glosses, texts)
    else:
        poet = extension.extend_poet(poet, vocabulary, texts)
    if options.vocabulary_size:
        poet = reduction.reduce_poet(poet, texts, options.vocabulary_size)
    report = make_report(corpus, known, poet.vocabulary, form)
    poet = exporting.prepare_patterns(poet, texts, options.patterns)
    return VoiceMaterial(folder, corpus, poet, form, report)


def gather_lessons(
    material: VoiceMaterial, options: Options
) -> tuple[Lessons, list]:
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
) -> tuple[list, list[Examples]]:
    pairs = []
    if options.pairs:
        pairs = pairing.read_pairs(pathlib.Path(options.pairs))
        paths = sorted({pathlib.Path(one.image) for one in pairs})
    else:
        paths = list(pictures.find_pictures(options.photographs))
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
