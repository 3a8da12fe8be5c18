"""The code of the pages, run in Chromium by the pages themselves: no server but one that hands out files.

The book is the one in _build/html (or BACKPROP_HTML), built with the runtime of tools/runtime.py. What was printed is
removed first: nothing printed passes for an answer. Times and bytes are printed (`pytest -s`), not asserted. One page
stays open for many of these tests, which are read from top to bottom, in one process.
"""

import difflib
import json
import os
import re
import time
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest

playwright = pytest.importorskip("playwright.sync_api")

from browsing import ARGUMENTS, Quiet, find_chromium, serving  # noqa: E402
from test_browser import SIZES  # noqa: E402

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
SAMPLE = [name for name in RUNNABLE if name in ("01_linear_layer", "why_not_just_diff")]

# What may differ from the stored outputs, and why; the release has another Python, NumPy, Matplotlib and mpmath.
DIFFERS: dict[tuple[str, int], str] = {
    ("03_activations_and_losses", 30): "WebAssembly keeps no flags of overflow, so NumPy has nothing to complain of",
}


class Isolated(Quiet):
    """A server whose pages may share memory with their workers, which lets Python hear an interrupt."""

    def end_headers(self):
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()


class Paced(Quiet):
    """Hands out large files piece by piece, as a network does, so that what is said meanwhile can always be seen."""

    def copyfile(self, source, outputfile):
        while piece := source.read(1_000_000):
            outputfile.write(piece)
            time.sleep(0.15 if len(piece) == 1_000_000 else 0)


class Lacking(Quiet):
    """A server that lacks one file while it is named here."""

    lacks = ""

    def send_head(self):
        if self.lacks and self.path.endswith(self.lacks):
            self.send_error(404)
            return None
        return super().send_head()


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

    def state(self, place, wanted, seconds=300):
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


# One reader at one page -----------------------------------------------------------------------------------------------


class Timed:
    """Prints how long things took and how much was loaded for them."""

    def __init__(self, reader):
        self.reader, self.started = reader, time.perf_counter()

    def say(self, what):
        seconds = time.perf_counter() - self.started
        loaded = self.reader.page.evaluate(
            """async () => {
              const published = JSON.parse(document.querySelector('meta[name="bp-run"]').content);
              const {open} = await import(new URL(published.run, document.baseURI));
              const own = performance.getEntriesByType("resource").reduce((sum, each) => sum + each.encodedBodySize, 0);
              return own + (await open(published)).session.bytes;
            }"""
        )
        print(f"\n{what}: {seconds:.1f} s, {loaded / 1e6:.1f} MB loaded so far")


# Its code cells are all in sight: the first imports and serves to be written over, the third shows a refused step, the
# fifth a derivation.
PAGE, SCRATCH, REFUSED, DERIVED = "what_proved_means", 0, 2, 4


@pytest.fixture(scope="module")
def reader(browser, book):
    """One page, open for the tests below, which are read from top to bottom."""
    with serving(HTML, Paced) as address, reading(browser, f"{address}/book/{PAGE}.html") as reader:
        yield reader


def tool(reader, place, name):
    return reader.cell(place).locator(".bp-run-tools").get_by_role("button", name=name, exact=True)


def write(reader, place, code, wanted="good"):
    """Put code into a cell by the editor, as a reader would, and run it by the keyboard."""
    tool(reader, place, "Edit").click()
    content = reader.cell(place).locator(".cm-content")
    content.wait_for()
    reader.page.keyboard.press("Control+a")
    reader.page.keyboard.insert_text(code)
    reader.cell(place).evaluate("(box) => delete box.dataset.bpRun")
    reader.page.keyboard.press("Shift+Enter")
    reader.state(place, wanted)
    shown = reader.cell(place).locator(".cell_output")
    if wanted != "running":
        shown.scroll_into_view_if_needed()  # what is far from sight is not laid out, and has no text yet
    return shown


def texts_of(reader, place):
    return reader.cell(place).locator(".cell_output").text_content()


@pytest.mark.browser
def test_nothing_of_the_runtime_is_loaded_before_it_is_asked_for(reader):
    assert [url for url in reader.asked if "/run/" in url or "/lite/" in url] == []
    assert reader.page.locator(".bp-run-button").count() == reader.page.locator(".cell_input").count() > 0


@pytest.mark.browser
def test_the_tools_appear_and_loading_says_what_and_how_much_is_left(reader):
    reader.page.evaluate(
        """() => {
          globalThis.said = new Set();
          const note = () => globalThis.said.add(document.querySelector(".bp-run-loading")?.textContent);
          new MutationObserver(note).observe(document.body, {childList: true, subtree: true, characterData: true});
        }"""
    )
    before = texts_of(reader, DERIVED)
    reader.page.locator(".bp-run-menu > button").click()
    reader.page.locator(".bp-run-here").click()
    reader.page.locator(".bp-run-bar").wait_for()
    timed = Timed(reader)
    write(reader, SCRATCH, "print(6 * 7)")
    timed.say("first result")
    assert texts_of(reader, SCRATCH).strip() == "42"
    assert texts_of(reader, DERIVED) == before, "what was printed stays until it is replaced"
    said = reader.page.evaluate("[...globalThis.said]")
    left = [
        float(found[1])
        for each in said
        if (found := re.match(r"Loading Python: ([\d.]+) of [\d.]+ MB left", each or ""))
    ]
    assert len(left) > 2
    assert left == sorted(left, reverse=True)
    about = reader.page.locator(".bp-run-about").inner_text()
    assert re.fullmatch(r"Python 3\.14\.\d+, Pyodide 314\.0\.4, from this site", about)


@pytest.mark.browser
def test_output_of_sympy_is_typeset(reader):
    timed = Timed(reader)
    code = 'import sympy as sp\nx = sp.Symbol("x")\nsp.diff(sp.exp(-x**2) / x, x)'
    shown = write(reader, SCRATCH, code)
    timed.say("first SymPy result")
    assert shown.locator(".katex-html").count() == 1
    assert shown.locator(".katex-error").count() == 0
    timed = Timed(reader)
    write(reader, SCRATCH, code.replace("x**2", "x**3"))
    timed.say("a further SymPy result")


@pytest.mark.browser
def test_a_figure_appears(reader):
    timed = Timed(reader)
    code = "import matplotlib.pyplot as plt\n_ = plt.plot([1, 3, 2])\nplt.show()"
    shown = write(reader, SCRATCH, code)
    timed.say("first figure")
    assert shown.locator("img").evaluate_all(
        "(all) => all.map((each) => each.complete && each.naturalWidth > 100)"
    ) == [True]


@pytest.mark.browser
def test_an_error_is_shown_with_its_last_line_first(reader):
    shown = write(reader, SCRATCH, "def f(n):\n    return 1 / n\n\nf(0)", wanted="failed")
    lines = shown.inner_text().split("\n")
    assert lines[0] == "ZeroDivisionError: division by zero"
    assert [line.strip() for line in lines if "cell 1" in line] == [
        'File "<cell 1>", line 4, in <module>',
        'File "<cell 1>", line 2, in f',
    ]
    assert "page_kernel" not in shown.inner_text()


@pytest.mark.browser
def test_a_name_from_above_is_offered_to_be_made(reader):
    reader.page.locator(".bp-run-acts").get_by_role("button", name="Restart").click()
    tool(reader, SCRATCH, "Reset").click()
    tool(reader, REFUSED, "Run").click()
    reader.state(REFUSED, "failed")
    hint = reader.cell(REFUSED).locator(".bp-run-hint")
    assert "is made in a cell above that has not run yet" in hint.inner_text()
    hint.get_by_role("button", name="Run all above, then this").click()
    reader.state(REFUSED, "good")
    assert reader.cell(REFUSED).locator(".refusal").count() == 1


def looks(reader, place):
    """What an output shows: its elements, their classes and what they say, without what scripts added."""
    return (
        reader.cell(place)
        .locator(".cell_output")
        .evaluate(
            r"""(box) => {
          const copy = box.cloneNode(true);
          const added = ".stepper, .headerlink, .katex, .copybtn, pre > span:empty";
          copy.querySelectorAll(added).forEach((each) => each.remove());
          // A printed page also keeps a formula and the mark behind it on one line.
          copy.querySelectorAll(".unbroken").forEach((each) => each.replaceWith(...each.childNodes));
          // Words of two blocks are two words, whether a line break stands between their tags or not.
          const blocks = "p, div, ul, ol, li, dl, dt, dd, figure, figcaption, details, summary, pre";
          copy.querySelectorAll(blocks).forEach((each) => (each.before(" "), each.after(" ")));
          const kinds = [...copy.querySelectorAll("*")].map((each) =>
            each.tagName + "." + [...each.classList].filter((name) => name !== "waiting").sort().join("."));
          return [kinds, copy.textContent.replace(/\s+/g, " ").trim()];
        }"""
        )
    )


@pytest.mark.browser
def test_a_derivation_and_a_refusal_look_as_printed(browser, book, reader):
    tool(reader, DERIVED, "Run above").click()
    reader.state(DERIVED - 1, "good")
    tool(reader, DERIVED, "Run").click()
    reader.state(DERIVED, "good")
    with reading(browser, f"{book}/book/{PAGE}.html") as printed:
        for place in (REFUSED, DERIVED):
            assert looks(reader, place) == looks(printed, place)


@pytest.mark.browser
def test_a_wrong_step_is_refused_in_the_page(reader):
    source = reader.cell(DERIVED).locator(".highlight pre").first.text_content().rstrip("\n")
    wrong = source.replace("step(Z)", "step(-Z)")
    assert wrong != source
    shown = write(reader, DERIVED, wrong, wanted="failed").inner_text()
    assert "Refused: step 1 is refused" in shown.split("\n")[0]
    assert "the two sides differ" in shown


@pytest.mark.browser
def test_reset_brings_back_the_code_and_the_output_that_were_printed(browser, book, reader):
    tool(reader, DERIVED, "Reset").click()
    assert reader.cell(DERIVED).locator(".cm-content").count() == 0
    with reading(browser, f"{book}/book/{PAGE}.html") as printed:
        assert looks(reader, DERIVED) == looks(printed, DERIVED)
    tool(reader, DERIVED, "Run").click()
    reader.state(DERIVED, "good")


@pytest.mark.browser
def test_the_keyboard_is_the_editor_s_and_can_leave_it(reader):
    tool(reader, SCRATCH, "Edit").click()
    reader.page.keyboard.press("Control+End")
    reader.page.keyboard.type("\nk = 6 / 2  # [")
    content = reader.cell(0).locator(".cm-content")
    assert "k = 6 / 2  # [" in content.inner_text()
    assert reader.page.locator(".search-button__wrapper.show, dialog[open]").count() == 0
    reader.page.keyboard.press("Escape")
    assert reader.page.evaluate("document.activeElement.textContent") == "Run"
    tool(reader, SCRATCH, "Reset").click()


@pytest.mark.browser
def test_an_endless_cell_is_stopped_and_python_starts_anew(reader):
    write(reader, SCRATCH, "kept = 1\nwhile True:\n    pass", wanted="running")
    reader.page.locator(".bp-run-acts").get_by_role("button", name="Stop").click()
    reader.state(0, "failed")
    assert "Python was ended, and its variables are gone" in reader.page.locator(".bp-run-words").inner_text()
    shown = write(reader, SCRATCH, 'print("kept" in globals())')
    assert shown.inner_text().strip() == "False"


@pytest.mark.browser
def test_restart_forgets_variables_and_keeps_outputs(reader):
    write(reader, SCRATCH, "kept = 2\nprint(kept)")
    reader.page.locator(".bp-run-acts").get_by_role("button", name="Restart").click()
    reader.page.get_by_text("Restarted: no variables.").wait_for()
    assert texts_of(reader, SCRATCH).strip() == "2"
    assert write(reader, SCRATCH, 'print("kept" in globals())').inner_text().strip() == "False"
    tool(reader, SCRATCH, "Reset").click()


@pytest.mark.browser
def test_nothing_went_wrong_and_no_other_host_was_asked(reader):
    assert reader.problems == []


@pytest.mark.browser
def test_an_exercise_checks_an_answer_in_the_page(browser, book):
    with reading(browser, f"{book}/book/01_linear_layer.html") as reader:
        listings = reader.page.locator(".bd-article .cell").evaluate_all(
            "(all) => all.map((box) => box.querySelector('pre')?.textContent ?? '')"
        )
        place = next(place for place, code in enumerate(listings) if "exercises.ENTRIES_MOVED.check" in code)
        reader.page.locator(".bp-run-menu > button").click()
        reader.page.locator(".bp-run-here").click()
        tool(reader, 0, "Run").wait_for()
        tool(reader, 0, "Run").click()
        reader.state(0, "good")
        source = listings[place].rstrip("\n")
        assert "..." in source
        wrong = write(reader, place, source.replace("...", "1", 1)).inner_text()
        right = write(reader, place, source.replace("...", "n_out", 1)).inner_text()
        assert wrong.startswith("Not yet.")
        assert right.startswith("Right.")


@pytest.mark.browser
def test_where_the_page_is_isolated_a_stopped_cell_keeps_the_variables(browser):
    with serving(HTML, Isolated) as address, reading(browser, f"{address}/book/{PAGE}.html") as reader:
        assert reader.page.evaluate("crossOriginIsolated")
        reader.page.locator(".bp-run-menu > button").click()
        reader.page.locator(".bp-run-here").click()
        tool(reader, 0, "Run").wait_for()
        write(reader, 0, "kept = 3\nwhile True:\n    pass", wanted="running")
        reader.page.wait_for_timeout(1000)
        reader.page.locator(".bp-run-acts").get_by_role("button", name="Stop").click()
        reader.state(0, "failed")
        assert texts_of(reader, 0).startswith("KeyboardInterrupt")
        assert write(reader, 0, "print(kept)").inner_text().strip() == "3"
        assert reader.problems == []


@pytest.mark.browser
def test_what_cannot_be_loaded_is_said_and_can_be_tried_again(browser, monkeypatch):
    monkeypatch.setattr(Lacking, "lacks", "pyodide.asm.wasm")
    with serving(HTML, Lacking) as address, reading(browser, f"{address}/book/{PAGE}.html") as reader:
        before = looks(reader, DERIVED)
        reader.page.locator(".bp-run-menu > button").click()
        reader.page.locator(".bp-run-here").click()
        reader.page.get_by_text("Python could not be loaded").wait_for()
        assert looks(reader, DERIVED) == before
        monkeypatch.setattr(Lacking, "lacks", "")
        assert write(reader, SCRATCH, "print(1)").inner_text().strip() == "1"


@pytest.mark.browser
def test_a_page_opened_as_a_file_says_what_to_do(browser):
    with reading(browser, (HTML / "book" / f"{PAGE}.html").as_uri()) as reader:
        reader.page.locator(".bp-run-menu > button").click()
        reader.page.locator(".bp-run-here").click()
        said = reader.page.locator("dialog[open]").inner_text()
    assert "python -m http.server --directory _build/html" in said
    # The theme's icon font is no longer loaded from a file, whatever this page does.
    assert [each for each in reader.problems if "font" not in each.lower() and "ERR_FAILED" not in each] == []


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_tools_fit_a_phone(browser, book, scheme):
    from test_browser import INSPECT, READ_THROUGH

    with reading(browser, f"{book}/book/{PAGE}.html", "phone", color_scheme=scheme) as reader:
        reader.page.locator(".bp-run-menu > button").click()
        reader.page.locator(".bp-run-here").click()
        tool(reader, 0, "Edit").wait_for()
        write(reader, 0, f'print("{"wide " * 60}")\n1 / 0', wanted="failed")
        reader.page.evaluate(READ_THROUGH)
        assert reader.page.evaluate(INSPECT) == []


@pytest.mark.browser
@pytest.mark.skipif(not NEEDY, reason="no notebook of the contents needs more")
def test_a_page_that_needs_more_says_so_and_offers_nothing(browser, book):
    for name in NEEDY:
        with reading(browser, f"{book}/book/{name}.html") as reader:
            assert "does not run in a browser" in reader.page.locator(".bp-run-needs").inner_text()
            assert reader.page.locator(".bp-run-button, .bp-run-menu").count() == 0


# JupyterLite ----------------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_jupyterlite_has_every_notebook(book):
    listed = json.loads((HTML / "lite" / "api" / "contents" / "all.json").read_text(encoding="utf-8"))["content"]
    assert {each["name"] for each in listed} == {f"{name}.ipynb" for name in NOTEBOOKS}


@pytest.mark.browser
def test_jupyterlite_runs_a_notebook_and_forgets_edits(browser, book):
    started = time.perf_counter()
    with reading(browser, f"{book}/lite/lab/index.html?path=intro.ipynb") as reader:
        cells = reader.page.locator(".jp-Notebook .jp-CodeCell")
        first_line = cells.first.get_by_text("from backprop.symbolic import Derivation").first
        first_line.wait_for()
        written = cells.first.locator(".cm-content").inner_text()
        cells.first.locator(".cm-content").click()
        reader.page.keyboard.press("Control+End")
        reader.page.keyboard.insert_text('\nfrom backprop import symbolic\nprint("here:", symbolic.__name__)')
        reader.page.keyboard.press("Shift+Enter")
        reader.page.get_by_text("here: backprop.symbolic").wait_for(timeout=10 * MINUTES)
        print(f"\nfirst result in JupyterLite: {time.perf_counter() - started:.1f} s")
        reader.page.keyboard.press("Control+s")
        assert [url for url in reader.asked if "/run/pyodide/pyodide.asm.wasm" in url]
        assert not [each for each in reader.problems if "another host" in each]
        reader.page.reload()
        first_line.wait_for()
        assert cells.first.locator(".cm-content").inner_text() == written
