import numpy as np
import pytest
import tokenizers

from tests import bert
from visualpoet.corpus.records import Photograph
from visualpoet.evaluation import reader
from visualpoet.evaluation.cross_encoder import begin_with

SHOWN = ["a dog", "the sea", "a dog on the sea"]
POEMS = ["A dog\nBarks", "Sea gull", "The sea\nThe gull\nThe dog"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bert")
    bert.write(folder, ["a", "dog", "barks", "sea", "gull", "the", "/", "on"])
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    return reader.Reader(begin_with(folder), tokenizer)


@pytest.mark.parametrize(
    ("captions", "said"),
    [
        (["aaaa .", "b", "cc", "ddd", "eeeeeeee"], "aaaa. cc"),
        (["a dog", "it"], "a dog"),
        (["A dog runs ."], "A dog runs"),
        ([], "sea"),
    ],
)
def test_a_photograph_is_described_by_captions_or_its_class(captions, said):
    photograph = Photograph("a.jpg", label="sea", captions=tuple(captions))
    assert reader.describe(photograph) == said


def test_a_haiku_is_read_as_one_line_behind_what_is_shown(trained):
    pair = trained.pair(SHOWN[:1], POEMS[:1])
    words = [trained.tokenizer.id_to_token(i) for i in pair["token_ids"][0]]
    assert " ".join(words) == "[CLS] a dog [SEP] a dog / barks [SEP]"
    assert pair["segment_ids"].tolist() == [[0, 0, 0, 0, 1, 1, 1, 1, 1]]


def test_what_is_shown_is_cut_and_not_the_haiku(trained):
    pair = trained.pair(["dog " * 200], POEMS[2:])
    assert pair["token_ids"].shape == (1, reader.MAX_TOKENS)
    assert pair["segment_ids"].sum() == 9  # eight words and [SEP]


def test_a_grade_depends_on_its_own_pair_alone(trained):
    alone = [trained.grade([s], [p])[0] for s, p in zip(SHOWN, POEMS)]
    np.testing.assert_allclose(trained.grade(SHOWN, POEMS), alone, rtol=1e-4)
    assert np.ptp(alone) > 1e-3


def test_it_is_the_same_when_it_is_loaded(trained, tmp_path):
    trained.save(tmp_path)
    loaded = reader.load_reader(tmp_path)
    expected = trained.grade(SHOWN, POEMS)
    np.testing.assert_allclose(loaded.grade(SHOWN, POEMS), expected, rtol=1e-6)


def test_without_one_it_says_what_to_run(tmp_path):
    with pytest.raises(FileNotFoundError, match="run recipes/train_reader.py"):
        reader.load_reader(tmp_path)
