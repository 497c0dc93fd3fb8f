import dataclasses
import json
import re
import shutil

import pytest

from recipes import human_study
from recipes import smoke_data
from tests import tiny_runs

CHROMIUM = shutil.which("chromium")
KINDS = ("rating", "turing_with_photograph", "turing_without_photograph")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Two methods that wrote for the five photographs of the split."""
    root = tmp_path_factory.mktemp("out")
    listed = (tiny_runs.made().corpus / "photographs.jsonl").read_text()
    photographs = list(map(json.loads, listed.splitlines()))
    for method in ("no_discriminator", "i2p_gan"):
        folder = root / "methods" / method / "seed0"
        folder.mkdir(parents=True)
        rows = [
            {"photograph": row["image"], "poem": f"A {method[:2]} poem,\nsalt"}
            for row in photographs
            if row["split"] == "validation"
        ]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "poems.jsonl").write_text(text)
    human_study.main(config(root))
    return root


def config(root, **options):
    paths = tiny_runs.made()
    return dataclasses.replace(
        human_study.Config(
            runs=root / "methods",
            photographs=(paths.pictures,),
            corpus_dir=paths.corpus,
            run_dir=root / "study",
            rated=1,
            pairs=2,
        ),
        **options,
    )


@pytest.fixture
def key(root):
    return json.loads((root / "study" / "key.json").read_text())


def by_kind(key):
    return {study["kind"]: study["items"] for study in key.values()}


def page_of(root, kind):
    return (root / "study" / f"{kind}.html").read_text(encoding="utf-8")


def content_of(page):
    return json.loads(re.search(r'id="study">(.*?)</script>', page, re.S)[1])


def test_files(root):
    assert {path.name for path in (root / "study").iterdir()} == {
        "config.json",
        "environment.json",
        "inputs.json",
        "key.json",
        "log.txt",
        *(f"{kind}.html" for kind in KINDS),
    }


def test_no_photograph_is_in_two_studies(key):
    photographs = [
        {item["photograph"] for item in items.values()}
        for items in by_kind(key).values()
    ]
    assert [len(some) for some in photographs] == [1, 2, 2]
    assert len(set.union(*photographs)) == 5


def test_all_methods_and_the_human_poem_are_rated(root, key):
    methods = [item["method"] for item in by_kind(key)["rating"].values()]
    assert sorted(methods) == ["human", "i2p_gan", "no_discriminator"]
    shown = content_of(page_of(root, "rating"))["items"]
    human = {item["id"]: item["poem"] for item in shown}
    (item,) = [
        name
        for name, hidden in by_kind(key)["rating"].items()
        if hidden["method"] == "human"
    ]
    photograph = by_kind(key)["rating"][item]["photograph"]
    first = smoke_data.POEMS[photograph.split("-")[0]][1]  # held out
    assert human[item] == first.lower().replace(",", "").replace(
        ";", ""
    ).replace(".", "")


@pytest.mark.parametrize("kind", KINDS)
def test_pages_do_not_give_the_key_away(root, key, kind):
    page = page_of(root, kind)
    for word in ("i2p", "no_disc", ".jpg", "seed0", "method"):
        assert word not in page
    assert content_of(page)["items"][0]["id"] in by_kind(key)[kind]


def test_too_few_photographs_is_an_error(root, tmp_path):
    with pytest.raises(ValueError, match="expected 7 photographs.*Received: 5"):
        human_study.main(config(root, rated=3, run_dir=tmp_path / "study"))


def test_an_unknown_machine_is_an_error(root, tmp_path):
    with pytest.raises(ValueError, match="no_discriminator, i2p_gan. Received"):
        human_study.main(
            config(root, machine="seqgan", run_dir=tmp_path / "study")
        )


def test_photographs_or_answers_are_needed():
    with pytest.raises(ValueError, match="--photographs, or --analyse"):
        human_study.Config()


# --- in a browser


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM:
        pytest.skip("needs chromium on PATH")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def rater(browser):
    """A rater of her own: nothing of other raters is in her storage."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


def address(root, kind):
    return (root / "study" / f"{kind}.html").as_uri()


def shown_item(root, page, kind):
    """The item on the screen, found by its text as a reader would."""
    items = content_of(page_of(root, kind))["items"]
    texts = page.locator(".poem").all_text_contents()
    if kind == "rating":
        (found,) = [item for item in items if [item["poem"]] == texts]
    else:
        (found,) = [
            item
            for item in items
            if sorted(poem["poem"] for poem in item["poems"]) == sorted(texts)
        ]
    return found


def save(page, folder, button="Save answers"):
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def rate_all(root, page, key, folder, scores):
    """Rates with the keyboard alone; `scores` says how by method."""
    page.goto(address(root, "rating"))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for _ in range(3):
        item = shown_item(root, page, "rating")
        score = scores[by_kind(key)["rating"][item["id"]]["method"]]
        for digit in score:
            page.keyboard.press("Tab")
            page.keyboard.press(digit)
        page.keyboard.press("Enter")
    assert page.locator("#summary").text_content() == "3 of 3 answered."
    return save(page, folder)


def choose_all(root, page, key, folder, kind, chosen):
    page.goto(address(root, kind))
    page.get_by_role("button", name="Begin").click()
    for method in chosen:
        item = shown_item(root, page, kind)
        poems = {poem["id"]: poem["poem"] for poem in item["poems"]}
        hidden = by_kind(key)[kind][item["id"]]["poems"]
        (wanted,) = [poems[name] for name in poems if hidden[name] == method]
        texts = page.locator(".poem").all_text_contents()
        page.keyboard.press(str(1 + texts.index(wanted)))
        page.keyboard.press("Enter")
    return save(page, folder)


@pytest.mark.browser
def test_scripted_raters_and_their_analysis(root, browser, key, tmp_path):
    scores = [
        {"human": "9876", "i2p_gan": "5432", "no_discriminator": "3210"},
        {"human": "+876", "i2p_gan": "5434", "no_discriminator": "3212"},
    ]
    machine, human = ["human", "i2p_gan"], ["human", "human"]
    files = []
    for score, chosen in zip(scores, (machine, human)):
        context = browser.new_context()
        page = context.new_page()
        files.append(rate_all(root, page, key, tmp_path, score))
        for kind in KINDS[1:]:
            files.append(choose_all(root, page, key, tmp_path, kind, chosen))
        context.close()
    assert len(set(files)) == 6
    human_study.main(
        human_study.Config(
            analyse=tuple(files),
            key=root / "study" / "key.json",
            run_dir=tmp_path / "analysis",
        )
    )
    results = json.loads((tmp_path / "analysis" / "results.json").read_text())
    rating = results["rating"]
    assert (rating["raters"], rating["ratings"]) == (2, 6)
    means = {
        method: [scales[scale]["mean"] for scale in scales]
        for method, scales in rating["methods"].items()
    }
    assert means == {
        "human": [9.5, 8, 7, 6],
        "i2p_gan": [5, 4, 3, 3],
        "no_discriminator": [3, 2, 1, 1],
    }
    assert rating["alpha"]["coherence"] == 1.0
    # Units (9, 10), (5, 5), (3, 3): 2 within; of all six values sum 35, sum of
    # squares 249: 2 * (6 * 249 - 1225) / 5.
    assert rating["alpha"]["relevance"] == pytest.approx(1 - 2 / (538 / 5))
    for kind in KINDS[1:]:
        assert results[kind]["choices"] == 4
        assert results[kind]["human"] == 0.75


@pytest.mark.browser
def test_progress_is_kept(root, rater):
    rater.goto(address(root, "rating"))
    rater.get_by_role("button", name="Begin").click()
    for name in (
        "Relevance",
        "Coherence",
        "Imaginativeness",
        "Overall impression",
    ):
        rater.get_by_label(f"{name} 4").check()
    rater.get_by_role("button", name="Next").click()
    rater.get_by_label("Coherence 10").check()
    text = rater.locator("#poem").text_content()
    # Chromium writes storage a moment later; nobody reloads within it.
    rater.wait_for_timeout(1000)
    rater.reload()
    rater.get_by_text("2 of 3").wait_for()
    assert rater.locator("#poem").text_content() == text
    assert rater.get_by_label("Coherence 10").is_checked()
    assert not rater.get_by_label("Coherence 4").is_checked()
    rater.get_by_role("button", name="Back").click()
    assert rater.get_by_label("Overall impression 4").is_checked()


@pytest.mark.browser
def test_two_tabs_are_one_rater(root, rater):
    other = rater.context.new_page()
    for page in (rater, other):
        page.goto(address(root, "turing_with_photograph"))
    rater.get_by_role("button", name="Begin").click()
    rater.keyboard.press("1")
    rater.keyboard.press("Enter")
    other.get_by_text("2 of 2").wait_for()
    other.get_by_role("button", name="Back").click()
    assert other.locator("input:checked").count() == 1


@pytest.mark.browser
def test_a_poem_is_rated_on_every_scale(root, rater, tmp_path):
    rater.goto(address(root, "rating"))
    rater.get_by_role("button", name="Begin").click()
    rater.get_by_label("Relevance 3").check()
    rater.get_by_role("button", name="Next").click()
    assert rater.locator("#count").text_content() == "1 of 3"
    missing = rater.get_by_text("Please rate the poem on every scale.")
    assert missing.is_visible()
    focused = rater.evaluate("document.activeElement.name")
    assert focused == "coherence"
    # What is not complete is not saved.
    path = save(rater, tmp_path, "Save so far")
    assert json.loads(path.read_text())["answers"] == []


@pytest.mark.browser
def test_order_and_sides_are_shuffled_for_each_rater(root, browser):
    seen = set()
    for _ in range(12):
        context = browser.new_context()
        page = context.new_page()
        page.goto(address(root, "turing_without_photograph"))
        page.get_by_role("button", name="Begin").click()
        seen.add(tuple(page.locator(".poem").all_text_contents()))
        context.close()
    # Two items, two sides each.
    assert len(seen) > 2
    assert {tuple(sorted(texts)) for texts in seen} == {
        tuple(sorted(poem["poem"] for poem in item["poems"]))
        for item in content_of(page_of(root, "turing_without_photograph"))[
            "items"
        ]
    }


@pytest.mark.browser
@pytest.mark.parametrize("kind", KINDS)
def test_pages_fit_a_phone_and_ask_for_nothing(root, rater, kind):
    requests, errors = [], []
    rater.on("request", lambda request: requests.append(request.url))
    rater.on("pageerror", lambda error: errors.append(str(error)))
    rater.goto(address(root, kind))
    rater.get_by_role("button", name="Begin").click()
    width = rater.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    outside = [
        url for url in requests if not url.startswith(("file:", "data:"))
    ]
    assert outside == errors == []
    if kind != "turing_without_photograph":
        drawn = rater.evaluate("document.querySelector('img').naturalWidth")
        assert drawn > 0
