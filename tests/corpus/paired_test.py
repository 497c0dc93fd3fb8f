from visualpoet.corpus import paired
from visualpoet.corpus.records import ImagePoemPair
from visualpoet.corpus.records import Photograph
from visualpoet.corpus.records import Poem

PHOTOGRAPHS = [
    Photograph("a.jpg"),
    Photograph("b.jpg", "test"),
    Photograph("c.jpg", "validation"),
    Photograph("d.jpg", "none"),
]


def pair(image, text, source=""):
    return ImagePoemPair(image, Poem(text, source))


def test_poems_of_pairs_have_the_forms_of_their_sources():
    poems = [Poem("rain", "1", form="haiku"), Poem("wind", form="verse")]
    pairs = [pair("a.jpg", "rain", "1"), pair("a.jpg", "wind")]
    forms = [p.poem.form for p in paired.name_forms(pairs, poems)]
    assert forms == ["haiku", ""]


def test_what_evaluation_photographs_are_paired_with_is_left_out():
    excerpts = [
        Poem("rain\nand wind", "1"),
        Poem("the second stanza", "1"),
        Poem("Snow\nfalls", "2"),
        Poem("a thaw", "3"),
        Poem("a thaw", "3", "test"),
        Poem("sun", "4"),
        Poem("moon", "5"),
        Poem("no id"),
    ]
    pairs = [
        pair("b.jpg", "rain", "1"),
        pair("c.jpg", "snow falls"),
        pair("c.jpg", "thaw", "3"),
        pair("a.jpg", "sun", "4"),
        pair("a.jpg", "Snow\nfalls"),
        pair("a.jpg", "another stanza", "1"),
        pair("d.jpg", "moon", "5"),
    ]
    kept, kept_pairs = paired.leave_out_held(excerpts, pairs, PHOTOGRAPHS)
    assert [poem.text for poem in kept] == ["a thaw", "sun", "moon", "no id"]
    assert kept[0].split == "test"
    assert kept_pairs == [*pairs[:4], pairs[6]]
