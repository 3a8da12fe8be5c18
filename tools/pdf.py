"""Print the whole book as one PDF: _build/backpropagation-checked.pdf, with bookmarks and links that stay inside it.

Beside it go two sheets, each on one page: the cheat sheet (A4) and every checked result (A1, for a wall). Copies lie in
the built book, and the page of the cheat sheet links to them, until the page is built anew.

    python tools/pdf.py [--html _build/html] [--out FILE] [--sheets-only]

Chromium prints each page of the built book; pypdf joins them in the order of _toc.yml, and turns links between pages
into jumps. Chromium is the only thing needed beyond the environment: on the PATH, or named by BACKPROP_CHROMIUM.
"""

from __future__ import annotations

import argparse
import bisect
import io
import re
import sys
import time
from html import escape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import yaml
from browsing import ARGUMENTS, MISSING, find_chromium, serving
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, FloatObject, NameObject, NullObject

ROOT = Path(__file__).resolve().parents[1]
PAPER = {"format": "A4", "margin": {"top": "17mm", "bottom": "19mm", "left": "18mm", "right": "18mm"}}
FOOTER = (
    '<div style="font: 8px sans-serif; color: #505c68; width: 100%; padding: 0 18mm; display: flex;'
    ' justify-content: space-between"><span>{title}</span><span class="pageNumber"></span></div>'
)
# What a click would do on a screen: all folds open, all pictures there, and nothing waits to be scrolled to. Chromium
# keeps only those targets of links that the same page links to, so each page links to those that other pages ask for.
PREPARE = """
async (wanted) => {
  document.documentElement.dataset.theme = "light";
  document.querySelectorAll("details").forEach((fold) => { fold.open = true; });
  const pictures = [...document.images];
  pictures.forEach((picture) => { picture.loading = "eager"; });
  const asked = document.createElement("div");
  // Nobody sees these, and they take no place: at the end of a page that is full they would be a page of their own.
  asked.style.cssText = "position: absolute; top: 0; font-size: 1px; line-height: 1px";
  for (const id of wanted) if (document.getElementById(id)) {
    const link = document.createElement("a");
    link.href = `#${id}`;
    link.textContent = ".";
    link.style.cssText = "color: transparent; text-decoration: none";
    asked.append(link);
  }
  document.querySelector(".bd-article").append(asked);
  await Promise.all(pictures.map((picture) => picture.decode().catch(() => null)));
  await document.fonts.ready;
  return document.title.split(" — ")[0];
}
"""


class Sheet(NamedTuple):
    """A part of a page that is printed alone, on one sheet of paper."""

    words: str
    file: str  # in _build, and beside the page
    part: str  # the class of its box on the page
    paper: dict[str, object]
    columns: int
    without: str  # what the page has besides


EDGES = {"margin": dict.fromkeys(("top", "bottom", "left", "right"), "8mm")}
SHEET = "book/cheat_sheet"
SHEETS = (
    Sheet(
        *("The cheat sheet on one page", "backpropagation-cheat-sheet.pdf", "cheat-sheet"),
        {"format": "A4", "landscape": True, **EDGES},
        columns=4,
        without=".bd-article section section",
    ),
    Sheet(
        *("Every checked result on one page", "backpropagation-every-result.pdf", "wall-chart"),
        {"width": "841mm", "height": "594mm", **EDGES},
        columns=9,
        without="#jb-print-docs-body h1, .bd-article .cheat-sheet, .bd-article h1 ~ p, .bd-article section section > p",
    ),
)
SHEET_STYLE = """
#jb-print-docs-body { margin: 0; padding: 0; }
#jb-print-docs-body :is(h1, section section > h2) { font-size: 1rem !important; margin: 0 !important; }
#jb-print-docs-body :is(h1, section section > h2) { text-align: left !important; font-weight: 700; }
#jb-print-docs-body :is(h1, section section > h2)::after { content: " · Backpropagation, checked"; font-weight: 400; }
.bd-article h1 ~ p { font-size: 0.62rem; margin: 0.25rem 0 0.4rem; max-width: none; }
.bd-article .results .sign { border: 0; padding: 0; min-height: 0; background: none; font-size: 0.52rem; }
.bd-article a { color: inherit; text-decoration: none; }
.d-print-none, footer, .bd-header-article, #jb-print-toc, .bd-article summary { display: none !important; }
.bd-main, .bd-content, .bd-article-container, .bd-article, .bd-page-width, section { margin: 0 !important;
  padding: 0 !important; max-width: none !important; }
"""
# Paper below half of the page's own size is read by nobody.
SCALES = [each / 100 for each in range(50, 131)]
SHEET_LINK = '<p class="sheet-pdf d-print-none"><a href="{}">{}</a> (PDF).</p>'


def listed_pages() -> list[str]:
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [contents["root"], *(each["file"] for part in contents.get("parts", []) for each in part["chapters"])]


def asked_for(pages: dict[str, Path]) -> dict[str, set[str]]:
    """The ids of each page to which some page links."""
    found: dict[str, set[str]] = {name: set() for name in pages}
    for path in pages.values():
        for address in re.findall(r'href="([^"]*#[^"]+)"', path.read_text(encoding="utf-8")):
            page, _, fragment = address.partition("#")
            goal = (path.parent / page).resolve() if page else path
            name = next((name for name, other in pages.items() if other == goal), None)
            if name and not urlsplit(page).scheme:
                found[name].add(unquote(fragment))
    return found


def printed(browser, address: str, wanted: set[str]) -> tuple[str, bytes]:
    """The title of a page, and the page on paper."""
    page = browser.new_page(viewport={"width": 1000, "height": 1400}, color_scheme="light")
    page.goto(address, wait_until="load")
    page.emulate_media(media="print")
    title = page.evaluate(PREPARE, sorted(wanted))
    footer = FOOTER.format(title=escape(title))
    settings = {"display_header_footer": True, "header_template": "<span></span>", "footer_template": footer}
    made = page.pdf(**PAPER, **settings, print_background=True, outline=True, tagged=True)
    page.close()
    return title, made


def on_one_page(browser, address: str, sheet: Sheet) -> bytes:
    """A sheet, as large as its paper holds it."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000}, color_scheme="light")
    page.goto(address, wait_until="load")
    page.emulate_media(media="print")
    page.evaluate(PREPARE, [])
    columns = f".bd-article .{sheet.part} {{ columns: {sheet.columns}; column-gap: 1.1rem; margin: 0; }}"
    page.add_style_tag(content=f"{SHEET_STYLE}{columns}\n{sheet.without} {{ display: none !important; }}")

    def at(scale: float) -> bytes:
        return page.pdf(**sheet.paper, scale=scale, print_background=True, tagged=True)

    def too_large(scale: float) -> bool:
        return len(PdfReader(io.BytesIO(at(scale))).pages) > 1

    fitting = bisect.bisect_left(SCALES, True, key=too_large)
    if not fitting:
        raise ValueError(f"{sheet.file} does not fit on one page, even at {SCALES[0]:.0%} of its size")
    made = at(SCALES[fitting - 1])
    page.close()
    return without_links(made)


def without_links(made: bytes) -> bytes:
    """The same pages; a sheet by itself has no other page to jump to."""
    writer = PdfWriter(clone_from=io.BytesIO(made))
    writer.remove_links()
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def linked(text: str, sheet: Sheet) -> str:
    """The page, with a link to the PDF before what is printed in it; a page that has one is left as it is."""
    link = SHEET_LINK.format(sheet.file, sheet.words)
    if link in text:
        return text
    place = f'<div class="{sheet.part}'
    if text.count(place) != 1:
        raise ValueError(f"the page has {place!r} {text.count(place)} times: expected once")
    return text.replace(place, link + place)


def joined(base: str, printouts: list[tuple[str, str, bytes]]) -> PdfWriter:
    """One book of the printouts (name, title, PDF): bookmarks below each title, links made jumps."""
    writer, places, first = PdfWriter(), {}, {}
    starts: list[tuple[int, str]] = []
    for name, title, data in printouts:
        reader = PdfReader(io.BytesIO(data))
        start = len(writer.pages)
        starts.append((start, name))
        first[name] = start
        for goal, destination in reader.named_destinations.items():
            number = reader.get_destination_page_number(destination)
            places[name, unquote(str(goal).removeprefix("/"))] = (start + number, destination.top)
        writer.append(reader, outline_item=title)
    for number, page in enumerate(writer.pages):
        own = next(name for start, name in reversed(starts) if start <= number)
        for link in (each.get_object() for each in page.get("/Annots") or ()):
            place = goal_of(link, own, base, places, first)
            if place is not None:
                at, top = place
                top = FloatObject(float(top)) if isinstance(top, (int, float)) else NullObject()
                jump = [writer.pages[at].indirect_reference, NameObject("/XYZ"), NullObject(), top, NullObject()]
                link.pop("/A", None)
                link[NameObject("/Dest")] = ArrayObject(jump)
    return writer


def goal_of(link, own: str, base: str, places: dict, first: dict) -> tuple[int, object] | None:
    """Where a link leads inside the book; None for links to elsewhere."""
    if "/Dest" in link and not isinstance(link["/Dest"], list):
        return places.get((own, unquote(str(link["/Dest"]).removeprefix("/"))))
    address = str(link.get("/A", {}).get("/URI", ""))
    if not address.startswith(base):
        return None
    target = urlsplit(address)
    name = target.path.lstrip("/").removesuffix(".html")
    if name not in first:
        return None
    return places.get((name, unquote(target.fragment)), (first[name], None))


def keep_sheet(made: bytes, sheet: Sheet, html: Path, folder: Path) -> None:
    """Write a sheet beside the book and into it, and link to it from its page."""
    page = html / f"{SHEET}.html"
    for each in (folder, page.parent):
        (each / sheet.file).write_bytes(made)
    page.write_text(linked(page.read_text(encoding="utf-8"), sheet), encoding="utf-8")
    print(f"{sheet.words} is printed ({len(made) / 1e3:.0f} kB): {folder / sheet.file}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--html", type=Path, default=ROOT / "_build" / "html")
    parser.add_argument("--out", type=Path, default=ROOT / "_build" / "backpropagation-checked.pdf")
    parser.add_argument("--sheets-only", action="store_true", help="print the two sheets and not the book")
    arguments = parser.parse_args()
    path = find_chromium()
    if path is None:
        print(f"pdf: {MISSING}: the HTML book is complete, only its PDF needs a browser to print it", file=sys.stderr)
        return 1
    from playwright.sync_api import sync_playwright

    started, html = time.perf_counter(), arguments.html.resolve()
    pages = {name: html / f"{name}.html" for name in listed_pages() if (html / f"{name}.html").is_file()}
    wanted = asked_for(pages)
    with serving(html) as address, sync_playwright() as driver:
        base = f"{address}/"
        browser = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        chosen = [] if arguments.sheets_only else pages
        printouts = [(name, *printed(browser, f"{base}{name}.html", wanted[name])) for name in chosen]
        sheets = [on_one_page(browser, f"{base}{SHEET}.html", sheet) for sheet in SHEETS]
        browser.close()
    for made, sheet in zip(sheets, SHEETS, strict=True):
        keep_sheet(made, sheet, html, arguments.out.parent)
    if arguments.sheets_only:
        return 0
    writer = joined(base, printouts)
    writer.add_metadata({"/Title": "Backpropagation, checked", "/Author": "the backprop-course authors"})
    writer.write(arguments.out)
    size, seconds = arguments.out.stat().st_size / 1e6, time.perf_counter() - started
    print(f"The PDF is printed ({len(writer.pages)} pages, {size:.1f} MB, {seconds:.0f} s): {arguments.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
