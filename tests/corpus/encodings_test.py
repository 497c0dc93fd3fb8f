import pytest

from visualpoet.corpus.encodings import decode

ENGLISH = "She won’t tell\nthe “tide”\nof us — or him"
TEXTS = [
    ("windows-1252", ENGLISH),
    ("windows-1252", "un café"),
    ("windows-1252", "La lune est là, très pâle\noù dort l’été"),
    ("windows-1252", "Über den Hügeln\nliegt Stille, die Vögel"),
    (
        "windows-1250",
        "Večer přišel tiše\nměsíc svítí nad řekou\nžluté listí padá",
    ),
    ("windows-1251", "Лодка плывёт домой\nещё светит луна\nи море молчит"),
    ("koi8-r", "Лодка плывёт домой\nещё светит луна\nи море молчит"),
    ("windows-1253", "το κύμα στην ακτή\nκαι το φεγγάρι ψηλά"),
    ("iso-8859-2", "Łódź płynie nocą\nksiężyc świeci nad Wisłą"),
    ("macroman", ENGLISH),
    ("macroman", "Über den Hügeln\nliegt Stille, schöne Vögel"),
    ("cp437", "Über den Hügeln\nliegt Stille, schöne Vögel"),
    ("windows-1255", "הים כחול\nהלילה שקט מאוד"),
    ("cp932", "月の舟\n静かな海を\n渡りゆく"),
    ("gb18030", "月亮照着大海\n风吹过山岗\n船慢慢回家"),
    ("big5", "月亮照著大海\n風吹過山岡\n船慢慢回家"),
    ("cp949", "달이 바다를 비추고\n바람이 산을 넘는다"),
]


@pytest.mark.parametrize(("encoding", "text"), TEXTS)
def test_encodings_of_the_past_are_read(encoding, text):
    found, said = decode(text.encode(encoding))
    assert found == text
    if text != "un café":  # which several encodings spell alike
        assert said == encoding


@pytest.mark.parametrize("text", [ENGLISH, "naïve", "月の舟", "🌊", "a"])
@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-32", "utf-32"),
    ],
)
def test_unicode_is_read(encoding, said, text):
    assert decode(text.encode(encoding)) == (text, said)


def test_nothing_is_no_text():
    assert decode(b"") == ("", "utf-8")


@pytest.mark.parametrize(
    "encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]
)
def test_unicode_without_a_mark_is_read(encoding):
    assert decode(ENGLISH.encode(encoding)) == (ENGLISH, encoding)


def test_marks_of_joined_files_and_the_end_mark_of_dos_are_no_text():
    content = "\ufeffone\n".encode() + "\ufefftwo\n\x1a".encode()
    assert decode(content) == ("one\ntwo\n", "utf-8")
    content = "one\n".encode("utf-16") + "two".encode("utf-16")
    assert decode(content) == ("one\ntwo", "utf-16")


def test_a_few_strange_bytes_do_not_change_the_encoding():
    content = "é à ü ".encode() + b"don\x92t"
    assert decode(content) == ("é à ü don\udc92t", "utf-8")


def test_half_a_character_does_not_change_the_encoding():
    content = "é \ud83d".encode("utf-8", "surrogatepass")
    assert decode(content) == ("é \udced\udca0\udcbd", "utf-8")


def test_nul_does_not_change_the_encoding():
    assert decode(b"one\0\ntwo and three") == ("one\0\ntwo and three", "utf-8")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (bytes(range(256)), "bytes that are text in no encoding"),
        ("one".encode("utf-16")[:-1], "expected a text in utf-16, as its"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xfe\x90", "expected a text"),
    ],
)
def test_bytes_that_are_no_text(content, reason):
    with pytest.raises(ValueError, match=reason):
        decode(content)
