"""The page in a real browser, against a real server with the tiny poet."""

import json
import pathlib
import re
import shutil

import pytest

from tests import tiny

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="needs playwright: pip install playwright"
)
expect = sync_api.expect
TIMEOUT = 60_000  # ms; only what never comes fails
expect.set_options(timeout=TIMEOUT)

BROWSER = next(
    filter(
        None,
        map(shutil.which, ("chromium", "chromium-browser", "google-chrome")),
    ),
    None,
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        BROWSER is None,
        reason="needs chromium, chromium-browser or google-chrome on the PATH",
    ),
]

PICTURES = pathlib.Path(__file__).parents[2] / "docs" / "pictures"
SEA = str(PICTURES / "sea.jpg")
PNG = b"\x89PNG\r\n\x1a\n"
# What forms the page sends; the browser does not tell of files in them.
LISTEN = """
const send = window.fetch;
window.sent = [];
window.fetch = async (address, request) => {
  if (request.body instanceof FormData) {
    const {photograph, ...controls} = Object.fromEntries(request.body);
    const {width, height} = await createImageBitmap(photograph);
    window.sent.push({controls, bytes: photograph.size, size: [width, height]});
  }
  return send(address, request);
};
"""


@pytest.fixture
def address(server):
    return server.rest + "/"


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox"]
        )
        yield started
        started.close()


class Visit:
    """The page opened, and what went on there that must not."""

    def __init__(self, browser, address, **options):
        self.context = browser.new_context(
            reduced_motion="reduce", **({"viewport": None} | options)
        )
        self.context.set_default_timeout(TIMEOUT)
        self.context.add_init_script(LISTEN)
        self.page = self.context.new_page()
        self.requests = []
        self.complaints = []
        self.page.on("request", lambda r: self.requests.append(r.url))
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))
        # Only whoever listens from the start hears the first one for sure.
        self.page.on("filechooser", lambda chooser: None)
        self.page.goto(address)

    def _hear(self, message):
        # The browser itself reports every answer that is an error.
        if message.type in ("error", "warning") and not message.text.startswith(
            "Failed to load resource"
        ):
            self.complaints.append(message.text)

    @property
    def lines(self):
        return self.page.locator("#poem .text").all_inner_texts()

    def show(self, *pictures):
        self.page.set_input_files("#chosen", pictures or SEA)
        self.rest()

    def rest(self):
        """Waits until a poem stands and nothing is under way."""
        self.page.wait_for_selector("body:not([data-busy]) #poem li")

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()

    def set(self, name, value):
        """Moves a slider or fills a field, and waits for the new poem."""
        field = self.page.locator(f"#{name}")
        if not field.is_visible():
            self.page.get_by_text("Options").click()
        with self.page.expect_response("**/v1/poems") as answer:
            field.fill(value)
            field.dispatch_event("change")
        answer.value.finished()
        self.rest()

    def sent(self):
        """The form sent last."""
        return self.page.evaluate("() => window.sent.at(-1)")


@pytest.fixture
def visit(browser, address):
    opened = Visit(browser, address, viewport={"width": 1440, "height": 900})
    yield opened
    opened.context.close()
    assert opened.complaints == []
    elsewhere = [
        url
        for url in opened.requests
        if not url.startswith((address, "blob:" + address))
    ]
    assert elsewhere == []


def fail_with(visit, status, body="{}"):
    visit.page.route(
        "**/v1/*", lambda route: route.fulfill(status=status, body=body)
    )


# --- a poem for a photograph


def test_a_chosen_picture_brings_a_poem_and_clues(visit):
    visit.show()
    assert 2 <= len(visit.lines) <= 4
    assert all(visit.lines)
    clues = visit.page.locator("#clues").inner_text()
    assert len(clues.split(", ")) == 6
    assert visit.page.locator("#photograph").evaluate("i => i.naturalWidth") > 0


def test_lines_are_told_to_screen_readers(visit):
    visit.show()
    told = visit.page.get_by_role("log")
    assert told.locator("p").all_text_contents() == visit.lines


def test_the_poem_is_the_one_that_python_writes(visit):
    visit.show()
    visit.set("seed", "7")
    assert visit.lines == list(tiny.poet().write(SEA, seed=7).lines)


def test_another_poem_is_another_and_undo_brings_back_the_first(visit):
    visit.show()
    first = visit.lines
    visit.press("Another poem")
    seed = visit.page.locator("#seed")
    expect(seed).to_have_value("1")
    visit.page.wait_for_selector("body:not([data-busy]) #poem li")
    assert visit.lines != first
    visit.press("Undo")
    assert visit.lines == first
    expect(seed).to_have_value("0")
    visit.press("Another poem")
    expect(seed).to_have_value("1")


def test_a_dropped_picture_brings_a_poem(visit):
    visit.page.evaluate(
        """async (bytes) => {
            const files = new DataTransfer();
            const file = [new Uint8Array(bytes)];
            files.items.add(new File(file, "a.jpg", {type: "image/jpeg"}));
            document.body.dispatchEvent(new DragEvent("drop",
                {dataTransfer: files, bubbles: true, cancelable: true}));
        }""",
        list(pathlib.Path(SEA).read_bytes()),
    )
    visit.rest()
    assert visit.lines


def test_a_pasted_picture_brings_a_poem(visit):
    visit.page.evaluate(
        """async (bytes) => {
            const files = new DataTransfer();
            const file = [new Uint8Array(bytes)];
            files.items.add(new File(file, "a.jpg", {type: "image/jpeg"}));
            document.body.dispatchEvent(new ClipboardEvent("paste",
                {clipboardData: files, bubbles: true}));
        }""",
        list(pathlib.Path(SEA).read_bytes()),
    )
    visit.rest()
    assert visit.lines


def test_a_camera_can_be_used(visit):
    taken = visit.page.locator("#taken")
    assert taken.get_attribute("capture") == "environment"
    taken.set_input_files(SEA)
    visit.rest()
    assert visit.lines


def test_large_photographs_are_sent_small_and_upright(visit, tmp_path):
    picture = tiny.decode(pathlib.Path(SEA).read_bytes()).resize((3000, 2000))
    exif = picture.getexif()
    exif[0x0112] = 6  # to be turned by a quarter to the right
    large = tmp_path / "large.jpg"
    picture.save(large, quality=100, subsampling=0, exif=exif)
    assert large.stat().st_size > 1e6
    visit.show(str(large))
    sent = visit.sent()
    assert sent["size"] == [683, 1024]
    assert sent["bytes"] < 5e5


def test_small_photographs_are_sent_as_they_are(visit):
    visit.show()
    assert visit.sent()["bytes"] == pathlib.Path(SEA).stat().st_size


# --- variations


def test_an_opening_line_is_kept(visit):
    visit.show()
    visit.set("opening", "the sea is calm tonight")
    assert visit.lines[0] == "the sea is calm tonight"
    assert len(visit.lines) > 1


def test_sliders_are_sent_once_they_are_moved(visit):
    visit.show()
    assert visit.sent()["controls"] == {"seed": "0"}
    visit.set("temperature", "1.2")
    assert visit.sent()["controls"] == {"seed": "0", "temperature": "1.2"}


def test_a_form_is_chosen_among_those_of_the_model(visit):
    visit.show()
    expect(visit.page.locator("#voice")).to_have_count(0)
    options = visit.page.locator("#form option")
    assert options.all_text_contents() == ["verse", "haiku"]
    visit.page.get_by_text("Options").click()
    with visit.page.expect_response("**/v1/poems") as answer:
        visit.page.select_option("#form", "haiku")
    answer.value.finished()
    visit.rest()
    assert visit.sent()["controls"] == {"form": "haiku", "seed": "0"}
    assert len(visit.lines) == 2


def test_a_voice_is_chosen_among_the_models(browser, voices):
    visit = Visit(browser, voices.rest)
    visit.show()
    verse = visit.lines
    assert verse == list(tiny.poet().write(SEA).lines)
    visit.page.get_by_text("Options").click()
    voice = visit.page.get_by_label("Voice")
    forms = visit.page.locator("#form option")
    assert voice.locator("option").all_text_contents() == ["tiny", "haiku"]
    assert forms.all_text_contents() == ["verse", "haiku"]
    with visit.page.expect_response("**/v1/poems") as answer:
        voice.select_option("haiku")
    answer.value.finished()
    visit.rest()
    assert visit.sent()["controls"] == {"voice": "haiku", "seed": "0"}
    haiku = visit.lines
    assert haiku == list(tiny.poet().write(SEA, form="haiku").lines)
    assert forms.all_text_contents() == ["haiku"]
    visit.press("Write line 1 again")
    visit.rest()
    assert visit.lines[0] != haiku[0] and visit.lines[1:] == haiku[1:]
    visit.press("Undo")
    visit.press("Undo")
    assert visit.lines == verse
    expect(voice).to_have_value("tiny")
    assert forms.all_text_contents() == ["verse", "haiku"]
    visit.press("Write line 2 again")
    visit.rest()
    assert visit.lines[0] == verse[0] and visit.lines[1] != verse[1]
    visit.context.close()
    assert visit.complaints == []


def test_lines_are_as_many_as_asked_for(visit):
    visit.show()
    for number in (1, 5):
        visit.set("lines", str(number))
        assert len(visit.lines) == number


def test_one_line_is_written_again_and_the_others_stay(visit):
    visit.show()
    visit.set("lines", "3")
    before = visit.lines
    visit.press("Write line 2 again")
    visit.rest()
    after = visit.lines
    assert (after[0], after[2]) == (before[0], before[2])
    assert after[1] != before[1]
    visit.press("Undo")
    assert visit.lines == before


def test_one_more_line_is_added_at_the_end(visit):
    visit.show()
    visit.set("lines", "2")
    before = visit.lines
    visit.press("One more line")
    visit.rest()
    assert visit.lines[:2] == before
    assert len(visit.lines) == 3


def test_versions_are_shown_with_scores_and_one_can_be_taken(visit):
    visit.show()
    visit.press("Compare versions")
    versions = visit.page.locator("#candidates > li")
    expect(versions).to_have_count(8)
    first = versions.first.locator(".poem").inner_text()
    assert first == "\n".join(visit.lines)
    expect(versions.locator("dl").first).to_be_hidden()
    visit.page.get_by_text("Scores").click()
    scores = [
        float(text.replace("\N{MINUS SIGN}", "-"))
        for text in versions.locator("[data-name=score]").all_inner_texts()
    ]
    assert scores == sorted(scores, reverse=True)
    assert versions.locator("[data-name=fluency]").first.inner_text()
    wanted = versions.nth(1).locator(".poem").inner_text()
    visit.press("Use this one, version 2")
    assert "\n".join(visit.lines) == wanted
    chosen = visit.page.get_by_role("button", name="Chosen, version 2")
    expect(chosen).to_be_visible()
    visit.press("Undo")  # they were of the poem that is gone
    expect(chosen).to_be_hidden()
    assert "\n".join(visit.lines) == first


# --- taking it along


def test_the_poem_is_copied(visit):
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.show()
    visit.press("Copy")
    expect(visit.page.get_by_role("status")).to_have_text("Copied.")
    copied = visit.page.evaluate("() => navigator.clipboard.readText()")
    assert copied == "\n".join(visit.lines)


def test_the_card_is_a_picture_with_the_photograph_and_the_poem(visit):
    visit.show()
    with visit.page.expect_download() as download:
        visit.press("Save as a picture")
    assert download.value.suggested_filename == "sea-poem.png"
    content = pathlib.Path(download.value.path()).read_bytes()
    assert content.startswith(PNG)
    card = tiny.decode(content).convert("RGB")
    sea = tiny.decode(pathlib.Path(SEA).read_bytes())
    assert card.width == 1200
    margin, scale = 90, (1200 - 2 * 90) / sea.width
    middle = sea.getpixel((sea.width // 2, sea.height // 4))
    drawn = card.getpixel((600, round(margin + scale * sea.height / 4)))
    assert max(abs(a - b) for a, b in zip(middle, drawn)) < 24
    beneath = card.crop((0, round(margin + scale * sea.height) + 2, 1200, 9999))
    assert beneath.convert("L").getextrema()[0] < 80  # ink


SHARE = """
navigator.canShare = () => true;
navigator.share = async ({text, files: [{name, type}]}) => {
  window.shared = {text, name, type};
};
"""


def test_poem_and_card_are_shared_where_there_is_a_way(visit):
    visit.page.add_init_script(SHARE)
    visit.page.reload()
    visit.show()
    visit.press("Share")
    visit.page.wait_for_function("() => window.shared")
    assert visit.page.evaluate("() => window.shared") == {
        "text": "\n".join(visit.lines),
        "name": "sea-poem.png",
        "type": "image/png",
    }


# --- several photographs, and what is kept of them


def test_an_album_keeps_each_photograph_with_its_poem(visit, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8 no picture")
    visit.show(str(broken), SEA, str(PICTURES / "night.jpg"))
    problem = visit.page.get_by_role("alert")
    expect(problem).to_contain_text("broken.jpg is not a picture")
    visit.press("Another poem")
    visit.rest()
    sea = visit.lines
    visit.press("Photograph 2, night")
    visit.rest()
    assert visit.lines != sea
    visit.press("Photograph 1, sea")
    visit.rest()
    assert visit.lines == sea
    expect(visit.page.locator("#album button")).to_have_count(2)
    visit.press("Undo")
    expect(visit.page.locator("#seed")).to_have_value("0")


def test_the_last_poems_are_kept_until_they_are_cleared(visit):
    visit.page.get_by_role("button", name="The sea", exact=True).click()
    visit.rest()
    visit.press("Another poem")
    visit.rest()
    poem = "\n".join(visit.lines)
    kept = visit.page.evaluate("() => localStorage['visualpoet.poems']")
    assert [one["poem"] for one in json.loads(kept)] == [poem]
    assert len(kept) < 12_000
    many = [
        {"began": n, "poem": str(n), "thumbnail": "data:,"} for n in range(20)
    ]
    visit.page.evaluate(
        "all => localStorage['visualpoet.poems'] = all", json.dumps(many)
    )
    visit.press("Another poem")
    visit.rest()
    visit.page.reload()
    poems = visit.page.locator("#keepsakes .poem")
    expect(poems).to_have_count(12)
    visit.press("Clear all")
    expect(poems).to_have_count(0)
    expect(visit.page.get_by_text("Your last poems")).to_be_hidden()


def test_what_stays_in_view_covers_nothing(browser, address):
    visit = Visit(browser, address, viewport={"width": 1280, "height": 800})
    visit.show()
    visit.page.get_by_text("Options").click()
    visit.press("Compare versions")
    gap = visit.page.evaluate(
        """() => document.querySelector("#versions").getBoundingClientRect().top
        - document.querySelector("#seen").getBoundingClientRect().bottom"""
    )
    visit.context.close()
    assert gap >= 0


# --- by keyboard, and on phones


def test_the_keyboard_is_enough(visit):
    page = visit.page
    page.keyboard.press("Tab")
    expect(
        page.get_by_role("button", name="Choose photographs")
    ).to_be_focused()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(SEA)
    visit.rest()
    expect(page.get_by_role("heading", name="Poem", exact=True)).to_be_focused()
    before = visit.lines
    page.keyboard.press("Tab")
    again = page.get_by_role("button", name="Write line 1 again")
    expect(again).to_be_focused()
    outline = again.evaluate("b => getComputedStyle(b).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    visit.rest()
    assert visit.lines[1:] == before[1:]
    assert visit.lines[0] != before[0]
    expect(again).to_be_focused()
    for _ in before:
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Another poem")).to_be_focused()


def test_everything_that_can_be_used_has_a_name(visit):
    visit.show()
    visit.page.get_by_text("Options").click()
    usable = visit.page.locator("button:visible, input:visible")
    names = usable.evaluate_all(
        "all => all.map(e => e.ariaLabel || e.labels?.[0]?.textContent"
        " || e.textContent.trim())"
    )
    assert len(names) > 12
    assert all(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_text_stands_out_from_the_paper(browser, address, colours):
    visit = Visit(browser, address, color_scheme=colours)
    visit.show()
    seen = visit.page.evaluate(
        """() => ["#poem .text", "#clues", "summary", "#undo"].map((s) =>
            [getComputedStyle(document.querySelector(s)).color,
             getComputedStyle(document.body).backgroundColor])"""
    )
    visit.context.close()
    assert all(contrast(*pair) >= 4.5 for pair in seen), seen


def contrast(*colours):
    """Of two `rgb(r, g, b)`, as WCAG defines it."""
    luminances = []
    for colour in colours:
        shares = [int(n) / 255 for n in re.findall(r"\d+", colour)[:3]]
        linear = [
            s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4
            for s in shares
        ]
        weighted = zip((0.2126, 0.7152, 0.0722), linear)
        luminances.append(sum(w * s for w, s in weighted))
    dark, light = sorted(luminances)
    return (light + 0.05) / (dark + 0.05)


def answer_at_length(page):
    """Answers as the server, with lines longer than any poet's."""
    long = "a line of fifty words and one " * 4 + "and incomprehensibly" * 4
    candidate = {
        "poem": long,
        "score": -10.25,
        "fit": -0.5,
        "fluency": -10.0,
        "clue_share": 0.5,
    }
    events = [
        ("clues", {"clues": [long] * 6, "token": "T"}),
        ("line", {"line": long, "number": 1}),
        ("done", {"poem": long, "candidates": [candidate] * 8}),
    ]
    stream = "".join(
        f"event: {n}\ndata: {json.dumps(d)}\n\n" for n, d in events
    )
    page.route("**/v1/poems", lambda route: route.fulfill(body=stream))


@pytest.mark.parametrize("width", [320, 390])
def test_phones_need_no_sideways_scrolling(browser, address, width):
    visit = Visit(
        browser,
        address,
        viewport={"width": width, "height": 844},
        has_touch=True,
        is_mobile=True,
    )
    page = visit.page
    expect(page.get_by_role("button", name="Take a photograph")).to_be_visible()
    wide = "() => document.documentElement.scrollWidth"
    widths = [page.evaluate(wide)]
    answer_at_length(page)
    visit.show()
    page.get_by_text("Options").click()
    visit.press("Compare versions")
    expect(page.locator("#candidates > li")).to_have_count(8)
    widths.append(page.evaluate(wide))
    visit.context.close()
    assert widths == [width, width]


# --- when it goes wrong


def test_a_broken_file_is_told_and_the_poem_stays(visit, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8 no picture")
    visit.page.set_input_files("#chosen", str(broken))
    problem = visit.page.get_by_role("alert")
    expect(problem).to_contain_text("not a picture")
    visit.show()
    expect(problem).to_be_empty()
    before = visit.lines
    visit.page.set_input_files("#chosen", str(broken))
    expect(problem).to_contain_text("not a picture")
    assert visit.lines == before


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (413, "too large"),
        (429, "try again"),
        (503, "try again"),
        (400, "The server refused: no such word"),
        (500, "accident"),
    ],
)
def test_refusals_are_told_in_words(visit, status, words):
    fail_with(visit, status, '{"error": "no such word"}')
    visit.page.set_input_files("#chosen", SEA)
    expect(visit.page.get_by_role("alert")).to_contain_text(words)


def test_a_refusal_takes_no_poem_away(visit):
    visit.show()
    before = visit.lines
    fail_with(visit, 429)
    visit.press("Another poem")
    expect(visit.page.get_by_role("alert")).to_contain_text("try again")
    assert visit.lines == before


def test_a_broken_file_in_place_of_a_poem_brings_back_the_last(visit, tmp_path):
    visit.show()
    before = visit.lines
    visit.page.route("**/v1/poems", lambda route: None)  # never answered
    visit.press("Another poem")
    assert visit.lines == []
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8 no picture")
    visit.page.set_input_files("#chosen", [str(broken)] * 2)
    problem = visit.page.get_by_role("alert")
    expect(problem).to_contain_text("broken.jpg is not a picture")
    assert visit.lines == before
    visit.press("Copy")  # a button says what it does, alone
    expect(problem).to_be_empty()


def test_a_server_that_is_gone_is_told(visit):
    visit.page.route("**/v1/*", lambda route: route.abort())
    visit.page.set_input_files("#chosen", SEA)
    expect(visit.page.get_by_role("alert")).to_contain_text("cannot be reached")


def test_lines_of_a_refused_photograph_are_not_those_of_another(visit):
    visit.show()
    fail_with(visit, 429)
    visit.page.set_input_files("#chosen", str(PICTURES / "night.jpg"))
    expect(visit.page.get_by_role("alert")).to_contain_text("try again")
    visit.page.unroute("**/v1/*")
    assert visit.lines == []
    button = visit.page.get_by_role("button", name="One more line")
    expect(button).to_have_attribute("aria-disabled", "true")
    visit.press("Another poem")
    visit.page.wait_for_selector("body:not([data-busy])")
    button = visit.page.get_by_role("button", name="Write line 1 again")
    expect(button).to_have_attribute("aria-disabled", "false")


BREAK = """
window.fetch = async () => new Response(new ReadableStream({
  start(stream) {
    const text = 'event: line\\ndata: {"line": "the first", "number": 1}\\n\\n';
    stream.enqueue(new TextEncoder().encode(text));
  },
  pull(stream) { stream.error(new TypeError("network error")); },
}));
"""


def test_a_connection_that_breaks_in_the_middle_is_told(visit):
    visit.page.evaluate(BREAK)
    visit.page.set_input_files("#chosen", SEA)
    expect(visit.page.get_by_role("alert")).to_contain_text("connection broke")


def test_an_error_in_the_middle_of_a_poem_is_told(visit):
    stream = (
        'event: clues\ndata: {"clues": ["sea"], "token": "T"}\n\n'
        'event: line\ndata: {"line": "the first", "number": 1}\n\n'
        'event: error\ndata: {"error": "no time left"}\n\n'
    )
    fail_with(visit, 200, stream)
    visit.page.set_input_files("#chosen", SEA)
    expect(visit.page.get_by_role("alert")).to_contain_text("no time left")
    assert visit.lines == ["the first"]


POST = """
address => fetch(address, {method: "POST", mode: "no-cors", body: "{}"})
  .then(() => null, () => null)
"""


@pytest.mark.parametrize("path", ["v1/poems", "v1/models/tiny:predict"])
def test_a_page_of_another_origin_is_refused(browser, address, path):
    with browser.new_context(bypass_csp=True) as context:
        page = context.new_page()
        page.goto(address.replace("127.0.0.1", "localhost"))
        with page.expect_response(address + path) as found:
            page.evaluate(POST, address + path)
        assert found.value.status == 403
