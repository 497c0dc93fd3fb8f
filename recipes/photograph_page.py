"""Photograph the page of a running server, for the README.

    visualpoet serve &
    python recipes/photograph_page.py --run-dir docs/pictures

Needs Playwright (extra `test`) and Chromium.
"""

import dataclasses
import pathlib
import shutil

from visualpoet import extras
from visualpoet import run_options
from visualpoet.run_options import option

with extras.needs("test"):
    from playwright import sync_api


@dataclasses.dataclass(frozen=True)
class Config:
    """Photograph the page of a running server, for the README."""

    run_dir: pathlib.Path = option(pathlib.Path("out/page"), "output")
    address: str = option("http://127.0.0.1:8501", "of the server")
    photographs: tuple[pathlib.Path, ...] = option(
        tuple(
            pathlib.Path(f"docs/pictures/{name}.jpg")
            for name in ("mountain", "sea", "meadow", "night")
        ),
        "of the album; the first one is open",
    )
    width: int = option(1280, "of the window, in pixels")
    height: int = option(620, "of the window, in pixels")


def _photograph(browser: sync_api.Browser, config: Config) -> bytes:
    size = {"width": config.width, "height": config.height}
    page = browser.new_page(viewport=size, reduced_motion="reduce")
    page.goto(config.address)
    page.set_input_files("#chosen", list(map(str, config.photographs)))
    page.wait_for_selector("body:not([data-busy]) #poem li", timeout=120_000)
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    return page.screenshot(type="jpeg", quality=88)


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.

    Raises:
        SystemExit: If there is no Chromium.
    """
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("expected chromium on the PATH")
    config.run_dir.mkdir(parents=True, exist_ok=True)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"]
        )
        picture = _photograph(browser, config)
        browser.close()
    (config.run_dir / "page.jpg").write_bytes(picture)


if __name__ == "__main__":
    main(run_options.parse_config(Config))
