"""Poems that photographs are paired with, among the other poems."""

import dataclasses
from collections.abc import Sequence

from visualpoet.corpus.records import ImagePoemPair
from visualpoet.corpus.records import Photograph
from visualpoet.corpus.records import Poem


def name_forms(
    pairs: Sequence[ImagePoemPair], poems: Sequence[Poem]
) -> list[ImagePoemPair]:
    """Gives the poems of pairs the forms of the poems that they are from.

    Args:
        pairs: Image-poem pairs; the ids of their poems name their sources.
        poems: All poems.

    Returns:
        The pairs; a poem from elsewhere keeps no form.
    """
    forms = {poem.id: poem.form for poem in poems if poem.id}
    return [
        dataclasses.replace(
            pair,
            poem=dataclasses.replace(
                pair.poem, form=forms.get(pair.poem.id, "")
            ),
        )
        for pair in pairs
    ]


def leave_out_held(
    excerpts: Sequence[Poem],
    pairs: Sequence[ImagePoemPair],
    photographs: Sequence[Photograph],
) -> tuple[list[Poem], list[ImagePoemPair]]:
    """Leaves out of training what evaluation photographs are paired with.

    Args:
        excerpts: Excerpts of poems.
        pairs: Image-poem pairs.
        photographs: What is known of each of their photographs.

    Returns:
        Excerpts and pairs without those for training that are from a poem
        paired with a validation or test photograph, or have its words.
    """
    splits = {photo.image: photo.split for photo in photographs}
    held_images = {
        image
        for image, split in splits.items()
        if split in ("validation", "test")
    }
    held = [pair.poem for pair in pairs if pair.image in held_images]
    ids = {poem.id for poem in held if poem.id}
    words = {_words(poem.text) for poem in held}

    def is_free(poem: Poem, split: str) -> bool:
        is_held = poem.id in ids or _words(poem.text) in words
        return split != "train" or not is_held

    return (
        [poem for poem in excerpts if is_free(poem, poem.split)],
        [pair for pair in pairs if is_free(pair.poem, splits[pair.image])],
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.lower().split())
