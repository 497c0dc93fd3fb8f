"""Poems from photographs.

Importing this package is cheap: TensorFlow is loaded by `visualpoet.load`.
"""

from visualpoet.pictures import PictureError
from visualpoet.poet import Poet
from visualpoet.poet import load
from visualpoet.version import __version__
from visualpoet.written_poem import Candidate
from visualpoet.written_poem import WrittenPoem

__all__ = [
    "Candidate",
    "PictureError",
    "Poet",
    "WrittenPoem",
    "__version__",
    "load",
]
