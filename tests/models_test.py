import inspect

from visualpoet import models


def test_exported_names():
    assert models.__all__ == [
        "ClueHead",
        "ImageTower",
        "MultimodalDiscriminator",
        "PoemGenerator",
        "PoemStyleDiscriminator",
        "PoemTower",
        "ReaderHead",
        "VisualEncoder",
        "Vocabulary",
    ]
    public = {name for name, _ in inspect.getmembers(models, inspect.isclass)}
    assert public == set(models.__all__)


def test_all_are_read_from_a_folder_alone():
    for name in models.__all__:
        from_preset = getattr(models, name).from_preset
        assert list(inspect.signature(from_preset).parameters) == ["folder"]
