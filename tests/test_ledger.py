"""The ledger and the book's own rules: each is seen to fail on a book that breaks it, and holds for the real one."""

import copy
import importlib
import json
import re
from pathlib import Path

import ledger as command
import pytest

from backprop.course import lint, notation
from backprop.course.book import Book, read_book
from backprop.course.ledger import gather, ledger_rows, write

ROOT = Path(__file__).resolve().parents[1]
REAL = read_book(ROOT / "book")


def mime(kind):
    return f"application/vnd.backprop.{kind}+json"


def code(text, *shown, **metadata):
    outputs = [{"output_type": "display_data", "data": {mime(kind): data}} for kind, data in shown]
    return {"cell_type": "code", "source": text, "outputs": outputs, "metadata": metadata}


def derivation(label="eq:linear-dW", latex=r"\frac{\partial L}{\partial W} = X^{\top} dZ", **changed):
    return "derivation", {
        "label": label,
        "proves": ["P0.4"],
        "given": [],
        "result": {"latex": latex, "text": "dL/dW = X' dZ"},
        "evidence": "proved",
        **changed,
    }


def check(label="eq:linear-dW", kind="numpy", bound="1e-12"):
    return "check", {"label": label, "kind": kind, "bound": bound}


NOTATION = "| Symbol | Shape |\n|---|---|\n| $L$, $W$, $X$, $dZ$ | any |\n"
CLAIMS = (
    {"id": "L17", "verdict": "true", "chapter": "01_linear_layer", "check": "executed"},
    {"id": "L32", "verdict": "notation", "chapter": "01_linear_layer", "check": "text"},
    {"id": "M1", "verdict": "overclaim", "chapter": "02_matrix_form", "check": "executed"},
)
FORMULAS = (
    {"id": "P0.4", "chapter": "01_linear_layer", "latex": r"dW = X^{\top} dZ", "equation": True},
    {"id": "P0.5", "chapter": "01_linear_layer", "latex": "", "equation": False},
    {"id": "P1.1", "chapter": "02_matrix_form", "latex": "", "equation": True},
)


@pytest.fixture
def book():
    """A book of one chapter that keeps every rule."""
    cells = [
        code('dW = Derivation(Grad(L, W), label="eq:linear-dW", proves=["P0.4"])\ndW', derivation()),
        {
            "cell_type": "markdown",
            "source": ["$$Z = X W$$ (def:layer)\n", "\n", "See {eq}`eq:linear-dW`."],
            "metadata": {},
        },
        code("check(…)", check(), check(kind="autodiff", bound="2e-12"), check(kind="autodiff", bound="1e-9")),
        code('settle("L17", holds=True)', ("claim", {"ids": ["L17"]})),
        code('summary(("The weights gather.", dW), values={"bound": bound})'),
    ]
    cells[2]["source"] = "worst"
    return Book({"01_linear_layer": cells}, {"notation": NOTATION}, CLAIMS, FORMULAS)


def changed(book, page="01_linear_layer", **markdown):
    """A copy of the book with its own cells, and other Markdown pages."""
    cells = copy.deepcopy(book.notebooks[page])
    return Book({page: cells}, {**book.markdown, **markdown}, book.claims, book.formulas), cells


def test_the_ledger_holds_what_the_notebooks_showed(book, tmp_path):
    (tmp_path / "mutation.json").write_text('{"mutants": {"eq:linear-dW": {"refused": 31, "tried": 31}}}')
    fuzz = {"pairs": 100, "called equal": 30, "equal in numbers": 31, "wrongly called equal": 1}
    (tmp_path / "fuzz.json").write_text(json.dumps(fuzz))
    ledger = gather(book, tmp_path)
    assert [(row["tried"], row["caught"]) for row in ledger["evidence"]] == [(100, 99)]
    assert ledger["equations"] == [
        {
            "id": "eq:linear-dW",
            "proves": ["P0.4"],
            "chapter": "01_linear_layer",
            "latex": r"\frac{\partial L}{\partial W} = X^{\top} dZ",
            "evidence": "proved",
            "given": [],
            "checks": {"numpy": "< 1e-12", "autodiff": "< 1e-9"},
            "mutants_refused": "31/31",
            "where": "01_linear_layer.html#equation-eq-linear-dw",
        }
    ]
    assert ledger["claims"] == [
        {"id": "L17", "verdict": "true", "where": "01_linear_layer.html#claim-L17", "check": "executed"},
        {"id": "L32", "verdict": "notation", "where": "01_linear_layer.html", "check": "text"},
        {"id": "M1", "verdict": "overclaim", "where": "02_matrix_form.html", "check": "open"},
    ]


def test_what_is_not_there_is_not_made_up(book, tmp_path):
    assert gather(book)["equations"][0]["mutants_refused"] is None
    assert gather(book, tmp_path / "missing")["equations"][0]["mutants_refused"] is None
    broken, cells = changed(book)
    cells[0]["outputs"] = cells[2]["outputs"] = []
    assert gather(broken)["equations"] == []


def test_a_result_without_a_label_is_no_row(book):
    broken, cells = changed(book)
    cells[0]["outputs"][0]["data"][mime("derivation")]["label"] = None
    assert gather(broken)["equations"] == []


def test_the_page_has_a_row_for_each_equation(book):
    (row,) = ledger_rows(gather(book))
    assert row["checks"] == ["numpy < 1e-12", "autodiff < 1e-9"]
    assert row["proves"] == "P0.4"


def test_gathering_from_a_folder_and_writing_beside_the_index(book, tmp_path):
    pages = tmp_path / "book"
    (pages / "_data").mkdir(parents=True)
    for page, cells in book.notebooks.items():
        (pages / f"{page}.ipynb").write_text(json.dumps({"cells": cells}))
    (pages / "_data" / "claims.json").write_text(json.dumps({"claims": book.claims}))
    (pages / "_data" / "formulas.json").write_text(json.dumps({"formulas": book.formulas}))
    path = write(gather(pages), tmp_path)
    assert path.name == "ledger.json"
    assert json.loads(path.read_text(encoding="utf-8")) == gather(book)
    assert path.read_text(encoding="utf-8").endswith("\n")
    with pytest.raises(FileNotFoundError, match="expected the folder of the book's pages"):
        gather(tmp_path / "missing")


def test_a_book_that_keeps_every_rule(book):
    assert lint.complaints(book) == []


def lose_the_output(cells, markdown):
    cells[0]["outputs"] = []


def type_a_result(cells, markdown):
    cells[1]["source"] = "$$dW = X^{\\top} dZ$$ (eq:linear-typed)"


def type_a_result_in_a_fence(cells, markdown):
    cells[1]["source"] = "```{math}\n:label: eq:linear-typed\ndW = X\n```"


def use_a_label_twice(cells, markdown):
    cells.append(code("dW", derivation()))


def use_a_label_that_differs_in_case_only(cells, markdown):
    cells.append(code("dW", derivation("eq:linear-dw")))


def misname_a_label(cells, markdown):
    cells.append(code("dW", derivation("dW")))


def check_what_is_not_there(cells, markdown):
    cells.append(code("worst", check("eq:linear-dB")))


def prove_what_is_not_there(cells, markdown):
    cells.append(code("dB", derivation("eq:linear-dB", proves=["P0.7"])))


def settle_what_is_not_there(cells, markdown):
    cells.append(code("settle", ("claim", {"ids": ["L7"]})))


def lose_a_claim(cells, markdown):
    del cells[3]


def lose_a_proof(cells, markdown):
    cells[0]["outputs"][0]["data"][mime("derivation")]["proves"] = []


def type_a_number_into_a_summary(cells, markdown):
    cells[4]["source"] = 'course.summary(("The weights gather.", dW), values={"bound": 1e-12})'


def type_a_digit_into_a_sentence(cells, markdown):
    cells[4]["source"] = 'summary("All 31 mutants are refused.")'


def type_a_digit_into_a_box(cells, markdown):
    cells[1]["source"] = ":::{summary-box}\nAll 31 mutants are refused.\n:::"


def type_a_digit_into_an_admonition(cells, markdown):
    cells[1]["source"] = ":::{admonition} Summary\n:class: summary-box\nAll 31 mutants are refused.\n:::"


def use_an_undeclared_symbol(cells, markdown):
    cells.append(code("dB", derivation("eq:linear-dB", latex=r"Q = \omega")))


def use_an_undeclared_symbol_in_the_text(cells, markdown):
    cells[1]["source"] = "Let $\\omega$ be small, and `$Q$` code."


def lose_the_notation_page(cells, markdown):
    del markdown["notation"]


def show_a_figure_without_words(cells, markdown):
    cells.append(code("plt.show()"))
    cells[-1]["outputs"] = [{"output_type": "display_data", "data": {"image/svg+xml": "<svg/>"}, "metadata": {}}]


BROKEN = [
    (lose_the_output, "labelled_results_are_in_the_ledger: .* eq:linear-dW is labelled but no output shows it"),
    (type_a_result, "display_equations_are_definitions_or_derived: .* eq:linear-typed is neither a definition"),
    (type_a_result_in_a_fence, "display_equations_are_definitions_or_derived: .* eq:linear-typed is neither a"),
    (use_a_label_twice, "labels_are_used_once: .* eq:linear-dW is used twice"),
    (use_a_label_that_differs_in_case_only, "labels_are_used_once: .* eq:linear-dw is used twice"),
    (misname_a_label, "labels_have_their_form: .* 'dW' is not eq:"),
    (check_what_is_not_there, "checks_have_their_result: .* checks eq:linear-dB, which no derivation has"),
    (prove_what_is_not_there, "proved_formulas_exist: .* proves P0.7, which is no formula"),
    (settle_what_is_not_there, "settled_claims_exist: .* settles L7, which is no claim"),
    (lose_a_claim, "claims_keep_their_check: 01_linear_layer: no cell settles claim L17"),
    (lose_a_proof, "formulas_are_proved: 01_linear_layer: no derivation proves P0.4"),
    (type_a_number_into_a_summary, "summaries_hold_no_typed_digit: .* typed value 1e-12"),
    (type_a_digit_into_a_sentence, "summaries_hold_no_typed_digit: .* typed value 'All 31 mutants are refused.'"),
    (type_a_digit_into_a_box, "summaries_hold_no_typed_digit: .* the typed digit 3"),
    (type_a_digit_into_an_admonition, "summaries_hold_no_typed_digit: .* the typed digit 3"),
    (use_an_undeclared_symbol, "symbols_are_declared: .* the symbol Q is not on the notation page"),
    (
        use_an_undeclared_symbol_in_the_text,
        r"symbols_of_the_text_are_declared: .* the symbol \\omega is not on the notation page",
    ),
    (lose_the_notation_page, "symbols_are_declared: there is no notation page"),
    (show_a_figure_without_words, "figures_have_alternatives: .* a figure without a text alternative"),
]


@pytest.mark.parametrize(("breaks", "complaint"), BROKEN, ids=[breaks.__name__ for breaks, _ in BROKEN])
def test_each_rule_is_seen_to_fail(book, breaks, complaint):
    broken, cells = changed(book)
    breaks(cells, broken.markdown)
    assert any(re.search(complaint, said) for said in lint.complaints(broken)), lint.complaints(broken)


def test_every_rule_is_among_those_seen_to_fail():
    assert {rule.__name__ for rule in lint.RULES} == {complaint.split(":")[0] for _, complaint in BROKEN}


def test_what_the_rules_let_pass(book):
    fine, cells = changed(book)
    cells[1]["source"] = (
        ":::{exercise} Who\n:label: linear-who\n:::\n\n:::{summary-box}\nSee {eq}`eq:linear-1`.\n:::\n\n"
        "```{math}\n:label: def:layer-2\nZ = X W\n```"
    )
    show_a_figure_without_words(cells, fine.markdown)
    cells[-1]["outputs"][0]["metadata"] = {"image/svg+xml": {"alt": "A line."}}
    show_a_figure_without_words(cells, fine.markdown)
    cells[-1]["metadata"] = {"mystnb": {"image": {"alt": "A line."}}}
    assert lint.complaints(fine) == []


@pytest.mark.parametrize(
    ("latex", "found"),
    [
        (r"\sum_{i} X_{ip} \left(\frac{\partial L}{\partial Z}\right)_{iq}", {"X", "L", "Z", "i", "p", "q"}),
        (r"\mathbf{1}^{\top} \mathcal L", {r"\mathbf{1}", r"\mathcal{L}"}),
        (r"n_{\mathrm{in}} \operatorname{Var}(w)", {"n", "in", "Var", "w"}),
        (r"\ln \sum_k e^{z_k - c}, \quad \varepsilon \phi", {"ln", "k", "e", "z", "c", r"\varepsilon", r"\phi"}),
        (r"\begin{aligned} A &= B \\ \end{aligned} \tag{7}", {"A", "B"}),
        (r"\lVert a \rVert \le \lvert b \rvert \odot \hat{y}", {"a", "b", "y"}),
    ],
)
def test_the_symbols_of_a_formula(latex, found):
    assert notation.symbols(latex) == found


@pytest.mark.parametrize(
    ("page", "rows"),
    [
        ("| Symbol | Shape |\n|---|---|\n| $X$, $W$ | $m$ |", [["$X$, $W$", "$m$"]]),
        # The line below the head is no row, however its columns are aligned; an empty cell ends no row.
        ("| Symbol | Shape |\n| :---: | --: |\n| $X$ | |\n| $W$ | - |", [["$X$", ""], ["$W$", "-"]]),
        # Tables of something else, also where one opens the page or follows one of symbols.
        ("| Letter |\n|---|\n| $Q$ |", []),
        ("| Symbol |\n|---|\n| $X$ |\n\n| Letter |\n|---|\n| $Q$ |", [["$X$"]]),
    ],
)
def test_the_rows_of_a_notation_page_are_those_below_symbol(page, rows):
    assert notation.rows(page) == rows


def test_the_notation_page_says_for_each_symbol_what_it_is_and_where_it_comes_from():
    for row in notation.rows(REAL.markdown["notation"]):
        symbol, _shape, _code, meaning, chapter = row
        assert symbol.startswith("$"), row
        assert meaning, row
        assert 1 <= int(chapter) <= 14, row


def test_the_code_names_of_the_notation_page_exist():
    text = " ".join(row[2] for row in notation.rows(REAL.markdown["notation"]))
    names = re.findall(r"`(activations|initializers|layers|losses)(?:\.(\w+))?`", text)
    assert len(names) >= 6
    for module, name in names:
        found = importlib.import_module(f"backprop.{module}")
        assert not name or hasattr(found, name), f"backprop.{module}.{name}"


DERIVED = {
    **derivation()[1],
    "let": [],
    "start": {"latex": "dW", "text": "dW"},
    "steps": [
        {"relation": "=", "latex": "X", "text": "X", "because": "rows", "evidence": "proved", "detail": None},
    ],
}
SETTLED = ("claim", {"ids": ["L17"]})
PAGE = "# Ledger\n\n```{{ledger}} equations\n```\n\n```{{ledger}} claims\n{options}\n```\n"


@pytest.fixture
def built(book, tmp_path, build_pages):
    """Build a chapter and the ledger's page, and beside them a notebook that is left out."""
    pages = tmp_path / "source" / "book"
    (pages / "_data").mkdir(parents=True)
    texts = {"line": "1", "claim": "$W$.", "verdict_in_full": "True.", "correction": ""}
    claims = [{**claim, **texts, "note": "000" if claim["id"][0] == "L" else "001"} for claim in book.claims]
    (pages / "_data" / "claims.json").write_text(json.dumps({"claims": claims}))
    cells = [
        {"cell_type": "markdown", "source": "# Layer", "metadata": {}},
        {**code("dW", ("derivation", DERIVED), check(), SETTLED, SETTLED), "execution_count": 1},
    ]
    for output in cells[1]["outputs"]:
        output["metadata"] = {}
    notebook = {"cells": cells, "metadata": {"language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 4}
    unlisted = json.dumps(notebook).replace("eq:linear-dW", "eq:draft-dW")
    (pages / "draft.ipynb").write_text(unlisted)

    def build(page):
        settings = {"exclude_patterns": ["book/draft.ipynb"]}
        return build_pages(**{"book/01_linear_layer": notebook, "book/ledger": page}, settings=settings)

    return build


def test_the_page_and_the_file_hold_the_same_ledger(built, tmp_path):
    pages = built(PAGE.format(options=""))
    assert pages.warnings == ""
    table, chapter = pages.html["book/ledger"], pages.html["book/01_linear_layer"]
    ledger = json.loads((tmp_path / "html" / "ledger.json").read_text(encoding="utf-8"))
    (equation,) = ledger["equations"]
    settled = ledger["claims"][0]["where"]
    for where in (equation["where"], settled):
        page, anchor = where.split("#")
        assert page == "01_linear_layer.html"
        assert chapter.count(f'id="{anchor}"') == 1
    assert f'href="{settled}"' in table
    assert f'href="{equation["where"]}"' in table
    assert "numpy &lt;\N{NO-BREAK SPACE}1e\N{NON-BREAKING HYPHEN}12" in table
    assert "eq:draft-dW" not in table


def test_the_names_of_claims_and_formulas_lead_to_their_rows(built):
    pages = built(PAGE.format(options=""))
    table, chapter = pages.html["book/ledger"], pages.html["book/01_linear_layer"]
    for name, title in (("L17", ' title="Note 000: true"'), ("P0.4", "")):
        assert f'href="ledger.html#row-{name}"{title}>{name}</a>' in chapter
        assert table.count(f'id="row-{name}"') == 1
    assert "row-link" not in built("# Ledger\n\nNothing.\n").html["book/01_linear_layer"]


def test_the_claims_of_one_note(built):
    table = built(PAGE.format(options=":note: 001")).html["book/ledger"]
    assert ">M1<" in table
    assert ">L17<" not in table


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ("# Ledger\n\n```{ledger} formulas\n```\n", "expected 'equations', 'evidence' or 'claims', got 'formulas'"),
        (PAGE.format(options=":note: 005"), "expected a note of 000, 001, got '005'"),
    ],
)
def test_a_ledger_of_something_else_is_reported(built, page, complaint):
    assert complaint in built(page).warnings


def test_the_real_book_keeps_every_rule():
    assert lint.complaints(REAL) == []


def test_the_command_writes_the_ledger_of_the_book(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(command, "complaints", lambda book: [])
    assert command.main([str(tmp_path)]) == 0
    assert json.loads((tmp_path / "ledger.json").read_text(encoding="utf-8")) == gather(REAL, ROOT / "evidence")
    assert "ledger.json" in capsys.readouterr().out


def test_the_command_asks_for_a_built_book(tmp_path, capsys):
    assert command.main([str(tmp_path / "missing")]) == 1
    assert "Build the book first" in capsys.readouterr().err


def test_the_command_lists_what_is_wrong_and_fails(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(command, "complaints", lambda book: ["labels_are_used_once: eq:a-b is used twice"])
    assert command.main([str(tmp_path)]) == 1
    assert "eq:a-b is used twice" in capsys.readouterr().err


def test_every_labelled_result_of_the_book_is_proved():
    """The page "What 'proved' means here" says so; a weaker one would have to be named there."""
    weaker = {e["id"]: e["evidence"] for e in gather(REAL)["equations"] if e["evidence"] not in ("proved", "identical")}
    assert weaker == {}
