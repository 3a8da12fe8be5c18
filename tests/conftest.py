"""Building books in tests: a tiny one in this process, or a whole site as `make book` builds it."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "tests" / "fixtures" / "site"
KATEX = ROOT / "tools" / "node_modules" / "katex"
JUPYTER_BOOK = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]


@pytest.fixture(scope="session")
def katex():
    """The folder of KaTeX's npm package; fetched once by tools/assets.py."""
    if not (KATEX / "dist" / "katex.min.js").is_file():
        pytest.fail("KaTeX is missing: run 'python tools/assets.py' once, with a network", pytrace=False)
    return KATEX


@dataclass(frozen=True)
class Pages:
    """What a build wrote: HTML by page name, and the warnings."""

    html: dict[str, str]
    warnings: str


@pytest.fixture
def build_pages(tmp_path, katex):
    """Build pages given as text (Markdown) or as a dict (a notebook), and return their HTML and the warnings.

    Another builder writes no HTML; in parallel, Sphinx reads more than five pages in copies of the process.
    """
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    source, out = tmp_path / "source", tmp_path / "html"

    def build(builder="html", parallel=0, settings=None, **pages):
        write_pages(source, pages)
        warnings = io.StringIO()
        config = {
            "extensions": ["myst_nb", "backprop.sphinxext"],
            "html_theme": "basic",
            "html_math_renderer": "katex",
            "myst_enable_extensions": ["colon_fence", "dollarmath", "tasklist"],
            "nb_execution_mode": "off",
            "nb_render_markdown_format": "myst",
            "numfig": True,
            "root_doc": "index",
            "backprop_katex": str(katex),
            **(settings or {}),
        }
        with patch_docutils(), docutils_namespace():
            told = {"status": None, "warning": warnings, "parallel": parallel}
            app = Sphinx(source, None, out, tmp_path / "doctrees", builder, config, **told)
            app.build()
        files = {name: out / f"{name}.html" for name in ("index", *pages)} if builder == "html" else {}
        html = {name: path.read_text(encoding="utf-8") for name, path in files.items()}
        # Sphinx colours its warnings.
        return Pages(html, re.sub(r"\x1b\[[0-9;]*m", "", warnings.getvalue()))

    return build


def write_pages(source, pages):
    """Write what has changed, so that a second build finds the rest unchanged."""
    source.mkdir(exist_ok=True)
    listed = "\n".join(pages)
    files = {"index.md": f"# Index\n\n```{{toctree}}\n:numbered:\n{listed}\n```\n"}
    for name, content in pages.items():
        if isinstance(content, dict):
            files[f"{name}.ipynb"] = json.dumps(content)
        else:
            files[f"{name}.md"] = content
    for name, text in files.items():
        path = source / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Build:
    """A run of Jupyter Book."""

    code: int
    log: str
    html: Path


@pytest.fixture(scope="session")
def copy_site(tmp_path_factory, katex):
    """Copy the fixture site to a new folder, with the book's own settings, styles and templates."""

    def copy(address=""):
        folder = tmp_path_factory.mktemp("site")
        shutil.copytree(SITE, folder, dirs_exist_ok=True)
        for name in ("_static", "_templates"):
            shutil.copytree(ROOT / "book" / name, folder / "book" / name)
        shutil.copyfile(ROOT / "references.bib", folder / "references.bib")
        settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
        settings["sphinx"]["config"] |= {"backprop_katex": str(katex), "backprop_address": address}
        (folder / "_config.yml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        return folder

    return copy


@pytest.fixture(scope="session")
def run_jupyter_book():
    """Run Jupyter Book on a folder, strictly, as `make book` does."""

    def run(folder, out=None):
        where = ["--path-output", str(out)] if out else []
        command = [*JUPYTER_BOOK, "build", str(folder), "-W", "--keep-going", *where]
        environment = {**os.environ, "PYTHONUTF8": "1", "NO_COLOR": "1"}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=600)
        log = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
        return Build(done.returncode, log, Path(out or folder) / "_build" / "html")

    return run


@pytest.fixture(scope="session")
def site(copy_site, run_jupyter_book):
    """The fixture site, built."""
    build = run_jupyter_book(copy_site())
    assert build.code == 0, build.log
    return build
