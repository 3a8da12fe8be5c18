"""Pages that gather what other pages hold: tables of exercises, results, claims and checks, symbols, and links back."""

import json
import re

import pytest
from corpus.outputs import RECORDS, formula, notebook, rows_of, shown

FIRST = {**RECORDS["derivation"], "label": "eq:first-dW", "given": [formula("m > 0")]}
SECOND = {**FIRST, "label": "eq:first-db", "given": [], "proves": [], "result": formula("b"), "evidence": "evaluated"}
CHECK = ("check", {"label": "eq:first-dW", "kind": "numpy", "bound": "1e-12"})
LAYER = """# Layer

::::{exercise} Think first
:label: nowhere

Why?
::::

See {eq}`eq:first-dW`.
"""
# The labels of three exercises of the package, by which what they ask for is known.
MATRIX = "# Matrix\n" + "".join(
    f"\n::::{{exercise}} {title}\n:label: {label}\n\nDo.\n::::\n"
    for title, label in [
        ("Count the paths", "matrix-paths"),
        ("Compute", "matrix-gradient-of-input"),
        ("Derive", "matrix-input-derivation"),
    ]
)
CLAIMS = [
    {"id": id, "note": note, "line": line, "between": between, "verdict": verdict, "verdict_in_full": "So.",
     "claim": f"{id} is said.", "correction": correction, "chapter": "01_linear_layer", "check": "executed"}
    for id, note, line, between, verdict, correction in [
        ("L1", "000", "5", "", "true", "Also here."),
        ("L2", "000", "7, 9", "", "false", "Not so."),
        ("X1", "clash", "", "000 and 002", "notation", ""),
    ]
]  # fmt: skip
EVIDENCE = {"pairs": 12345, "called equal": 30, "equal in numbers": 31, "wrongly called equal": 1}
GATHERING = """# Gathered

```{exercise-table}
```

```{exercise-hours}
```

```{results} All of *one* sheet
eq:first-dW the weights $W$
eq:first-db the bias
eq:first-db
eq:first-dW
```

```{every-result}
```

```{ledger} equations
```

```{ledger} evidence
```

```{ledger} claims
```

```{claims} 000
```

```{claims} clash
```
"""


@pytest.fixture
def built(tmp_path, build_pages):
    """Build two chapters, a page without a number that has an exercise as well, and a page that gathers."""
    source = tmp_path / "source"
    (source / "book" / "_data").mkdir(parents=True)
    (source / "evidence").mkdir()

    def build(page=GATHERING, claims=CLAIMS, first=FIRST):
        files = {"claims": {"claims": claims}, "formulas": {"formulas": [{"id": "P0.4", "words": "the weights"}]}}
        for name, held in files.items():
            (source / "book" / "_data" / f"{name}.json").write_text(json.dumps(held), encoding="utf-8")
        (source / "evidence" / "fuzz.json").write_text(json.dumps(EVIDENCE), encoding="utf-8")
        records = [("derivation", first), ("derivation", SECOND), CHECK, ("claim", {"ids": ["L2"]})]
        pages = {
            "book/01_linear_layer": notebook(*records, markdown=LAYER),
            "book/02_matrix_form": notebook(markdown=MATRIX),
            "book/extra": notebook(markdown="# Extra\n\n:::{exercise} One more\n:label: more\n:::\n"),
        }
        return build_pages(**pages, **{"book/gathered": page})

    return build


def test_the_tables_of_a_page_that_gathers(built):
    pages = built()
    assert pages.warnings == ""
    html = pages.html["book/gathered"]
    assert rows_of(html, "Every exercise") == [
        ["1", "Think first", "compute", "20"],
        ["2", "Count the paths", "answer", "5"],
        ["2", "Compute", "compute", "15"],
        ["2", "Derive", "derive", "15"],
        ["extra", "One more", "compute", "20"],
    ]
    assert rows_of(html, "An hour of each chapter") == [
        ["1", "nothing", "Think first", "20"],
        ["2", "1", "Count the paths; Compute; Derive", "35"],
    ]
    # From each row to its chapter, from both tables to the exercise.
    for page, count in (("02_matrix_form.html", 3 + 1), ("02_matrix_form.html#matrix-paths", 2)):
        assert html.count(f'<a class="reference internal" href="{page}">') == count
    ((check, *counts),) = rows_of(html, "What the long checks found")
    assert check.startswith("Pairs of random expressions")
    assert counts == ["12,345", "12,344", "30 were called equal, 31 are equal in numbers"]
    # The mark of a result is a sign, its word, and what that means.
    rows = rows_of(html, "Every labelled result")
    assert [[re.split("[✓≈]", cell)[0] for cell in row] for row in rows] == [
        ["(1.1)", r"$\partial L = X^T G$ given $m > 0$", "", "numpy < 1e‑12", "", "P0.4"],
        ["(1.2)", "$b$", "", "", "", ""],
    ]
    assert rows_of(html, "The claims of the notes") == [
        ["L1", "L1 is said. (line 5)", "So.", "Also here.", "not yet"],
        ["L2", "L2 is said. (lines 7, 9)", "So.", "Not so.", "a cell"],
        ["X1", "X1 is said.", "So.", "", "not yet"],
    ]
    assert '<a class="reference internal" href="01_linear_layer.html#claim-L2">a cell</a>' in html
    listed = html.partition('class="claims"')[2]
    said = [shown(part) for part in re.findall(r"<d[td][^>]*>(.*?)</d[td]>", listed, re.DOTALL)]
    assert said == [
        "L1 (line 5). So.", "The note: L1 is said.", "Remark: Also here.", "not settled yet",
        "L2 (lines 7, 9). So.", "The note: L2 is said.", "Right: Not so.", "settled by a cell",
        "X1 (000 and 002). So.", "The notes: X1 is said.", "not settled yet",
    ]  # fmt: skip


def test_blocks_of_results_say_their_words_their_hypotheses_and_their_numbers(built):
    html = built().html["book/gathered"]
    chosen, everything = html.split('class="results"')[1:]
    for block, title, terms in (
        (
            chosen,
            "All of one sheet",
            ["the weights $W$, given $m > 0$ (1.1)", "the bias (1.2)", "(1.2)", "given $m > 0$ (1.1)"],
        ),
        (everything, "Layer", ["given $m > 0$ (1.1)", "(1.2)"]),
    ):
        assert shown(re.search(r"<h2[^>]*>(.*?)</h2>", block)[1]) == title
        found = [shown(term) for term in re.findall(r"<dt>(.*?)</dt>", block.partition("</dl>")[0], re.DOTALL)]
        assert [re.split(" [✓≈]", term)[0] for term in found] == terms
    assert '<a class="reference internal" href="01_linear_layer.html"><span class="doc">Layer</span></a>' in everything


def test_a_page_that_gathers_is_drawn_anew_when_what_it_gathers_has_changed(built):
    page = GATHERING.partition("```{ledger} equations")[0]
    assert "$W_2$" not in shown(built(page).html["book/gathered"])
    renewed = built(page, first={**FIRST, "result": formula("W_2")})
    assert "$W_2$" in shown(renewed.html["book/gathered"])


def test_a_list_of_claims_is_drawn_anew_when_a_claim_has_changed(built):
    page = "# Claims\n\n```{claims} 000\n```\n"
    built(page)
    html = built(page, claims=[{**CLAIMS[0], "correction": "Since then."}]).html["book/gathered"]
    assert "Since then." in html


def test_names_of_claims_are_links_inside_the_book(built):
    html = built().html["book/01_linear_layer"]
    assert '<a class="row-link reference internal" href="gathered.html#row-L2" title="Note 000: false">L2</a>' in html


# Who refers to a result -----------------------------------------------------------------------------------------------

DERIVED = """# Derived

Here {eq}`eq:demo-dW` comes from.
"""
APART = "---\norphan: true\n---\n# Apart\n\n## Part\n\nBy {eq}`eq:demo-dW`.\n"
WITHOUT_TITLE = "Before any title: {eq}`eq:demo-dW`.\n\n# Late\n\nText.\n"


def test_the_uses_of_a_result_are_the_other_parts_that_tell_of_it(build_pages, tmp_path):
    """Not the part it stands in, no box that sums up, no text before a page's title; each part once."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "apart.md").write_text(APART, encoding="utf-8")
    new = notebook(("derivation", RECORDS["derivation"]), markdown=DERIVED)
    cell = new.cells[0]
    for text in ("## Later\n\nBy {eq}`eq:demo-dW`, and {eq}`eq:demo-dW` again.", "## Summed up"):
        new.cells.append(type(cell)({**cell, "id": f"{len(new.cells)}", "source": text}))
    summary = notebook(("summary", RECORDS["summary"])).cells[1]
    new.cells.append(type(summary)({**summary, "id": "s"}))
    early = notebook(("derivation", {**RECORDS["derivation"], "label": "eq:early-x"}), markdown="Before a title.")
    early.cells.append(type(cell)({**cell, "id": "t", "source": "# Early"}))
    pages = build_pages(
        derived=new,
        other="# Other\n\nBy {eq}`eq:demo-dW`.\n\n## Part\n\nAlso {eq}`eq:demo-dW`, see [](alone).",
        alone="# Alone\n\nNothing but {eq}`eq:early-x`.\n",
        early=early,
        late=WITHOUT_TITLE,
    )
    assert pages.warnings == ""
    uses = re.search(r'<details class="uses">(.*?)</details>', pages.html["derived"], re.DOTALL)[1]
    assert shown(re.search("<summary>(.*?)</summary>", uses)[1]) == "Used in 4 other places"
    assert "Used in 1 other place" in pages.html["early"]
    links = re.findall(r'<li><a class="reference internal" href="([^"]*)">([^<]*)</a>([^<]*)</li>', uses)
    assert links == [
        ("apart.html#part", "Part", " (Apart)"),
        ("#later", "Later", ""),
        ("other.html#other", "Other", ""),
        ("other.html#part", "Part", " (chapter 2)"),
    ]


# The notation page ----------------------------------------------------------------------------------------------------

NOTATION = r"""# Notation

| Symbol | Shape | Code | Meaning | Chapter |
|---|---|---|---|---|
| $X$ | $(m, n)$ | `X` | the inputs | 1 |
| $R$ | $(R,)$, number | | a ratio | 1 |
| $f$ | the shape of $Z$ | `f` | a function, é | 1 |
| $\delta^l$ | index | | a letter | 2 |

| Letter | Meaning |
|---|---|
| $q$ | no symbol |

| Symbol | Shape | Code | Meaning |
|---|---|---|---|
| $k$ | | | without a chapter |
"""


def test_each_symbol_says_its_shape_and_its_code(build_pages, tmp_path):
    (tmp_path / "source" / "book").mkdir(parents=True)
    built = build_pages(**{"book/notation": NOTATION})
    assert built.warnings == ""
    script = (tmp_path / "html" / "_static" / "notation.js").read_text(encoding="utf-8")
    told = json.loads(script.removeprefix("backpropNotation(").removesuffix(");\n"))
    assert [shown(re.search("<dd>(.*)</dd>", row["html"])[1]) for row in told] == [
        "the inputsshape $(m, n)$, in the code X",
        "a ratioshape $(R,)$, number",
        "a function, éthe shape of $Z$, in the code f",
        "a letterindex",
        "without a chapter",
    ]
    assert [row["symbols"] for row in told] == [["X"], ["R"], ["f"], [r"\delta^l"], ["k"]]
    assert [row["index"] for row in told] == [False, False, False, True, False]
    page = built.html["book/notation"]
    assert re.findall(r'id="(symbol-\d)"', page) == [f"symbol-{k}" for k in range(1, 6)]
    assert "q; notation" not in (tmp_path / "html" / "genindex.html").read_text(encoding="utf-8")


def test_a_build_that_stopped_leaves_the_symbols_as_they_were(build_pages, tmp_path, monkeypatch):
    from sphinx.errors import ExtensionError

    (tmp_path / "source" / "book").mkdir(parents=True)

    def stop(*_):
        raise ExtensionError("stopped")

    monkeypatch.setattr("sphinx.builders.html.StandaloneHTMLBuilder.finish", stop)
    with pytest.raises(ExtensionError, match="stopped"):
        build_pages(**{"book/notation": NOTATION})
    assert not list((tmp_path / "html").rglob("notation.js"))
    assert not (tmp_path / "html" / "ledger.json").exists()
