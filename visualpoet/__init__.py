"""Poems from photographs.

Importing this package is cheap: TensorFlow is loaded by `visualpoet.load`.
"""

from visualpoet.pictures import PictureError
from visualpoet.poet import Candidate
from visualpoet.poet import Poet
from visualpoet.poet import WrittenPoem
from visualpoet.poet import load

__all__ = ["Candidate", "PictureError", "Poet", "WrittenPoem", "load"]
__version__ = "0.1.0"
