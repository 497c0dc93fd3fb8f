import json
import pathlib

import pytest
from PIL import Image

from recipes import fit_ranking
from tests import tiny

KINDS = ("sea", "night", "meadow", "forest")


@pytest.fixture
def sheets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = pathlib.Path("photographs")
    folder.mkdir()
    for kind in KINDS:
        (folder / f"{kind}.jpg").write_bytes(tiny.photograph(kind))
    fit_ranking.main(
        fit_ranking.Config(
            photographs=(folder,),
            model=tiny.exported(),
            form="verse",
            num_photographs=3,
            run_dir=pathlib.Path("sheets"),
        )
    )
    return pathlib.Path("sheets")


def test_readers_picks_become_weights(sheets):
    assert [path.name for path in sheets.glob("*.png")] == ["sheet01.png"]
    with Image.open(sheets / "sheet01.png") as sheet:
        assert sheet.size == (1500, 1650)
    rows = json.loads((sheets / "key.json").read_text())
    assert len(rows) == 3
    for row in rows:
        assert len(row) == 9
        assert sum(candidate["is_first"] for candidate in row) == 3
        assert {candidate["setting"] for candidate in row} == {0, 1, 2}
    answers = {}
    for number, row in enumerate(rows, 1):  # a reader who looks at fit alone
        order = sorted(range(9), key=lambda index: -row[index]["fit"])
        best, second, *_, last = (place + 1 for place in order)
        answers[number] = {"best": best, "second": second, "broken": [last]}
    pathlib.Path("answers.json").write_text(json.dumps(answers))
    fit_ranking.main(
        fit_ranking.Config(
            analyse=(pathlib.Path("answers.json"),),
            key=sheets / "key.json",
            run_dir=pathlib.Path("fitted"),
        )
    )
    results = json.loads(pathlib.Path("fitted/results.json").read_text())
    assert results["answers"] == 3
    assert results["weights"]["fit"] == pytest.approx(1)  # and not -1
    shares = results["settings"].values()
    assert sum(share["best"] for share in shares) > 0


def test_nothing_to_do():
    with pytest.raises(ValueError, match="--photographs, or --analyse"):
        fit_ranking.Config()
    with pytest.raises(ValueError, match="Received: 3 and 1"):
        fit_ranking.Config(
            photographs=(pathlib.Path("p"),), temperatures=(0.5,)
        )
