import dataclasses
import pathlib
import sys

import pytest

from visualpoet import run_options
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Train something."""

    run_dir: pathlib.Path = option(pathlib.Path("out/run"), "output")
    num_steps: int = option(5, "train steps")
    rate: float = option(0.5, "share of steps, 50 % by default")
    name: str = option("", "what to call it")
    words: tuple[str, ...] = option(("a", "b"), "words to use")
    files: tuple[pathlib.Path, ...] = option((), "files to read")
    shuffle: bool = option(True, "shuffle 100 % of the rows")
    resume: bool = option(False, "go on")

    def __post_init__(self):
        if self.num_steps < 1:
            raise ValueError(
                f"expected num_steps >= 1. Received: {self.num_steps}"
            )


def test_defaults():
    assert run_options.parse_config(Config, []) == Config()
    assert Config().words == ("a", "b")


def test_every_type_is_parsed():
    config = run_options.parse_config(
        Config,
        "--run-dir out/x --num-steps 7 --rate 1e-3 --name n --words c "
        "--files p/q r --no-shuffle --resume".split(),
    )
    assert config == Config(
        run_dir=pathlib.Path("out/x"),
        num_steps=7,
        rate=0.001,
        name="n",
        words=("c",),
        files=(pathlib.Path("p/q"), pathlib.Path("r")),
        shuffle=False,
        resume=True,
    )


def test_tuple_may_be_emptied():
    assert run_options.parse_config(Config, ["--words"]).words == ()


def test_command_line_is_the_default(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["train.py", "--num-steps", "9"])
    assert run_options.parse_config(Config).num_steps == 9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--num-steps", "0"], "expected num_steps >= 1. Received: 0"),
        (["--num-steps", "few"], "invalid int value: 'few'"),
        (["--colour", "red"], "unrecognized arguments: --colour red"),
    ],
)
def test_wrong_options_end_with_exit_code_2(capsys, arguments, message):
    with pytest.raises(SystemExit) as error:
        run_options.parse_config(Config, arguments)
    assert error.value.code == 2
    assert message in capsys.readouterr().err


def test_help_is_complete(capsys):
    with pytest.raises(SystemExit) as error:
        run_options.parse_config(Config, ["--help"])
    assert error.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "Train something." in text
    assert "share of steps, 50 % by default (default: 0.5)" in text
    assert "--no-shuffle shuffle 100 % of the rows" in text
    assert "output (default: out/run)" in text
