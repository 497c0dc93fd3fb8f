"""What each discriminator is to tell apart, and all that hangs on it.

A further one is a model in a file of its own and a `Task` here, in `TASKS`.
"""

import dataclasses
import pathlib
from collections.abc import Callable
from collections.abc import Sequence

import keras
import numpy as np

from visualpoet.discriminators import multimodal
from visualpoet.discriminators import poem_style
from visualpoet.discriminators.material import Material
from visualpoet.discriminators.material import PairDraws
from visualpoet.discriminators.rewards import adversarial_reward
from visualpoet.embedding.encoders import PoemTower

Texts = dict[str, np.ndarray]
Inputs = dict[str, np.ndarray]


def _no_floor(
    inputs: Inputs, labels: np.ndarray, poem_tower: PoemTower
) -> dict[str, float]:
    return {}


@dataclasses.dataclass(frozen=True)
class Task:
    """A discriminator's classes, model, texts and floor.

    Attributes:
        name: Of the discriminator, of its folder and of its file.
        title: Of the discriminator in reports.
        classes: Its classes: first what a poem should be, last `generated`.
        texts: Which of the texts that `draw` returns are its other classes.
        draw: Draws human texts: of the material, which pairs int `[B]`, how
            pairs are drawn and the draws' generator; each int `[B, T]`.
        build: Builds the model of its vocabulary's size, ids of punctuation
            marks, widths of image embedding, token embedding and hidden
            layer, and dropout.
        reads_photograph: Whether the model is given the image embedding.
        measure_floor: Measures how well its classes are told apart without it:
            of inputs, labels and the poem tower; by what it was measured with.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    texts: tuple[str, ...]
    draw: Callable[
        [Material, np.ndarray, PairDraws, np.random.Generator], Texts
    ]
    build: Callable[..., keras.Model]
    reads_photograph: bool = False
    measure_floor: Callable[..., dict[str, float]] = _no_floor

    def make_batch(
        self,
        texts: Texts,
        generated: np.ndarray,
        image_embedding: np.ndarray,
        draws: PairDraws,
    ) -> tuple[Inputs, np.ndarray]:
        """Makes a batch of as many texts of each class.

        Half of the samples stand beside a photograph that they were not
        written for, as near to theirs as those of unpaired human poems are:
        else going with the photograph would tell them from human ones.

        Args:
            texts: As of `draw`, each int `[B, T]`.
            generated: int `[B, T]`, samples for the same photographs.
            image_embedding: float `[B, K]`.
            draws: What stands beside a photograph unpaired.

        Returns:
            The model's inputs, a row for each text, and labels int32.
        """
        parts = [*(texts[name] for name in self.texts), generated]
        inputs = {"token_ids": np.concatenate(parts)}
        if self.reads_photograph:
            inputs["image_embedding"] = np.concatenate(
                [image_embedding] * len(self.texts)
                + [_pair_half(image_embedding, draws.hard_negatives)]
            )
        classes = np.arange(len(parts), dtype=np.int32)
        return inputs, np.repeat(classes, len(generated))

    def locate(self, folder: pathlib.Path) -> pathlib.Path:
        """Locates the model.

        Args:
            folder: Of all discriminators.

        Returns:
            `<name>/<name>.keras` in it.
        """
        return pathlib.Path(folder) / self.name / f"{self.name}.keras"


def _pair_half(image_embedding: np.ndarray, candidates: int) -> np.ndarray:
    """Photographs of which every second one is another's.

    Of the rows before it, so many, the one with the nearest photograph that
    is not the same.
    """
    rows = np.arange(len(image_embedding))
    before = 1 + np.arange(min(candidates, max(1, len(rows) - 1)))
    others = image_embedding[rows[:, None] - before]
    nearness = (image_embedding[:, None] * others).sum(axis=-1)
    same = (image_embedding[:, None] == others).all(axis=-1)
    nearest = np.where(same, -np.inf, nearness).argmax(axis=1)
    return np.where(
        (rows % 2 == 1)[:, None], others[rows, nearest], image_embedding
    )


# --- texts


def draw_pairs(
    material: Material,
    pairs: np.ndarray,
    draws: PairDraws,
    rng: np.random.Generator,
) -> Texts:
    """Draws poems that go with photographs, and such that do not.

    Args:
        material: Where they come from.
        pairs: int `[B]`; which pairs.
        draws: How they are drawn.
        rng: Where the draws come from.

    Returns:
        `paired` and `unpaired`, each int `[B, T]`.
    """
    texts = material.pair_batch(pairs, draws, rng)
    return material.take_captions(pairs, texts, draws, rng)


def draw_styles(
    material: Material,
    pairs: np.ndarray,
    draws: PairDraws,
    rng: np.random.Generator,
) -> Texts:
    """Draws poems of any subject, and texts that are none.

    Args:
        material: Where they come from.
        pairs: int `[B]`; as many texts.
        draws: Without effect: poems of any subject stand beside no photograph.
        rng: Where the draws come from.

    Returns:
        `poetic`, `disordered` and `paragraphic`, each int `[B, T]`.
    """
    return material.style_batch(len(pairs), rng)


# --- models


def _build_style(classes: Sequence[str]) -> Callable[..., keras.Model]:
    def build(
        size: int,
        mark_ids: Sequence[int],
        image_dim: int,
        embedding_dim: int,
        hidden_dim: int,
        dropout: float,
    ) -> keras.Model:
        return poem_style.PoemStyleDiscriminator(
            size, mark_ids, embedding_dim, hidden_dim, classes, dropout
        )

    return build


# --- floors


def measure_by_cosine(
    inputs: Inputs, labels: np.ndarray, poem_tower: PoemTower
) -> dict[str, float]:
    """Tells paired and unpaired poems apart by the joint space alone.

    Args:
        inputs: Of the multi-modal discriminator.
        labels: int `[N]`.
        poem_tower: The tower.

    Returns:
        The share of them that is on the right side of the median cosine.
    """
    human = labels < 2
    places = poem_tower.predict(inputs["token_ids"][human], 256, verbose=0)
    cosine = (places * inputs["image_embedding"][human]).sum(axis=1)
    is_paired = cosine > np.median(cosine)
    right = is_paired == (labels[human] == 0)
    return {"by the cosine of the joint space": float(right.mean())}


# --- the discriminators

MULTIMODAL = Task(
    name="multimodal",
    title="Multi-modal discriminator D_m",
    classes=multimodal.CLASSES,
    texts=("paired", "unpaired"),
    draw=draw_pairs,
    build=multimodal.MultimodalDiscriminator,
    reads_photograph=True,
    measure_floor=measure_by_cosine,
)
POEM_STYLE = Task(
    name="poem_style",
    title="Poem-style discriminator D_p",
    classes=poem_style.CLASSES,
    texts=("poetic", "disordered", "paragraphic"),
    draw=draw_styles,
    build=_build_style(poem_style.CLASSES),
)
REAL_OR_GENERATED = Task(
    name="real_or_generated",
    title="Discriminator of SeqGAN",
    classes=poem_style.REAL_OR_GENERATED,
    texts=("poetic",),
    draw=draw_styles,
    build=_build_style(poem_style.REAL_OR_GENERATED),
)
# Of a corpus without prose beside it.
VOICE_STYLE = dataclasses.replace(
    POEM_STYLE,
    classes=poem_style.WITHOUT_PROSE,
    texts=("poetic", "disordered"),
    build=_build_style(poem_style.WITHOUT_PROSE),
)
TASKS = (MULTIMODAL, POEM_STYLE, REAL_OR_GENERATED)
NAMES = tuple(task.name for task in TASKS)


def find_task(name: str) -> Task:
    """Finds the task of a discriminator.

    Args:
        name: One of `NAMES`.

    Returns:
        The task.
    """
    return TASKS[NAMES.index(name)]


def draw_texts(
    material: Material,
    pairs: np.ndarray,
    draws: PairDraws,
    rng: np.random.Generator,
) -> Texts:
    """Draws the texts of all tasks, whichever of them are asked for.

    So a discriminator reads the same texts alone and beside others.

    Args:
        material: Where they come from.
        pairs: int `[B]`; which pairs.
        draws: How they are drawn.
        rng: Where the draws come from.

    Returns:
        Each int `[B, T]`, by what they are.
    """
    texts: Texts = {}
    for draw in dict.fromkeys(task.draw for task in TASKS):
        texts |= draw(material, pairs, draws, rng)
    return texts


def weigh_tasks(tasks: Sequence[Task], paired_weight: float) -> list[float]:
    """Weighs the rewards of at most two discriminators.

    Args:
        tasks: Theirs, in any order; of two, `MULTIMODAL` is one.
        paired_weight: lambda, the multi-modal one's share of two.

    Returns:
        Weight of each: of two as in `adversarial_reward`, of one 1.
    """
    if len(tasks) == 1:
        return [1.0]
    # What each alone would give.
    is_paired = np.array([task is MULTIMODAL for task in tasks], float)
    return adversarial_reward(is_paired, 1 - is_paired, paired_weight).tolist()
