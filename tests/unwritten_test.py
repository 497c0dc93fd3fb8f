import visualpoet
from tests import tiny
from visualpoet import model_folders
from visualpoet import unwritten
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.corpus.vocabulary import Vocabulary

SEA = tiny.photograph("sea")


def test_each_is_one_word_of_a_vocabulary_that_ships():
    vocabularies = [
        Vocabulary.from_preset(model_folders.shipped_model(name))
        for name in ("visualpoet", "verse")
    ]
    for word in unwritten.WORDS:
        found = [vocabulary.encode(word) for vocabulary in vocabularies]
        assert all(len(token_ids) == 1 for token_ids in found), word
        assert any(token_ids[0] > UNKNOWN for token_ids in found), word


def test_they_are_added_to_what_a_model_leaves_out_itself():
    added = unwritten.leave_out({"banned": "sea", "lines": 4}, False)
    assert added["lines"] == 4
    assert added["banned"].split() == ["sea", *unwritten.WORDS]
    assert unwritten.leave_out({}, True) == {"banned": ""}


def test_a_poet_leaves_them_out_unless_told_otherwise(monkeypatch):
    plain = tiny.poet().write(SEA, candidates=2)
    word = plain.poem.lower().split()[0]
    monkeypatch.setattr(unwritten, "WORDS", (word,))
    model = tiny.exported()
    for ban in (None, "sea"):
        poem = visualpoet.load(model).write(SEA, candidates=2, ban=ban).poem
        assert word not in poem.lower().split()
    free = visualpoet.load(model, any_word=True).write(SEA, candidates=2)
    assert free == plain
