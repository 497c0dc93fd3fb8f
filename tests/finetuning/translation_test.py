import re

import numpy as np
import pytest

from tests import tiny
from tests.finetuning import poems
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.finetuning import corpus
from visualpoet.finetuning import translation
from visualpoet.finetuning.options import Options

# Sea, night; a token of no meaning.
TEXTS = ["海夜海\n夜夜海\n哉海夜", "夜海哉\n海海\n夜"]
GLOSSES = {"海": "sea", "夜": "night, the night"}


@pytest.fixture(scope="module")
def poet():
    return poems.base_poet()


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary.train(TEXTS, 100, "character")


@pytest.fixture(scope="module")
def translated(poet, vocabulary):
    return translation.translate_poet(poet, vocabulary, GLOSSES, TEXTS)


def test_poems_lie_where_their_glosses_do(poet, vocabulary, translated):
    found = translated.poem_tower(np.array([vocabulary.encode("海\n海")]))
    expected = poet.poem_tower(np.array([poet.vocabulary.encode("sea\nsea")]))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_vectors_begin_as_the_means_of_glosses(poet, vocabulary, translated):
    rows = translation.weigh_glosses(poet, vocabulary, GLOSSES)
    sea, night, nothing = (vocabulary.encode(t)[0] for t in "海夜哉")
    assert rows[sea, poet.vocabulary.encode("sea")[0]] == 1.0
    assert rows[night].sum() == pytest.approx(1.0)
    assert not rows[nothing].any()
    before, after = (
        p.generator.get_layer("token_embedding").embeddings.numpy()
        for p in (poet, translated)
    )
    np.testing.assert_array_equal(
        after[sea], before[poet.vocabulary.encode("sea")[0]]
    )
    np.testing.assert_array_equal(after[:4], before[:4])
    np.testing.assert_array_equal(
        after[vocabulary.line_break], before[poet.vocabulary.line_break]
    )


def test_glosses_are_read_as_poems_are(poet):
    vocabulary = Vocabulary.train(["Meer und Nacht"] * 3, 100, "word")
    glosses = {"Meer": "sea", "Nacht": "night", "hohe See": "sea", "und": "x"}
    rows = translation.weigh_glosses(poet, vocabulary, glosses)
    said = {
        vocabulary.tokens[row]: poet.vocabulary.tokens[column]
        for row, column in np.argwhere(rows)
    }
    assert said == {"meer": "sea", "nacht": "night"}
    with pytest.raises(ValueError, match="Received: 1 of which none is"):
        translation.weigh_glosses(poet, vocabulary, {"Berg": "mountain"})


def test_clues_are_tokens_that_mean_them(poet, vocabulary, translated):
    (place,) = poet.vocabulary.encode("sea")
    column = poet.clue_head.word_ids.index(place)
    words = translated.clue_head.word_ids
    assert sorted(vocabulary.tokens[i] for i in words) == ["夜", "海"]
    photograph = np.random.default_rng(0).normal(size=[2, 9])
    found = translated.clue_head(photograph)
    expected = poet.clue_head(photograph)[:, column]
    sea = words.index(vocabulary.encode("海")[0])
    np.testing.assert_allclose(found[:, sea], expected, atol=1e-4)


def test_of_tokens_for_one_clue_one_is_chosen(poet):
    vocabulary = Vocabulary.train(["海洋夜\n夜夜海\n洋海夜"], 100, "character")
    glosses = GLOSSES | {"洋": "sea"}
    head = translation.translate_poet(
        poet, vocabulary, glosses, TEXTS
    ).clue_head
    assert head.num_clues == 3
    photographs = np.random.default_rng(0).normal(size=[20, 9])
    for words in head.choose(photographs):
        chosen = "".join(vocabulary.tokens[word] for word in words)
        assert chosen in ("海夜洋", "洋夜海", "夜海洋", "夜洋海")


def test_what_it_sees_stays(poet, translated):
    assert translated.visual_encoder is poet.visual_encoder
    assert translated.image_tower is poet.image_tower
    for name in ("see_image", "first_state", "decoder"):
        before, after = (
            p.generator.get_layer(name).get_weights()
            for p in (poet, translated)
        )
        for earlier, value in zip(before, after):
            np.testing.assert_array_equal(earlier, value)


def test_another_language_needs_glosses(tmp_path):
    letters = "天地玄黃宇宙洪荒日月盈昃辰宿列張寒來暑往"
    texts = [f"{letter}明月光\n疑是地\n上霜" for letter in letters]
    found = corpus.read_corpus(poems.write(tmp_path, texts), "", False)
    options = Options(tmp_path)
    with pytest.raises(
        ValueError,
        match=r"or --glosses, .*Received: .*100% of whose words \(CJK\)",
    ):
        translation.choose_vocabulary(tiny.vocabulary(), found, options)
    options = Options(tmp_path, glosses="glosses.csv")
    vocabulary = translation.choose_vocabulary(
        tiny.vocabulary(), found, options
    )
    assert vocabulary.level == "character"
    trained = {*"".join(found.texts("train"))} - {"\n"}
    assert len(vocabulary) == 4 + 1 + len(trained)


def test_glosses_of_several_rows_are_joined(tmp_path):
    path = tmp_path / "glosses.csv"
    path.write_text(
        "\ufefftoken,reading,gloss\n海,hai,sea\n海,hai,ocean\n夜,ye,\n",
        encoding="utf-8",
    )
    assert translation.read_glosses(path) == {"海": "sea ocean", "夜": ""}
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(
        ValueError,
        match=re.escape(
            f"columns token and gloss. Received: {path}, with a, b"
        ),
    ):
        translation.read_glosses(path)
