import base64
import html.parser
import json

import pytest
from PIL import Image

from tests.tiny import decode
from tests.tiny import encode
from visualpoet import output
from visualpoet.corpus.records import Poem
from visualpoet.embedding.retrieval import FoundPoem
from visualpoet.written_poem import Candidate
from visualpoet.written_poem import WrittenPoem

BEST = Candidate("Über the sea\nthe gulls", 0.5, 0.7, -2.0)
SECOND = Candidate("Two\nlines", 0.25, 0.5, -2.5)
POEM = WrittenPoem(
    BEST.poem,
    BEST.score,
    BEST.fit,
    BEST.fluency,
    clues=("sea", "gull"),
    seed=3,
    candidates=(BEST, SECOND),
)
CONTENT = encode(Image.new("RGB", (1200, 600), (255, 0, 0)), "JPEG")
GOOD = output.Entry("sea.jpg", CONTENT, POEM)
BAD = output.Entry("no.jpg", error="no.jpg: No such file or directory")
AS_DICT = {
    "photograph": "sea.jpg",
    "poem": "Über the sea\nthe gulls",
    "score": 0.5,
    "fit": 0.7,
    "fluency": -2.0,
    "clues": ["sea", "gull"],
    "seed": 3,
    "candidates": [
        {
            "poem": "Über the sea\nthe gulls",
            "score": 0.5,
            "fit": 0.7,
            "fluency": -2.0,
        },
        {"poem": "Two\nlines", "score": 0.25, "fit": 0.5, "fluency": -2.5},
    ],
}
BAD_AS_DICT = {
    "photograph": "no.jpg",
    "error": "no.jpg: No such file or directory",
}


def render(entries, output_format, many=True):
    return "".join(output.render(entries, output_format, many))


def test_formats():
    assert output.FORMATS == ("text", "json", "jsonl", "html")


def test_text_of_one_photograph_is_the_poem():
    assert render([GOOD], "text", False) == "Über the sea\nthe gulls\n"


def test_text_of_many_photographs_names_them_and_leaves_out_errors():
    assert render([GOOD, BAD, GOOD], "text") == (
        "# sea.jpg\n\nÜber the sea\nthe gulls\n\n"
        "# sea.jpg\n\nÜber the sea\nthe gulls\n\n"
    )


def test_json_is_one_list():
    text = render([GOOD, BAD], "json")
    assert json.loads(text) == [AS_DICT, BAD_AS_DICT]
    assert "Über" in text
    assert text.endswith("]\n")


def test_json_of_nothing_is_an_empty_list():
    assert json.loads(render([], "json")) == []


def test_json_lines_have_one_line_a_photograph():
    lines = render([BAD, GOOD], "jsonl").splitlines()
    assert [json.loads(line) for line in lines] == [BAD_AS_DICT, AS_DICT]


@pytest.mark.parametrize("output_format", ["text", "jsonl"])
def test_text_and_json_lines_are_passed_on_as_they_come(output_format):
    def entries():
        yield GOOD
        raise RuntimeError("asked for the second before giving the first")

    assert "gulls" in next(output.render(entries(), output_format, True))


class _Page(html.parser.HTMLParser):
    """Collects tags with their attributes, and text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def test_page_shows_photographs_poems_and_errors():
    page = _Page(render([GOOD, BAD], "html"))
    assert "Über the sea\nthe gulls" in page.text
    assert "sea.jpg · seed 3 · sea, gull" in page.text
    assert "no.jpg: No such file or directory" in page.text
    assert {"class": "error"} in page.all("div")
    assert len(page.all("article")) == 2
    assert len(page.all("img")) == 1


def test_page_of_found_poems_names_their_sources():
    found = (
        FoundPoem(Poem("Waves\nroll", title="Sea", author="N. N."), 0.456),
        FoundPoem(Poem("Gulls\n<cry>", id="gulls"), 0.1),
    )
    page = _Page(
        render([output.Entry("sea.jpg", CONTENT, found=found), BAD], "html")
    )
    assert len(page.all("img")) == 1
    for text in ("Waves\nroll", "sea.jpg · Sea, N. N. · fit 0.46"):
        assert text in page.text
    for text in ("Gulls\n<cry>", "sea.jpg · gulls · fit 0.10"):
        assert text in page.text
    assert "no.jpg: No such file or directory" in page.text


def test_page_carries_the_photographs_itself():
    (image,) = _Page(render([GOOD], "html")).all("img")
    kind, _, data = image["src"].partition(",")
    assert kind == "data:image/jpeg;base64"
    picture = decode(base64.b64decode(data, validate=True))
    assert picture.size == (960, 480)
    assert picture.getpixel((5, 5))[0] > 250
    page = render([GOOD, BAD], "html")
    assert "http" not in page.replace(data, "")


def test_page_escapes_what_photographs_are_called_and_poems_say():
    script = "<script>alert(1)</script>"
    name = f'"{script}.jpg'
    poem = WrittenPoem(
        script, 0.0, 0.0, 0.0, clues=(script,), seed=0, candidates=()
    )
    page = render(
        [output.Entry(name, CONTENT, poem), output.Entry(name, error=script)],
        "html",
    )
    assert "<script" not in page
    parsed = _Page(page)
    assert parsed.all("img")[0]["alt"] == name
    assert parsed.text.count(script) == 4
