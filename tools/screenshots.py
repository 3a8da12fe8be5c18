"""Take pictures of the built book's pages, to be looked at: as a phone and as a laptop, light and dark.

    python tools/screenshots.py                              every page
    python tools/screenshots.py book/02_matrix_form --dark --width 360 --open

A page is far longer than what a browser draws at once, so each picture is one stretch of it, in _build/screenshots.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from browsing import ARGUMENTS, find_chromium, serving
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from test_browser import HTML, NAMES  # noqa: E402 (the same pages as those that are tested)

FOLDER = ROOT / "_build" / "screenshots"
STRETCH = 2400
# Nothing waits until it is near, and nothing floats over what is below.
STILL = "*{content-visibility:visible !important} .bd-header,.bd-header-article{position:static !important}"


def stretches(browser: Browser, address: str, width: int, scheme: str, *, unfolded: bool) -> Iterator[bytes]:
    """The pictures of one page, from top to bottom."""
    page = browser.new_page(viewport={"width": width, "height": STRETCH}, color_scheme=scheme)
    page.set_default_timeout(120_000)
    page.goto(address)
    page.add_style_tag(content=STILL)
    if unfolded:
        page.evaluate("document.querySelectorAll('details').forEach((fold) => (fold.open = true))")
    page.evaluate("document.querySelectorAll('img').forEach((image) => (image.loading = 'eager'))")
    page.wait_for_load_state("networkidle")
    for top in range(0, page.evaluate("document.documentElement.scrollHeight"), STRETCH):
        page.evaluate("(top) => window.scrollTo({top, behavior: 'instant'})", top)
        page.wait_for_timeout(200)
        yield page.screenshot()
    page.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", help="as in book/02_matrix_form; default: every page")
    parser.add_argument("--width", type=int, action="append", help="default: 1280 and 360")
    parser.add_argument("--light", action="store_true", help="only light")
    parser.add_argument("--dark", action="store_true", help="only dark")
    parser.add_argument("--open", action="store_true", help="with every fold open")
    arguments = parser.parse_args()
    names = [f"{name.removesuffix('.html')}.html" for name in arguments.pages] or NAMES
    if unknown := sorted(set(names) - set(NAMES)):
        parser.error(f"expected pages of the built book, got {', '.join(unknown)}")
    schemes = [name for name in ("light", "dark") if getattr(arguments, name)] or ["light", "dark"]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with serving(HTML) as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        for name in names:
            for width in arguments.width or (1280, 360):
                for scheme in schemes:
                    stem = f"{name.removesuffix('.html').replace('/', '-')}-{width}-{scheme}"
                    taken = list(stretches(browser, f"{address}/{name}", width, scheme, unfolded=arguments.open))
                    for number, picture in enumerate(taken):
                        (FOLDER / f"{stem}-{number:02}.png").write_bytes(picture)
                    print(f"{stem}: {len(taken)} pictures", flush=True)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
