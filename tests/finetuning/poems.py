"""A corpus of small poems, and the base that learns them, for tests."""

import functools

from tests import tiny
from visualpoet.finetuning import base

THINGS = "sea moon road hill rain fox lamp boat star leaf snow bird".split()
COLOURS = ("grey", "silver", "narrow")
POEMS = [
    f"The {colour} {thing} is far from me,\nI saw the {thing} go by;\n"
    f"A {colour} harmonica at dawn\nWill sing to the {thing} and sigh."
    for thing in THINGS
    for colour in COLOURS
]


def write(folder, poems=POEMS, encodings=("utf-8",)):
    """One file a poem."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, poem in enumerate(poems):
        encoding = encodings[number % len(encodings)]
        content = poem if isinstance(poem, bytes) else poem.encode(encoding)
        (folder / f"{number:02}.txt").write_bytes(content)
    return folder


@functools.cache
def base_poet():
    """The base that voices begin from; nobody changes it."""
    return base.read_poet(tiny.exported())
