import pytest

from tests import tiny
from tests.finetuning import poems
from visualpoet.finetuning import corpus
from visualpoet.finetuning import report


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("poems")
    texts = [*poems.POEMS, *poems.POEMS[:2], "Too short", "x" * 300]
    return corpus.read_corpus(poems.write(folder, texts), "", False)


def test_a_report_says_what_there_is(found):
    base = tiny.vocabulary()
    vocabulary = base.extend(found.texts("train"), 2, 4000)
    lines = list(
        report.make_report(found, base, vocabulary, "verse").describe()
    )
    assert lines[:4] == [
        "36 poems, 36 excerpts (4 validation, 28 train, 4 test), 144 lines, "
        "900 words",
        "script: LATIN",
        "duplicates left out: 2",
        "rejected: 2",
    ]
    assert lines[4].startswith("  39:40: expected lines of at most 200")
    assert lines[5].endswith("no excerpt of 3 to 10 lines: 1 (38)")
    assert lines[6] == "words unknown to the base: 32.3%"
    assert lines[7].startswith("vocabulary: 217 tokens of the base and 11 of ")
    assert lines[8:] == ["learnt as: verse"]
    fewer = vocabulary.keep(range(200))
    lines = list(report.make_report(found, base, fewer, "verse").describe())
    assert lines[7].startswith(
        "vocabulary: 200 tokens of the base, without 17 that the poems lack "
        "and photographs call for least, and 0 of"
    )


def test_words_of_a_script_without_blanks_are_its_characters(tmp_path):
    texts = [
        f"{letter}明月光\n疑是地\n上霜"
        for letter in "天地玄黃宇宙洪荒日月盈昃辰宿列張寒來暑往"
    ]
    found = corpus.read_corpus(poems.write(tmp_path, texts), "", False)
    assert found.script == "CJK"
    assert report.count_words(found) == 9 * 20
