import pytest

from visualpoet.export import checking
from visualpoet.finetuning import tuning


class Run:
    """Keeps what is logged."""

    def __init__(self, path):
        self.path = path
        self.said = []

    def log(self, message):
        self.said.append(message)


def test_a_voice_that_fails_its_check_is_an_error(tmp_path, monkeypatch):
    results = [
        checking.Result("One point.", ""),
        checking.Result("Another.", "no signature"),
    ]
    monkeypatch.setattr(checking, "check_export", lambda folder: results)
    run = Run(tmp_path)
    with pytest.raises(ValueError, match="fails in 1 of its points, see .*log"):
        tuning.check(run, tmp_path / "voice")
    assert run.said == ["One point. passed", "Another. FAILED: no signature"]
    results.pop()
    tuning.check(run, tmp_path / "voice")
