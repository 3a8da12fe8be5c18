"""What a page says of itself and of its outputs: pictures, lines, docstrings, descriptions; and how pages are built."""

import re
import shutil
from types import SimpleNamespace

import nbformat
import pytest
from corpus.outputs import RECORDS, UNLABELLED, notebook, rows_of, shown
from docutils import nodes
from docutils.parsers.rst import Directive, directives
from docutils.utils import new_document

from backprop import sphinxext
from backprop.sphinxext import markup, overview
from backprop.sphinxext.address import theme_options
from backprop.sphinxext.hours import HOUR, fitting
from backprop.sphinxext.katex import Katex
from backprop.sphinxext.ledger import in_note
from backprop.sphinxext.marks import in_one_piece
from backprop.sphinxext.overview import Task
from backprop.sphinxext.records import kind_of, validated
from backprop.sphinxext.theme import LONGEST, MODES, NAMED, description, lighter_head, named_parts

# How pages are built --------------------------------------------------------------------------------------------------


def test_the_version_of_the_pages_changes_with_any_file_of_the_package(tmp_path, monkeypatch):
    monkeypatch.setattr(sphinxext, "__file__", str(tmp_path / "__init__.py"))
    versions = set()
    for name, text in (("__init__", "a"), ("marks", "b"), ("marks", "c"), ("__init__", "c")):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        versions.add(sphinxext.fingerprint())
    assert len(versions) == 4


def test_a_build_that_kept_nothing_leaves_nothing_to_forget(tmp_path):
    """Sphinx itself drops what it knows of a build that an error stopped, and that error must be the one shown."""
    app = SimpleNamespace(_warncount=1, doctreedir=tmp_path)
    sphinxext.forget_a_build_with_warnings(app, ValueError("stopped"))


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_pages_read_in_parallel_are_the_same_and_written_one_by_one(build_pages, tmp_path, monkeypatch):
    """What one copy of the process reads, the pages that another one reads must know: here the uses of a result."""
    pages = {f"page_{k}": f"# Page {k}\n\n## Part {k}\n\nBy {{eq}}`eq:demo-dW`, $x_{k}$.\n" for k in range(6)}
    pages["derived"] = notebook(("derivation", RECORDS["derivation"]))
    one_by_one = build_pages(**pages)
    stop = "in a copy of the process KaTeX's engine would be waited for for ever"
    monkeypatch.setattr("sphinx.builders.Builder._write_parallel", lambda *_: pytest.fail(stop))
    for folder in ("doctrees", "html"):
        shutil.rmtree(tmp_path / folder)
    parallel = build_pages(parallel=2, **pages)
    assert "Used in 6 other places" in parallel.html["derived"]
    assert parallel.html == one_by_one.html
    assert one_by_one.warnings == ""
    assert [line for line in parallel.warnings.splitlines() if "writ" not in line] == []


NOTATION = "# Notation\n\n| Symbol | Shape | Code | Meaning |\n|---|---|---|---|\n| $X$ | any | | in |\n"


def test_a_build_for_print_has_the_formulas_and_none_of_the_files_of_the_site(build_pages, tmp_path):
    (tmp_path / "source" / "book").mkdir(parents=True)
    records = [(kind, record) for kind, record in RECORDS.items() if kind != "refusal"]
    built = build_pages(
        builder="latex",
        settings={"latex_documents": [("index", "book.tex", "Book", "Nobody", "manual")]},
        derived=notebook(*records, ("derivation", UNLABELLED), markdown="# A page\n\nBy {eq}`eq:demo-dW`."),
        **{"book/notation": NOTATION},
    )
    assert built.warnings == ""
    tex = (tmp_path / "html" / "book.tex").read_text(encoding="utf-8")
    # A formula stands in an environment, with its number where it has one.
    assert re.search(r"\\begin\{equation\}\\label\{equation:derived:eq:demo-dW\}.*?X\^T G", tex, re.DOTALL)
    assert re.search(r"\\begin\{equation\*\}.*?\\partial L.*?\\end\{equation\*\}", tex, re.DOTALL)
    assert "Every line is proved for all sizes." in tex
    names = {path.name for path in (tmp_path / "html").rglob("*")}
    assert not names & {"ledger.json", "notation.js", "katex.css", "runtime.json"}


def test_a_site_has_katexs_style_its_fonts_in_one_format_and_its_script(build_pages, tmp_path):
    built = build_pages(a="# A\n\nAn $x$, and\n\n(here)=\n\n$$\ny\n$$\n\nSee [there](#here).\n")
    assert built.warnings == ""
    static = tmp_path / "html" / "_static"
    css = (static / "katex" / "katex.css").read_text(encoding="utf-8")
    fonts = {path.name for path in (static / "katex" / "fonts").iterdir()}
    assert set(re.findall(r"url\(fonts/([^)]*)\)", css)) == fonts
    assert all(name.endswith(".woff2") for name in fonts)
    assert "katex/katex.css" in built.html["a"]
    assert re.search(r'<script defer="defer" src="_static/katex/copy-tex\.js', built.html["a"])
    assert (static / "katex" / "copy-tex.js").stat().st_size > 0
    # A display has KaTeX's own box, an inline formula has not.
    assert [text.partition("</annotation>")[0][-1] for text in built.html["a"].split("katex-display")[1:]] == ["y"]


def test_our_boxes_replace_those_of_another_extension_without_a_warning(build_pages, monkeypatch):
    for name in ("admonition", "hint"):
        monkeypatch.setitem(directives._directives, name, Directive)
    boxes = ":::{admonition} Guess\n:class: prediction\n\nWhat?\n:::\n\n:::{hint} Look\nThere.\n:::\n"
    built = build_pages(a=f"# A\n\n{boxes}")
    assert built.warnings == ""
    assert 'class="box prediction"' in built.html["a"]
    assert '<details class="reveal hint"><summary>Look</summary>' in built.html["a"]


def test_with_an_address_the_theme_shows_every_button_and_each_result_can_be_reported(build_pages):
    address = "https://github.com/owner/name"
    options = theme_options(address)
    assert options["use_issues_button"] is options["use_repository_button"] is True
    assert {"colab_url", "binderhub_url"} <= set(options["launch_buttons"])
    records = ("derivation", RECORDS["derivation"]), ("derivation", UNLABELLED)
    with_address = build_pages(a=notebook(*records), settings={"backprop_address": f"{address}/"}).html["a"]
    links = re.findall(r'<a class="report reference external" href="([^"]*)"', with_address)
    assert links == [f"{address}/issues/new?title=eq%3Ademo-dW%20on%20a"]
    assert "report this equation" not in build_pages(a=notebook(*records)).html["a"]


# Outputs of notebooks -------------------------------------------------------------------------------------------------


def test_a_picture_has_the_words_given_to_it_and_any_other_output_is_left_alone(build_pages):
    new = nbformat.v4
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
    alternative = {"image/svg+xml": {"alt": "A falling line."}}
    outputs = [
        new.new_output("display_data", {"image/svg+xml": svg}, metadata=alternative),
        new.new_output("display_data", {"image/svg+xml": svg.replace('"1"', '"2"')}),
        new.new_output("display_data", {"text/plain": "just a text"}),
    ]
    page = notebook()
    page.cells.append(new.new_code_cell("cell", outputs=outputs, execution_count=1))
    built = build_pages(a=page)
    assert built.warnings == ""
    first, second = re.findall(r"<img [^>]*>", built.html["a"])
    assert 'alt="A falling line."' in first
    assert 'alt="_images/' in second
    assert all("dark-light" in image for image in (first, second))
    assert "just a text" in built.html["a"]


@pytest.mark.parametrize(
    "mime", ["application/vnd.plotly.v1+json", "application/geo+json", "application/vnd.backprop.page", "text/plain"]
)
def test_what_others_show_is_no_checked_output(mime):
    assert kind_of(mime) is None


def test_a_derivation_that_only_begins_claims_nothing():
    start = {**RECORDS["derivation"], "steps": [], "evidence": "identical"}
    assert validated("derivation", start) == start


def test_the_lines_of_a_derivation_are_counted_from_one(build_pages):
    html = build_pages(a=notebook(("derivation", RECORDS["derivation"]))).html["a"]
    assert re.findall(r'aria-label="(The starting point|Line \d)"', html) == ["The starting point", "Line 1", "Line 2"]


def test_the_page_about_the_marks_does_not_lead_to_itself(build_pages):
    name, page = "book/what_proved_means", notebook(("derivation", RECORDS["derivation"]), markdown="# Marks")
    assert "What do the marks mean?" not in build_pages(**{name: page}).html[name]


def test_a_row_of_a_break_it_table_is_the_bug_and_its_outcomes(build_pages):
    html = build_pages(a=notebook(("table", RECORDS["table"]))).html["a"]
    assert rows_of(html, "Which check catches which bug") == [["$dW$ halved", "○ passes", "● caught"]]


def test_a_counterexample_without_an_index_has_no_place(build_pages):
    records = []
    for index in ({}, None):
        found = {**RECORDS["refusal"]["counterexample"], "index": index}
        records.append(("refusal", {**RECORDS["refusal"], "counterexample": found}))
    html = build_pages(a=notebook(*records)).html["a"]
    terms = re.findall(r"<dt>(.*?)</dt>", html)
    assert terms == ["Sizes", "Left side", "Right side"] * 2


# Formulas -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine(katex):
    return Katex(katex)


def test_a_macro_that_changes_its_meaning_changes_the_formula(engine):
    meanings = [engine.html(r"\ones", display=False, macros={r"\ones": rf"\mathbf{{{digit}}}"}) for digit in (1, 2)]
    assert len(set(meanings)) == 2


def test_math_that_is_shown_as_code_may_be_broken(engine):
    assert in_one_piece(engine, r"\frac{a}{b}", {})
    assert not in_one_piece(engine, r"\frac{a}", {})


# Docstrings -----------------------------------------------------------------------------------------------------------


def test_docstrings_show_as_they_are_written_and_fields_without_words_are_left_out(build_pages):
    asked = ".. autofunction:: corpus.documented.shrunk\n\n.. autoclass:: corpus.documented.Pair\n   :members:"
    built = build_pages(api=f"# API\n\n```{{eval-rst}}\n{asked}\n```\n")
    assert built.warnings == ""
    text = shown(built.html["api"])
    assert "The value |z| of z_, at most n*m." in text
    assert "Two numbers." in text
    assert "Their sum." in text
    assert "Alias for field" not in text


# What the theme does not say ------------------------------------------------------------------------------------------


def paragraphs(*texts, inside=nodes.section):
    document = new_document("page")
    holder = inside()
    document += holder
    for part in texts:
        holder += nodes.paragraph("", "", nodes.Text(part) if isinstance(part, str) else part)
    return document


@pytest.mark.parametrize("letters", range(1, 9))
def test_a_description_holds_as_many_whole_words_as_there_is_room_for(letters):
    words = ["b" * letters] * 200
    text = description("Title", paragraphs(" ".join(words)))
    kept = text.removesuffix(" …").split(" ")
    assert kept == words[: len(kept)]
    assert len(text) <= LONGEST < len(" ".join(words[: len(kept) + 1])) + len(" …")


def test_a_description_is_made_of_the_paragraphs_of_sections():
    assert description("Title", paragraphs("One,", nodes.math("x", "x"), "two.")) == "One, two."
    assert description("Title", paragraphs("In a list.", inside=nodes.list_item)).startswith("Title: ")
    assert description("Title", paragraphs("a" * LONGEST)) == "a" * LONGEST


def test_a_page_without_words_is_described_by_its_title(build_pages, tmp_path):
    pages = build_pages(a="# Layers & co\n\n- A list.\n").html
    index = (tmp_path / "html" / "genindex.html").read_text(encoding="utf-8")
    for html, title in ((pages["a"], "1. Layers &amp; co"), (index, "Index")):
        assert f'<meta name="description" content="{title}: Backpropagation' in html


def test_the_head_of_a_page_keeps_what_is_used_and_names_its_colours():
    icons = [
        '<script src="_static/vendor/fontawesome/6.5.2/js/all.min.js?digest=1"></script>',
        '<link rel="preload" as="font" type="font/woff2" crossorigin href="_static/fa-brands-400.woff2" />',
        '<link rel="preload" as="font" type="font/woff2" crossorigin href="_static/fa-regular-400.woff2" />',
    ]
    font = '<link rel="preload" as="font" type="font/woff2" crossorigin href="_static/fa-solid-900.woff2" />'
    modes = "".join(f"f({unnamed});" for unnamed, _ in MODES)
    head = lighter_head("".join(icons) + font + f"<script>{modes}</script>")
    assert head == font + "<script>" + "".join(f"f({named});" for _, named in MODES) + "</script>"


def test_the_parts_of_a_page_are_named():
    page = named_parts("".join(f"<p>{unnamed}</p>" for unnamed, _ in NAMED))
    assert page == "".join(f"<p>{named}</p>" for _, named in NAMED)


def test_a_reference_has_the_role_of_an_item_of_its_list(build_pages):
    page = "# A\n\n```{eval-rst}\nSee [B90]_.\n\n.. [B90] A book.\n```\n"
    html = build_pages(a=page).html["a"]
    assert "doc-biblioentry" not in html
    assert html.count('role="listitem"') == 1


# Small words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("26, 52, ...", "lines 26, 52, ..."),
        ("8, 288-290, and 68 places", "lines 8, 288-290, and 68 places"),
        ("implied, never stated", "implied, never stated"),
        ("12", "line 12"),
        ("the whole note, and 7", "the whole note, and 7"),
    ],
)
def test_where_a_claim_stands_in_its_note(lines, said):
    assert in_note(lines) == said


def test_an_hour_is_an_hour():
    def chosen(*minutes):
        return [task.minutes for task in fitting([Task("01_page", f"{k}", "A", "a", m) for k, m in enumerate(minutes)])]

    assert HOUR == 60
    assert chosen(30, 30) == [30, 30]
    assert chosen(30, 31, 29) == [30, 29]


# Elements -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "html"),
    [("div", '<div id="one"><span id="two"></span></div>'), ("hr", '<span id="two"></span><hr id="one">')],
)
def test_a_further_target_of_an_element_stands_within_it_or_before_it_where_it_holds_nothing(tag, html):
    page, node = SimpleNamespace(body=[]), markup.element(tag)
    node["ids"] = ["one", "two"]
    markup.visit_html(page, node)
    markup.depart_html(page, node)
    assert "".join(page.body) == html


def test_a_page_that_gathers_results_is_built_anew_when_a_notebook_changes(tmp_path, monkeypatch):
    (tmp_path / "book").mkdir()
    for name in ("a.ipynb", "b.ipynb", "c.md"):
        (tmp_path / "book" / name).touch()
    for name in ("built", "evidence", "gather", "ledger_rows"):
        monkeypatch.setattr(overview, name, lambda *_: [])
    noted = []
    overview.rows_of(SimpleNamespace(srcdir=tmp_path, note_dependency=noted.append))
    assert sorted(noted) == [str(tmp_path / "book" / name) for name in ("a.ipynb", "b.ipynb")]
