import pathlib

import pytest

from visualpoet.finetuning.options import Options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patience": 0}, "--patience of 1 or more. Received: 0"),
        ({"epochs": 0}, "--epochs of 1 or more. Received: 0"),
        ({"batch_size": 0}, "--batch-size of 1 or more. Received: 0"),
        ({"allow_quotes": 0}, "--allow-quotes of 1 or more. Received: 0"),
        ({"interpolation": 1.5}, r"--interpolation in \[0, 1\]. Received: 1.5"),
        ({"level": "word"}, "--level with --glosses.*--level word alone"),
        ({"captions": "a.csv"}, "--captions with --photographs"),
        (
            {"captions": "a.csv", "photographs": ("b",), "pairs": "c.csv"},
            "without --pairs. Received: --captions a.csv",
        ),
    ],
)
def test_options_that_do_not_go_together(options, message):
    with pytest.raises(ValueError, match=message):
        Options(pathlib.Path("poems"), **options)
