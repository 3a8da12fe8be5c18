"""Print the whole book as one PDF: _build/backpropagation-checked.pdf, with bookmarks and links that stay inside it.

    python tools/pdf.py [--html _build/html] [--out FILE]

Chromium prints each page of the built book; pypdf joins them in the order of _toc.yml, and turns links between pages
into jumps. Chromium is the only thing needed beyond the environment: on the PATH, or named by BACKPROP_CHROMIUM.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import io
import os
import re
import shutil
import sys
import threading
import time
from html import escape
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, FloatObject, NameObject, NullObject

ROOT = Path(__file__).resolve().parents[1]
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
]
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
  asked.style.cssText = "font-size: 1px; line-height: 1px; color: transparent";
  for (const id of wanted) if (document.getElementById(id)) {
    const link = document.createElement("a");
    link.href = `#${id}`;
    link.textContent = ".";
    asked.append(link);
  }
  document.querySelector(".bd-article").append(asked);
  await Promise.all(pictures.map((picture) => picture.decode().catch(() => null)));
  await document.fonts.ready;
  return document.title.split(" — ")[0];
}
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and prints nothing."""

    def log_message(self, *arguments: object) -> None:
        """Print nothing."""


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


def chromium() -> str | None:
    named = os.environ.get("BACKPROP_CHROMIUM")
    names = [named] if named else ["chromium", "chromium-browser", "google-chrome", "chrome"]
    return next(filter(None, map(shutil.which, names)), None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--html", type=Path, default=ROOT / "_build" / "html")
    parser.add_argument("--out", type=Path, default=ROOT / "_build" / "backpropagation-checked.pdf")
    arguments = parser.parse_args()
    path = chromium()
    if path is None:
        print(
            "pdf: Chromium is missing: the HTML book is complete, only its PDF needs a browser to print it "
            "(Debian: apt-get install chromium; another one: BACKPROP_CHROMIUM=/path/to/chrome).",
            file=sys.stderr,
        )
        return 1
    from playwright.sync_api import sync_playwright

    started, html = time.perf_counter(), arguments.html.resolve()
    pages = {name: html / f"{name}.html" for name in listed_pages() if (html / f"{name}.html").is_file()}
    wanted = asked_for(pages)
    handler = functools.partial(Quiet, directory=str(html))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_playwright() as driver:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}/"
        browser = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        printouts = [(name, *printed(browser, f"{base}{name}.html", wanted[name])) for name in pages]
        browser.close()
        server.shutdown()
    writer = joined(base, printouts)
    writer.add_metadata({"/Title": "Backpropagation, checked", "/Author": "the backprop-course authors"})
    writer.write(arguments.out)
    size, seconds = arguments.out.stat().st_size / 1e6, time.perf_counter() - started
    print(f"The PDF is printed ({len(writer.pages)} pages, {size:.1f} MB, {seconds:.0f} s): {arguments.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
