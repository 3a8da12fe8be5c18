"""The built book: warnings are errors, nothing comes from another host, every page of the contents is there."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
# What a browser fetches by itself; a link to another host is only followed by a reader.
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "object": "data", "link": "href"}
NOT_FETCHED = {"index", "search", "next", "prev", "canonical", "author", "license"}


@pytest.fixture(scope="module")
def book(run_jupyter_book, katex, tmp_path_factory):
    """The book itself, built from nothing as `make book` builds it."""
    build = run_jupyter_book(ROOT, tmp_path_factory.mktemp("book"))
    assert build.code == 0, build.log
    return build


def pages_of(build):
    """Pages by name, without the theme's own snippets among its static files and without JupyterLite's."""
    names = {path.relative_to(build.html).as_posix(): path for path in sorted(build.html.rglob("*.html"))}
    return {name: path for name, path in names.items() if not name.startswith(("_static/", "lite/"))}


def listed_pages():
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter["file"] for part in contents.get("parts", []) for chapter in part["chapters"]]
    return [contents["root"], *chapters]


class Fetches(HTMLParser):
    """What a page makes the browser fetch, its ids, its links and its text outside math and code."""

    def __init__(self, html):
        super().__init__()
        self.fetched, self.ids, self.links, self.words = [], [], [], []
        self.silent = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag in FETCHED and given.get(FETCHED[tag]) and given.get("rel") not in NOT_FETCHED:
            self.fetched.append(given[FETCHED[tag]])
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag in ("math", "code", "pre", "script", "style"):
            self.silent.append(tag)

    def handle_endtag(self, tag):
        if self.silent and self.silent[-1] == tag:
            self.silent.pop()

    def handle_data(self, data):
        if not self.silent:
            self.words.append(data)


def read(path):
    return Fetches(path.read_text(encoding="utf-8"))


def from_another_host(address):
    return bool(urlsplit(address).netloc) or address.startswith("//")


def test_every_listed_page_is_built(book):
    built = pages_of(book)
    for page in listed_pages():
        assert f"{page}.html" in built
    assert "index.html" in built


# Modules that the pages of the book are made with; readers import the others.
OF_THE_BOOK = {"course", "exercises", "exhibits", "sphinxext", "plotting", "metering"}


def modules_without_a_page(text):
    folder = ROOT / "src" / "backprop"
    names = {path.stem for path in (*folder.glob("*.py"), *folder.glob("*/__init__.py")) if path.stem[0] != "_"}
    names |= {path.parent.name for path in folder.glob("*/__init__.py")}
    shown = set(re.findall(r"automodule:: backprop\.(\w+)", text))
    return names - OF_THE_BOOK - shown


def test_every_public_module_is_on_the_page_of_the_package():
    text = (ROOT / "book" / "api.md").read_text(encoding="utf-8")
    assert not modules_without_a_page(text)
    assert modules_without_a_page(text.replace("backprop.layers", "backprop.gone")) == {"layers"}


# What JupyterLab draws, with the extension of `make lab` (jupyterlab-myst); others it shows as an error.
IN_JUPYTERLAB = {
    *(
        "admonition",
        "attention",
        "caution",
        "danger",
        "error",
        "hint",
        "important",
        "note",
        "seealso",
        "tip",
        "warning",
    ),
    *("dropdown", "exercise", "solution-start", "solution-end", "figure", "image", "math", "table"),
    *("grid", "grid-item", "tab-set", "tab-item"),
}


def directives_of(path):
    cells = nbformat.read(path, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return set(re.findall(r"^\s*[`:]{3,}\{([\w-]+)\}", text, flags=re.MULTILINE))


@pytest.mark.parametrize("path", sorted((ROOT / "book").glob("*.ipynb")), ids=lambda path: path.name)
def test_a_notebook_reads_well_in_jupyterlab(path):
    assert directives_of(path) <= IN_JUPYTERLAB


def test_a_directive_that_jupyterlab_does_not_know_is_seen(tmp_path):
    cell = nbformat.v4.new_markdown_cell("# T\n\n:::{prediction} What?\n:::\n\n```{note}\nText.\n```\n")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "page.ipynb")
    assert directives_of(tmp_path / "page.ipynb") == {"prediction", "note"}


def test_nothing_else_is_published(book):
    sphinx_own = {"index.html", "genindex.html", "search.html", "py-modindex.html"}
    assert set(pages_of(book)) - sphinx_own == {f"{page}.html" for page in listed_pages()}


def test_no_page_fetches_anything_from_another_host(book):
    for name, path in pages_of(book).items():
        assert not [address for address in read(path).fetched if from_another_host(address)], name


def test_no_stylesheet_fetches_anything_from_another_host(book):
    for path in book.html.rglob("*.css"):
        addresses = re.findall(r"""(?:url\(|@import)\s*["']?([^"')\s;]+)""", path.read_text(encoding="utf-8"))
        assert not [each for each in addresses if from_another_host(each) and not each.startswith("data:")], path.name


def test_everything_fetched_is_there(book):
    for name, path in pages_of(book).items():
        for address in read(path).fetched:
            target = urlsplit(address)
            if target.scheme != "data" and target.path:
                assert (path.parent / target.path).exists(), f"{name}: {address}"


def test_every_link_within_the_book_leads_somewhere(book):
    pages = {path.resolve(): read(path) for path in pages_of(book).values()}
    for path, page in pages.items():
        for address in page.links:
            target = urlsplit(address)
            if target.scheme or target.netloc:
                continue
            goal = (path.parent / target.path).resolve() if target.path else path
            assert goal.exists(), f"{path.name}: {address}"
            if target.fragment and goal in pages:
                assert target.fragment in pages[goal].ids, f"{path.name}: {address}"


def test_ids_are_unique_on_a_page(book, site):
    for build in (book, site):
        for name, path in pages_of(build).items():
            # The theme draws its search field twice on its search page.
            ids = [each for each in read(path).ids if (name, each) != ("search.html", "search-input")]
            assert len(set(ids)) == len(ids), (name, sorted({each for each in ids if ids.count(each) > 1}))


def test_math_is_rendered_and_no_mathjax_is_loaded(book, site):
    for build in (book, site):
        for name, path in pages_of(build).items():
            html = path.read_text(encoding="utf-8")
            assert "math-error" not in html, name
            assert "mathjax" not in html.lower(), name
    showcase = (site.html / "book" / "showcase.html").read_text(encoding="utf-8")
    assert showcase.count("<math") > 40
    assert showcase.count('class="katex"') == showcase.count("<math")


def test_no_latex_is_left_in_the_text(book, site):
    for build in (book, site):
        for name, path in pages_of(build).items():
            text = " ".join(read(path).words)
            assert not re.findall(r"\$\$|\\(?:frac|sum|partial|begin|mathbf|left)\b", text), name


def test_only_woff2_fonts_of_katex_are_published(site):
    folder = site.html / "_static" / "katex"
    fonts = re.findall(r"url\((fonts/[^)]+)\)", (folder / "katex.css").read_text(encoding="utf-8"))
    assert len(fonts) >= 20
    assert {Path(font).suffix for font in fonts} == {".woff2"}
    assert all((folder / font).is_file() for font in fonts)


def test_an_empty_address_draws_no_link_that_needs_it(book, site):
    for build in (book, site):
        for name, path in pages_of(build).items():
            html = path.read_text(encoding="utf-8")
            for trace in (
                "report this equation",
                "issues/new",
                "colab.research",
                "mybinder",
                "executablebooks/jupyter-book",
            ):
                assert trace not in html, (name, trace)


def test_with_an_address_its_links_appear(copy_site, run_jupyter_book):
    build = run_jupyter_book(copy_site("https://github.com/owner/name"))
    assert build.code == 0, build.log
    html = (build.html / "book" / "showcase.html").read_text(encoding="utf-8")
    assert "https://github.com/owner/name/issues/new?title=eq%3Ademo-dW%20on%20book/showcase" in html
    assert "https://colab.research.google.com/github/owner/name/blob/main/book/showcase.ipynb" in html
    assert "https://mybinder.org/v2/gh/owner/name/main?urlpath=lab/tree/book/showcase.ipynb" in html
    assert "https://github.com/owner/name/issues/new?title=Issue%20on%20page" in html
    assert not [each for each in Fetches(html).fetched if from_another_host(each)]


def test_an_unchanged_book_is_not_read_again(copy_site, run_jupyter_book):
    """What makes a second build take seconds; how many is measured by `make book`, which prints them."""
    folder = copy_site()
    assert run_jupyter_book(folder).code == 0
    again = run_jupyter_book(folder)
    assert again.code == 0
    assert "0 added, 0 changed, 0 removed" in again.log


def plant(folder, text):
    """Add a line to the first page of a site."""
    page = folder / "book" / "intro.md"
    page.write_text(page.read_text(encoding="utf-8") + f"\n\n{text}\n", encoding="utf-8")


def plant_in_notebook(folder, change):
    path = folder / "book" / "showcase.ipynb"
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)


def halve_a_record(notebook):
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "application/vnd.backprop.derivation+json" in output.get("data", {}):
                del output["data"]["application/vnd.backprop.derivation+json"]["start"]


def leave_stderr(notebook):
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
    cell.outputs.append(nbformat.v4.new_output("stream", name="stderr", text="overflow"))


PLANTED = {
    "math that KaTeX does not know": (lambda folder: plant(folder, r"$\frac{a}$"), "math is not understood"),
    "a reference to no equation": (lambda folder: plant(folder, "{eq}`eq:demo-nowhere`"), "equation not found"),
    "a label used twice": (lambda folder: plant(folder, "$$\nx\n$$ (def:demo-forward)"), "duplicate label"),
    "a link to no page": (lambda folder: plant(folder, "[here](nowhere.md)"), "nowhere"),
    "a citation of no entry": (lambda folder: plant(folder, "{cite}`nobody2000`"), "nobody2000"),
    "an unknown directive": (lambda folder: plant(folder, ":::{exercsie} T\n:::"), "exercsie"),
    "half a record": (lambda folder: plant_in_notebook(folder, halve_a_record), "checked output is malformed"),
    "a warning printed by a cell": (lambda folder: plant_in_notebook(folder, leave_stderr), "stderr was found"),
}


@pytest.fixture(scope="module")
def planted(copy_site, run_jupyter_book):
    """A site with all of these errors, built twice: nor does a second try pass, with nothing mended."""
    folder = copy_site()
    for change, _ in PLANTED.values():
        change(folder)
    return run_jupyter_book(folder), run_jupyter_book(folder)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_error_stops_the_build(planted, name):
    for build in planted:
        reported = [line for line in build.log.splitlines() if "WARNING" in line or "ERROR" in line]
        assert any(PLANTED[name][1] in line for line in reported)
        assert build.code != 0
