"""From poems to a voice, step by step."""

import dataclasses
import os
import pathlib
import time
import types
from typing import Any

import keras

from visualpoet import poet as poets
from visualpoet import runs
from visualpoet import templating
from visualpoet.corpus import datasets
from visualpoet.corpus import formats
from visualpoet.evaluation.kneser_ney import KneserNey
from visualpoet.export import checking
from visualpoet.export import model_card
from visualpoet.finetuning import base
from visualpoet.finetuning import exporting
from visualpoet.finetuning import learning
from visualpoet.finetuning import pairing
from visualpoet.finetuning import trying
from visualpoet.finetuning.learning import Lessons
from visualpoet.finetuning.learning import Training
from visualpoet.finetuning.material import VoiceMaterial
from visualpoet.finetuning.material import gather_lessons
from visualpoet.finetuning.material import prepare_material
from visualpoet.finetuning.options import Options
from visualpoet.optimization import interpolate

VERSION = "1"
MEASURED_STEPS = 3
PAGE = "before_after.html"


def fine_tune(options: Options) -> pathlib.Path | None:
    """Makes a voice of a corpus.

    Args:
        options: The options.

    Returns:
        The version folder; None after a dry run.

    Raises:
        FileNotFoundError: If there is no such corpus or base.
        FileExistsError: If `out` holds a run and is not resumed.
        ValueError: If the corpus is none to learn from, or does not go with
            the base or the options; or if the voice, which is kept, fails
            its check.
    """
    keras.utils.set_random_seed(options.seed)
    material = prepare_material(options)
    lessons, pairs = gather_lessons(material, options)
    if options.adversarial:  # what is missing is said before the training
        _import_adversarial().prepare_batches(material.poet, lessons, options)
    print("\n".join(material.report.describe()))
    print(f"pairs: {len(pairs)}")
    training = learning.prepare_training(
        material.poet.generator, lessons, options
    )
    print(estimate(training, lessons, options), flush=True)
    if options.dry_run:
        return None
    run = open_run(material, options)
    if pairs and not options.pairs:
        pairing.write_pairs(options.out / "pairs.csv", pairs)
    before, after = learn(run, material, lessons, training, options)
    folder = options.out / name_voice(options) / VERSION
    export(run, material, options, folder)
    trials = try_out(material, options, folder)
    written = [poem.poem for trial in trials for poem in trial.after]
    measured = {
        "before": before,
        "after": after,
        "alone": measure_alone(material, options.max_tokens),
        "copied": trying.measure_copied(written, material.corpus),
        "pairs": len(pairs),
    }
    run.write_json("results.json", measured)
    trying.write_page(options.out / PAGE, folder.parent.name, trials, measured)
    write_card(material, options, folder, measured)
    run.log(f"{folder}; see {options.out / PAGE}")
    check(run, folder)
    return folder


def name_voice(options: Options) -> str:
    """Names a voice by its corpus, unless it has a name."""
    return options.name or options.corpus.name.split(".")[0]


def estimate(training: Training, lessons: Lessons, options: Options) -> str:
    """Estimates how long the training will take here, from some steps.

    Args:
        training: All of it is as before in the end.
        lessons: What is learnt.
        options: The options.

    Returns:
        A sentence.
    """
    variables = [
        *training.generator.variables,
        *training.optimizer.variables,
    ]
    before = [variable.numpy() for variable in variables]
    batches = learning.iterate(lessons, options, 0)
    float(training.update(next(batches)))  # traced
    started = time.monotonic()
    for _ in range(MEASURED_STEPS):
        float(training.update(next(batches)))
    seconds = (time.monotonic() - started) / MEASURED_STEPS
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
    epoch, num_steps = learning.count_steps(lessons, options)
    return (
        f"training: {num_steps} steps at most, {epoch} an epoch, about "
        f"{seconds * num_steps / 60:.0f} minutes here"
    )


def open_run(material: VoiceMaterial, options: Options) -> runs.RunDirectory:
    """Opens the run directory.

    Args:
        material: Corpus and base.
        options: The options.

    Returns:
        The run.
    """
    named = (options.glosses, options.pairs, options.captions)
    given = [pathlib.Path(name) for name in named if name]
    inputs = [
        *formats.find_files(options.corpus),
        *base.list_files(material.folder),
        *filter(_is_readable, material.photographs),
        *given,
    ]
    run = runs.RunDirectory(options.out, options, inputs)
    run.write_json("report.json", dataclasses.asdict(material.report))
    return run


def _is_readable(path: pathlib.Path) -> bool:
    """Others are left out where photographs are placed."""
    return path.is_file() and os.access(path, os.R_OK)


def learn(
    run: runs.RunDirectory,
    material: VoiceMaterial,
    lessons: Lessons,
    training: Training,
    options: Options,
) -> tuple[dict[str, float], dict[str, float]]:
    """Trains, and measures on the test poems before and after.

    Args:
        run: Where it goes.
        material: Corpus and base.
        lessons: What is learnt.
        training: Of the base's generator.
        options: The options.

    Returns:
        Perplexities of the base and of the voice.
    """
    generator = training.generator
    test = learning.place_poems(
        material.poet,
        material.corpus.texts("test"),
        material.form,
        options.max_tokens,
    )
    checked = {n: (test, shown) for n, (_, shown) in lessons.checked.items()}
    look = learning.measure(
        generator, dataclasses.replace(lessons, checked=checked)
    )
    before = look()
    weights = [variable.numpy() for variable in generator.trainable_variables]
    learning.train_voice(run, training, lessons, options)
    if options.adversarial:
        _import_adversarial().train_adversarially(
            material.poet, lessons, options
        )
    if not options.glosses:  # of another language the base knows nothing
        interpolate(
            generator.trainable_variables, weights, options.interpolation
        )
    after = look()
    for name in before:
        run.log(
            f"test {name}: base {before[name]:.1f}, voice {after[name]:.1f}"
        )
    return before, after


def _import_adversarial() -> types.ModuleType:
    """What needs tf-agents."""
    from visualpoet.finetuning import adversarial

    return adversarial


def export(
    run: runs.RunDirectory,
    material: VoiceMaterial,
    options: Options,
    folder: pathlib.Path,
) -> None:
    """Exports the voice, unless the run that is resumed has done so.

    Args:
        run: What the voice came of.
        material: Corpus and poet, trained.
        options: The options.
        folder: The version folder.
    """
    if not folder.exists():
        exporting.export_voice(
            material.poet,
            material.corpus,
            material.form,
            options.patterns,
            options.allow_quotes,
            folder,
            run.describe_lineage(),
        )


def try_out(
    material: VoiceMaterial, options: Options, folder: pathlib.Path
) -> list[trying.Trial]:
    """Lets base and voice write.

    Args:
        material: Knows the base.
        options: The options.
        folder: The voice.

    Returns:
        What they wrote.
    """
    return trying.write_both(
        poets.Poet(material.folder),
        poets.Poet(folder),
        trying.find_photographs(options.photographs),
    )


def write_card(
    material: VoiceMaterial,
    options: Options,
    folder: pathlib.Path,
    measured: dict[str, Any],
) -> None:
    """Writes the model card.

    Args:
        material: Corpus and poet.
        options: The options.
        folder: The version folder.
        measured: What was measured of the voice.
    """
    notes = templating.render(
        "voice_notes.md",
        report=material.report,
        allow_quotes=options.allow_quotes,
        **measured,
    )
    parameters = model_card.count_parameters(**material.poet.models)
    model_card.write_model_card(folder, parameters, [], notes)


def check(run: runs.RunDirectory, folder: pathlib.Path) -> None:
    """Checks the export as `visualpoet check` does.

    Args:
        run: Keeps what was found.
        folder: The version folder.

    Raises:
        ValueError: If it fails in a point.
    """
    failed = []
    for result in checking.check_export(folder):
        verdict = f"FAILED: {result.reason}" if result.reason else "passed"
        run.log(f"{result.point} {verdict}")
        failed += [result.point] if result.reason else []
    if failed:
        raise ValueError(
            f"expected {folder} to pass its check. Received: an export that "
            f"fails in {len(failed)} of its points, see {run.path / 'log.txt'}"
        )


def measure_alone(material: VoiceMaterial, max_tokens: int) -> float:
    """Measures what the corpus alone teaches: a Kneser-Ney 5-gram.

    Args:
        material: Corpus and vocabulary.
        max_tokens: As for `datasets.frame`.

    Returns:
        Its perplexity on the test poems, of known words, as the voice's.
    """
    vocabulary = material.poet.vocabulary
    train, test = (
        datasets.frame_poems(vocabulary, texts, max_tokens)
        for texts in (
            material.corpus.learnt_texts(),
            material.corpus.texts("test"),
        )
    )
    return KneserNey(train, len(vocabulary)).perplexity(test)
