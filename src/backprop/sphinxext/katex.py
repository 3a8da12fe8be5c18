"""Math rendered while the book is built, by KaTeX inside this process: no other host, no JavaScript, no node server.

KaTeX's own script runs in V8 (PyPI mini-racer). A formula that it does not understand is a Sphinx warning that names
the place, so that ``-W`` stops the build. Its stylesheet and its woff2 fonts come from the same npm package.
"""

from __future__ import annotations

import json
import re
import shutil
from functools import cache
from html import escape
from pathlib import Path

from docutils import nodes
from py_mini_racer import MiniRacer
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

logger = logging.getLogger(__name__)

# strict: what KaTeX would only complain about in a browser's console (ᵀ, é in math) is an error here.
RENDER = """
var noted = [];
var console = {warn: m => noted.push(String(m)), error: m => noted.push(String(m)), log: m => noted.push(String(m))};
function render(tex, display, macros) {
  noted = [];
  try {
    const html = katex.renderToString(tex, {displayMode: display, macros: Object.assign({}, macros), throwOnError: true,
                                            strict: "error", trust: false, output: "htmlAndMathml"});
    return JSON.stringify(noted.length ? {error: noted[0]} : {html: html});
  } catch (error) {
    return JSON.stringify({error: String(error.message || error)});
  }
}
"""


class MathError(ValueError):
    """KaTeX does not understand a formula; the message is KaTeX's own."""


class Katex:
    """KaTeX in this process.

    Examples
    --------
    >>> katex = Katex(Path("tools/node_modules/katex"))           # doctest: +SKIP
    >>> katex.html("X^T", display=False)                           # doctest: +SKIP
    '<span class="katex">…'
    """

    def __init__(self, package: Path) -> None:
        script = package / "dist" / "katex.min.js"
        if not script.is_file():
            raise ExtensionError(f"KaTeX is not at {package}: run 'python tools/assets.py' once, with a network")
        self._engine = MiniRacer()
        self._engine.eval(script.read_text(encoding="utf-8"))
        self._engine.eval(RENDER)
        self._known: dict[tuple, str] = {}

    def html(self, tex: str, *, display: bool, macros: dict[str, str] | None = None) -> str:
        """HTML and MathML of a formula.

        Raises
        ------
        MathError
            When KaTeX does not understand it.
        """
        key = (tex, display, json.dumps(macros or {}, sort_keys=True))
        if key not in self._known:
            answer = json.loads(self._engine.call("render", tex, display, macros or {}))
            if "error" in answer:
                raise MathError(answer["error"].removeprefix("KaTeX parse error: "))
            self._known[key] = answer["html"]
        return self._known[key]


@cache
def engine(package: Path) -> Katex:
    """One engine a process: starting V8 and reading KaTeX takes longer than a page of formulas."""
    return Katex(package)


def package_of(app: Sphinx) -> Path:
    return Path(app.srcdir, app.config.backprop_katex).resolve()


def lines_aligned(tex: str) -> str:
    r"""Blank lines and ``\\`` outside an environment mean aligned lines, as Sphinx's MathJax renderer has it.

    Examples
    --------
    >>> lines_aligned("a = b")
    'a = b'
    >>> lines_aligned(r"a &= b \\ &= c")
    '\\begin{aligned}a &= b \\\\ &= c\\end{aligned}'
    """
    parts = [part.strip() for part in re.split(r"\n\s*\n", tex) if part.strip()]
    joined = r" \\ ".join(parts)
    outside = re.sub(r"\\begin\{(\w+\*?)\}.*\\end\{\1\}", "", joined, flags=re.DOTALL)
    return rf"\begin{{aligned}}{joined}\end{{aligned}}" if r"\\" in outside else joined


def rendered(translator, node: nodes.Element, tex: str, *, display: bool) -> str:
    """The formula's HTML, or a warning with its place and the source shown as code."""
    app = translator.builder.app
    try:
        return engine(package_of(app)).html(tex, display=display, macros=app.config.backprop_macros)
    except MathError as error:
        logger.warning("math is not understood: %s; in: %s", error, tex, location=node, type="backprop", subtype="math")
        return f'<code class="math-error">{escape(tex)}</code>'


def visit_math(self, node: nodes.math) -> None:
    self.body.append(
        f'<span class="math-inline notranslate nohighlight">{rendered(self, node, node.astext(), display=False)}</span>'
    )
    raise nodes.SkipNode


def visit_displaymath(self, node: nodes.math_block) -> None:
    """The formula in a box of its own, which scrolls sideways where it must, and the number beside it."""
    html = rendered(self, node, lines_aligned(node.astext()), display=True)
    numbered = bool(node.get("number"))
    number = get_node_equation_number(self, node) if numbered else ""
    label = node.get("aria-label") or (f"Equation {number}" if numbered else "Formula")
    kinds = (("numbered", numbered), ("definition", (node.get("label") or "").startswith("def:")))
    classes = " ".join(["math-display", *(name for name, is_so in kinds if is_so), "notranslate", "nohighlight"])
    self.body.append(self.starttag(node, "div", "", CLASS=classes))
    self.body.append(f'<div class="math-scroll" role="group" aria-label="{escape(label)}">{html}</div>')
    if numbered:
        self.body.append(f'<span class="eqno">({number})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def copy_assets(app: Sphinx) -> None:
    """KaTeX's stylesheet, with woff2 as the only font format, and its script that copies a selection as LaTeX."""
    if app.builder.format != "html":
        return
    source, target = package_of(app) / "dist", Path(app.outdir, "_static", "katex")
    engine(package_of(app))  # one clear error now rather than at the first formula
    (target / "fonts").mkdir(parents=True, exist_ok=True)
    css = (source / "katex.min.css").read_text(encoding="utf-8")
    (target / "katex.css").write_text(only_woff2(css), encoding="utf-8")
    for font in sorted((source / "fonts").glob("*.woff2")):
        shutil.copyfile(font, target / "fonts" / font.name)
    shutil.copyfile(source / "contrib" / "copy-tex.min.js", target / "copy-tex.js")
    app.add_css_file("katex/katex.css")
    app.add_js_file("katex/copy-tex.js", loading_method="defer")


def only_woff2(css: str) -> str:
    """Drop the other font formats.

    Examples
    --------
    >>> only_woff2("src:url(A.woff2) format('woff2'),url(A.woff) format('woff'),url(A.ttf) format('truetype')}")
    "src:url(A.woff2) format('woff2')}"
    """
    return re.sub(r",\s*url\([^)]*\.(?:woff|ttf)\)\s*format\([^)]*\)", "", css)


def setup(app: Sphinx) -> None:
    app.add_config_value("backprop_katex", "tools/node_modules/katex", "html", types=[str])
    app.add_config_value("backprop_macros", {}, "html", types=[dict])
    app.add_html_math_renderer("katex", (visit_math, None), (visit_displaymath, None))
    app.connect("builder-inited", copy_assets)
