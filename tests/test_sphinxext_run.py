"""What a page needs to run its code in the reader's browser: what is published, and what pages say of it."""

import io
import json
import re
import zipfile
from datetime import datetime
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import pytest
from corpus.outputs import page_with_code
from sphinx.errors import ExtensionError

from backprop.sphinxext import run

ROOT = Path(__file__).resolve().parents[1]


def archived():
    return zipfile.ZipFile(io.BytesIO(run.course_archive(ROOT)))


def test_the_archive_is_the_same_from_the_same_sources():
    assert run.course_archive(ROOT) == run.course_archive(ROOT)


def test_the_archive_holds_the_whole_package_and_nothing_of_sphinx():
    names = set(archived().namelist())
    modules = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src" / "backprop").rglob("*.py")}
    assert {name for name in modules if "/sphinxext/" not in name} <= names
    assert not [name for name in names if "sphinx" in name]
    assert {"autograd/numpy/__init__.py", "tqdm/std.py", "IPython/lib/pretty.py", "page_kernel.py"} <= names


def test_every_file_of_the_archive_has_a_date():
    assert {datetime(*entry.date_time) for entry in archived().infolist()} == {datetime(1980, 1, 1)}


def test_data_files_of_the_package_travel_along():
    files = {
        path for path in (ROOT / "src" / "backprop").rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    names = set(archived().namelist())
    assert {path.relative_to(ROOT / "src").as_posix() for path in files} <= names


def test_a_part_of_ipython_that_is_gone_stops_the_build():
    with pytest.raises(ExtensionError, match=r"ipython has changed: it has no IPython/nowhere\.py"):
        run.installed_files("ipython", ("IPython/nowhere.py",))


def test_without_fetched_files_python_comes_from_the_official_cdn(tmp_path):
    record = tmp_path / "book" / "_run" / "release.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"version": "1.2.3"}), encoding="utf-8")
    at = run.where(tmp_path)
    assert at == {
        "version": "1.2.3", "base": "https://cdn.jsdelivr.net/pyodide/v1.2.3/full/", "here": False, "lite": False
    }  # fmt: skip
    lock = tmp_path / "_build" / "runtime" / "run" / "pyodide" / "pyodide-lock.json"
    lock.parent.mkdir(parents=True)
    lock.write_text("{}", encoding="utf-8")
    assert run.where(tmp_path) == {"version": "1.2.3", "base": "pyodide/", "here": True, "lite": False}
    lab = tmp_path / "_build" / "runtime" / "lite" / "lab" / "index.html"
    lab.parent.mkdir(parents=True)
    lab.write_text("", encoding="utf-8")
    assert run.where(tmp_path)["lite"]
    lock.unlink()
    assert not run.where(tmp_path)["lite"], "JupyterLite would look for its Python here"


def built(folder, format="html"):
    return SimpleNamespace(srcdir=ROOT, outdir=folder, builder=SimpleNamespace(format=format))


def test_what_a_page_asks_for_is_published_and_what_an_older_build_left_is_gone(tmp_path):
    out = tmp_path / "run"
    out.mkdir()
    for name in ("course-0123.zip", "part-OLD.mjs"):
        (out / name).write_text("old", encoding="utf-8")
    run.publish(built(tmp_path), None)
    told = json.loads((out / "runtime.json").read_text(encoding="utf-8"))
    assert [path.name for path in out.glob("*.zip")] == [told["course"]]
    assert (out / told["course"]).read_bytes() == run.course_archive(ROOT)
    assert {"page.mjs", "editor.mjs", "worker.mjs", "run.css", "katex.css"} <= {path.name for path in out.iterdir()}
    assert not (out / "part-OLD.mjs").exists()
    assert told["release"]["version"] == told["version"]
    assert (out / "run.css").read_bytes() == (ROOT / "book" / "_run" / "run.css").read_bytes()
    fonts = re.findall(r"url\(([^)]*)\)", (out / "katex.css").read_text(encoding="utf-8"))
    assert fonts
    assert all(re.fullmatch(r"\.\./_static/katex/fonts/[\w-]+\.woff2", font) for font in fonts)


@pytest.mark.parametrize(("format", "error"), [("html", ValueError("stopped")), ("latex", None)])
def test_a_build_that_stopped_and_a_build_for_print_publish_nothing(tmp_path, format, error):
    run.publish(built(tmp_path, format), error)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def with_runtime(monkeypatch):
    """The small sites of `build_pages` as if they had the book's runtime, without making its files."""
    at = {"version": "1.2.3", "base": run.CDN.format(version="1.2.3"), "here": False, "lite": False}
    made = {"version": "1.2.3", "core": {"bytes": 9_000_000}, "packages": {"numpy": {"bytes": 3_000_000}}}
    monkeypatch.setattr(run, "has_runtime", lambda root: True)
    monkeypatch.setattr(run, "publish", lambda app, exception: None)
    monkeypatch.setattr(run, "where", lambda root: at)
    monkeypatch.setattr(run, "release", lambda root: made)
    return at


def offered(html):
    found = re.search(r'<meta name="bp-run" content="([^"]*)"', html)
    return json.loads(unescape(found[1])) if found else None


def test_a_page_with_code_offers_to_run_it_and_says_from_where(build_pages, with_runtime):
    pages = build_pages(page=page_with_code(), prose="# Words\n")
    assert not pages.warnings
    told = offered(pages.html["page"])
    assert told["run"] == "run/page.mjs"
    assert told["lite"] == ""
    assert told["note"] == "Python runs in your browser: Pyodide 1.2.3, up to 12 MB, from cdn.jsdelivr.net."
    assert 'src="_static/run.js"' in pages.html["page"]
    assert offered(pages.html["prose"]) is None
    assert "run.js" not in pages.html["prose"]


def test_with_fetched_files_it_says_so_and_offers_jupyterlite(build_pages, with_runtime, tmp_path):
    with_runtime |= {"here": True, "lite": True, "base": "pyodide/"}
    (tmp_path / "source" / "book").mkdir(parents=True)
    pages = build_pages(**{"page": page_with_code(), "book/other": page_with_code()})
    told = offered(pages.html["page"])
    assert told["lite"] == "lite/lab/index.html?path=page.ipynb"
    assert told["note"].endswith("from this site.")
    told = offered(pages.html["book/other"])
    assert (told["run"], told["lite"]) == ("../run/page.mjs", "../lite/lab/index.html?path=other.ipynb")


def test_a_page_that_needs_more_says_so_instead(build_pages, with_runtime):
    html = build_pages(page=page_with_code(needs=["dask", "sklearn"])).html["page"]
    assert offered(html) is None
    assert "run.js" not in html
    title, said = html.index("<h1>"), html.index('<aside class="bp-run-needs">')
    assert title < said
    words = "This page’s code needs Dask and scikit-learn and does not run in a browser."
    assert words in html[said:].replace("'", "’")


def test_a_page_without_code_offers_nothing(build_pages, with_runtime):
    assert offered(build_pages(page=page_with_code(code="")).html["page"]) is None
