"""The code of the pages, run in Chromium by the pages themselves: no server but one that hands out files.

The book is the one in _build/html (or BACKPROP_HTML), built with the runtime of tools/runtime.py. What was printed is
removed first: nothing printed passes for an answer. Times and bytes are printed (`pytest -s`), not asserted.
"""

import difflib
import functools
import http.server
import json
import os
import re
import time
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest

playwright = pytest.importorskip("playwright.sync_api")

from test_browser import ARGUMENTS, SIZES, Quiet, find_chromium, serving  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
HTML = Path(os.environ.get("BACKPROP_HTML") or ROOT / "_build" / "html")
MINUTES = 60_000


def listed_notebooks():
    """Every notebook of the contents."""
    named = re.findall(r"(?:file|root):\s*(\S+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [path for name in named if (path := ROOT / f"{name}.ipynb").is_file()]


def read(path):
    return nbformat.read(path, as_version=4)


NOTEBOOKS = {path.stem: path for path in listed_notebooks()}
RUNNABLE = [name for name, path in NOTEBOOKS.items() if not read(path).metadata.get("needs")]
NEEDY = [name for name in NOTEBOOKS if name not in RUNNABLE]
# Short and each with something that the others have not: records, refusals, SymPy's own output, the tour of the engine.
SAMPLE = [name for name in RUNNABLE if name in ("01_linear_layer", "why_not_just_diff", "intro")]

# What may differ from the stored outputs, and why; the release has another Python, NumPy, Matplotlib and mpmath.
DIFFERS: dict[tuple[str, int], str] = {}


class Isolated(Quiet):
    """A server whose pages may share memory with their workers, which lets Python hear an interrupt."""

    def end_headers(self):
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()


@contextmanager
def serving_isolated(folder):
    import threading

    handler = functools.partial(Isolated, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def book():
    told = HTML / "run" / "runtime.json"
    if not told.is_file() or not json.loads(told.read_text(encoding="utf-8"))["here"]:
        pytest.fail("the built book does not hold its own runtime: make runtime, then make book", pytrace=False)
    with serving(HTML) as address:
        yield address


class Reader:
    """A page being read, what it asked for, and what went wrong."""

    def __init__(self, page, home):
        self.page, self.home, self.problems, self.asked, self.bytes = page, home, [], [], 0
        page.on("request", self._on_request)
        page.on("response", self._on_response)
        page.on("pageerror", lambda error: self.problems.append(f"a script failed: {error}"))
        page.on("console", lambda said: said.type == "error" and self.problems.append(f"in the console: {said.text}"))

    def _on_request(self, request):
        self.asked.append(request.url)
        if not request.url.startswith((self.home, "data:", "blob:")):
            self.problems.append(f"a request to another host: {request.url}")

    def _on_response(self, response):
        if response.status >= 400:
            self.problems.append(f"a request answered {response.status}: {response.url}")

    def clear(self):
        """Remove everything that was printed by a cell."""
        self.page.evaluate("document.querySelectorAll('.cell_output').forEach((box) => box.replaceChildren())")

    def cell(self, place):
        """The box of a code cell, counted as the notebook counts (here without cells that the page leaves out)."""
        return self.page.locator(".bd-article .cell").nth(place)

    def state(self, place, wanted, seconds=120):
        self.page.wait_for_function(
            "([place, wanted]) => document.querySelectorAll('.bd-article .cell')[place].dataset.bpRun === wanted",
            arg=[place, wanted],
            timeout=seconds * 1000,
        )

    def run_whole(self):
        """Run every cell; what each of them showed, as a notebook would store it."""
        return self.page.evaluate(
            """async () => {
              const published = JSON.parse(document.querySelector('meta[name="bp-run"]').content);
              const {open} = await import(new URL(published.run, document.baseURI));
              const page = await open(published);
              const good = await page.run(page.cells);
              const told = ({text, ran, outputs}) => ({text, ran, outputs: outputs ?? []});
              return {good, cells: page.cells.map(told)};
            }"""
        )


@contextmanager
def reading(browser, address, size="laptop", **options):
    context = browser.new_context(viewport=SIZES[size], **options)
    context.set_default_timeout(3 * MINUTES)
    reader = Reader(context.new_page(), "/".join(address.split("/")[:3]))
    try:
        reader.page.goto(address)
        yield reader
    finally:
        context.close()


# Whole notebooks ------------------------------------------------------------------------------------------------------


def texts(outputs):
    """What an output says, kind by kind; pictures only by being there, because Matplotlib's versions differ."""
    said = []
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream":
            if said and said[-1][0] == f"stream {output['name']}":
                said[-1][1] += output["text"]
            else:
                said.append([f"stream {output['name']}", output["text"]])
        elif kind == "error":
            said.append(["error", output["ename"]])
        else:
            for mime, data in sorted(output["data"].items()):
                shown = json.dumps(data, sort_keys=True, ensure_ascii=False) if mime.endswith("json") else data
                said.append([mime, "" if mime.startswith("image/") else shown])
    return said


def differences(stored, shown):
    """Cell by cell, what the page shows and the notebook does not, or the other way round."""
    found = {}
    cells = [cell for cell in stored.cells if cell.cell_type == "code"]
    for place, (cell, run) in enumerate(zip(cells, shown, strict=True)):
        expected, got = texts(cell.outputs), texts(run["outputs"])
        if expected != got:
            lines = ("\n".join(f"{kind}: {text}" for kind, text in each).splitlines() for each in (expected, got))
            found[place] = "\n".join(difflib.unified_diff(*lines, "stored", "in the page", lineterm="", n=0))
    return found


def runs_whole(browser, book, name):
    started = time.perf_counter()
    stored = read(HTML / "_sources" / "book" / f"{name}.ipynb")
    with reading(browser, f"{book}/book/{name}.html") as reader:
        reader.clear()
        answer = reader.run_whole()
        problems = reader.problems
    print(f"\n{name}: {len(answer['cells'])} cells in {time.perf_counter() - started:.0f} s")
    errors = [output for cell in answer["cells"] for output in cell["outputs"] if output["output_type"] == "error"]
    assert answer["good"], errors
    assert all(cell["ran"] for cell in answer["cells"])
    assert not problems
    sources = [cell.source for cell in stored.cells if cell.cell_type == "code"]
    assert [cell["text"] for cell in answer["cells"]] == sources
    found = differences(stored, answer["cells"])
    unexplained = {place: each for place, each in found.items() if (name, place) not in DIFFERS}
    assert not unexplained, "\n\n".join(f"cell {place}:\n{each}" for place, each in unexplained.items())


@pytest.mark.browser
@pytest.mark.parametrize("name", SAMPLE)
def test_a_chapter_runs_whole_in_the_page_and_says_what_is_stored(browser, book, name):
    runs_whole(browser, book, name)


@pytest.mark.deep
@pytest.mark.parametrize("name", [name for name in RUNNABLE if name not in SAMPLE])
def test_every_notebook_runs_whole_in_the_page_and_says_what_is_stored(browser, book, name):
    runs_whole(browser, book, name)
