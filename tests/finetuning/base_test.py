import json
import shutil

import pytest

from tests import tiny
from visualpoet.finetuning import base


def test_a_form_is_one_that_the_base_has_learnt():
    options = base.read_options(tiny.exported())
    assert base.choose_form(options, "") == "verse"
    assert base.choose_form(options, "haiku") == "haiku"
    with pytest.raises(
        ValueError, match="learnt, of verse, haiku. Received: sonnet$"
    ):
        base.choose_form(options, "sonnet")


def test_an_export_without_forms_writes_as_its_defaults_say(tmp_path):
    extra = shutil.copytree(
        tiny.exported() / "assets.extra", tmp_path / "assets.extra"
    )
    said = json.loads((extra / "options.json").read_text())
    alone = {"seed": 0, "lines": 0, **said["forms"]["haiku"]}
    (extra / "options.json").write_text(json.dumps(alone))
    options = base.read_options(tmp_path)
    assert options == {"": tiny.HAIKU}
    assert base.choose_form(options, "") == ""
    with pytest.raises(ValueError, match="of none. Received: haiku$"):
        base.choose_form(options, "haiku")


def test_a_voice_begins_from_verse_unless_told_otherwise():
    folder = base.default_folder()
    assert folder.parent.name == "verse"
    assert list(base.read_options(folder)) == ["plain"]
