import pytest

from visualpoet.corpus.plain_text import clean_text
from visualpoet.corpus.plain_text import split_title

STANZA = "it comes in\nit goes out"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a\r\nb\rc\nd\x85e\u2028f\u2029g\vh\fi", "a\nb\nc\nd\ne\nf\ng\nh\ni"),
        ("a\r\r\nb", "a\nb"),
        ("a\r\rb", "a\n\nb"),
        ("a\n\u200b\n\xa0\n \t\nb", "a\n\n\n\nb"),
        ("\n\na\n\n", "a"),
        ("a\n\n\nb", "a\n\n\nb"),
    ],
)
def test_line_breaks(text, plain):
    assert clean_text(text) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("salt &amp; sea", "salt & sea"),
        ("don&#8217;t", "don’t"),
        ("don&#x2019;t", "don’t"),
        ("don&#146;t", "don’t"),
        ("don&amp;#8217;t", "don’t"),
        ("don&amp;amp;rsquo;t", "don’t"),
        ("a&nbsp;b &mdash; c", "a\xa0b — c"),
        ("AT&T; R&D &unknown; &", "AT&T; R&D &unknown; &"),
        ("a&#13;b", "a\nb"),
        ("a&lt;br/&gt;b", "a\nb"),
    ],
)
def test_entities(text, plain):
    assert clean_text(text) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a<br>b<br/>c<BR />d</br>e", "a\nb\nc\nd\ne"),
        ('a <br clear="all"> b', "a\nb"),
        ("a<br />\nb<br>\r\nc", "a\nb\nc"),
        ("a<br><br>b", "a\n\nb"),
        ("<p>a<br>b</p><p>c</p>", "a\nb\n\nc"),
        ("<div class='x'>\n<p>a</p>\n\n<p>b</p>\n</div>", "a\n\nb"),
        ('<i>a</i> <B>b</B><span style="x: y">c</span>', "a bc"),
        ('<a href="http://x.org">a</a><!-- note -->', "a"),
        ("a <3 b > c <d> <I love you>", "a <3 b > c <d> <I love you>"),
    ],
)
def test_tags(text, plain):
    assert clean_text(text) == plain


@pytest.mark.parametrize(
    "tag", ["<html>", "<!doctype x>", "<script>", "<TABLE>"]
)
def test_page_of_html(tag):
    with pytest.raises(ValueError, match=f"a page of HTML, with {tag[:5]}"):
        clean_text(f"{tag}a<br>b")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (r"a\nb\n\nc", "a\nb\n\nc"),
        (r"a\r\nb\rc", "a\nb\nc"),
        (r"a\\nb", "a\nb"),
        ("a\\n\nb", "a\n\nb"),
        (r"don\'t \"so\"", 'don\'t "so"'),
        ("a/n b \\ c", "a/n b \\ c"),
    ],
)
def test_line_breaks_and_quotation_marks_as_programs_write_them(text, plain):
    assert clean_text(text) == plain


def test_line_breaks_of_two_kinds():
    with pytest.raises(ValueError, match="expected line breaks of one kind"):
        clean_text("a\n\\noindent b")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"Tide\n\n{STANZA}", ("Tide", "", STANZA)),
        (f"Tide\n \n\n{STANZA}\n\nx", ("Tide", "", f"{STANZA}\n\nx")),
        (f"  Tide.  \n\n{STANZA}", ("Tide.", "", STANZA)),
        (
            "It Comes In,\n\nit comes in,\nit goes",
            ("It Comes In,", "", "it comes in,\nit goes"),
        ),
        (f"Tide\nby N. N.\n\n{STANZA}", ("Tide", "N. N.", STANZA)),
        (f"Tide\n\nBy N. N.\n\n{STANZA}", ("Tide", "N. N.", STANZA)),
    ],
)
def test_titles(text, found):
    assert split_title(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Tide",
        STANZA,
        f"{STANZA}\n\n{STANZA}",
        "one\n\ntwo\n\nthree",
        "one\n\ntwo",
        f"one,\n\n{STANZA}",
        f"one —\n\n{STANZA}",
        f"one\nby one\ngo\n\n{STANZA}",
        f"{'long ' * 17}\n\n{STANZA}",
    ],
)
def test_verses_are_no_titles(text):
    assert split_title(text) == ("", "", text)
