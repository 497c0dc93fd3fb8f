import visualpoet
from visualpoet import pictures
from visualpoet import poet
from visualpoet import written_poem


def test_exported_names():
    assert visualpoet.__all__ == [
        "Candidate",
        "PictureError",
        "Poet",
        "WrittenPoem",
        "__version__",
        "load",
    ]


def test_exported_names_are_those_of_the_modules():
    assert visualpoet.Candidate is written_poem.Candidate
    assert visualpoet.PictureError is pictures.PictureError
    assert visualpoet.Poet is poet.Poet
    assert visualpoet.WrittenPoem is written_poem.WrittenPoem
    assert visualpoet.load is poet.load
