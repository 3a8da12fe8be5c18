"""How pages become HTML: math, checked outputs, the boxes of a chapter; every refusal of bad input is seen."""

import copy
import json
import re

import nbformat
import pytest
from corpus.outputs import RECORDS, STEP, UNLABELLED, Outline, formula, notebook, shown
from docutils import nodes

from backprop.sphinxext.address import theme_options
from backprop.sphinxext.evidence import EXPLAINED, OF_ONE_LINE, OF_THE_WHOLE, OUTCOMES, SIGNS
from backprop.sphinxext.katex import Katex, MathError, lines_aligned
from backprop.sphinxext.records import FORMS, BadRecord, validated
from backprop.sphinxext.rows import RowLink, with_claims_linked
from backprop.sphinxext.theme import lighter_head, once
from backprop.sphinxext.uses import topic_and_name


def test_every_kind_has_an_example_here():
    assert set(RECORDS) == set(FORMS)


@pytest.mark.parametrize("kind", RECORDS)
def test_an_agreed_record_is_accepted(kind):
    assert validated(kind, RECORDS[kind]) == RECORDS[kind]


def broken_records():
    """Each record with a field missing, unknown, of another type or with another word."""
    for kind, record in RECORDS.items():
        for name in record:
            missing = {other: value for other, value in record.items() if other != name}
            yield pytest.param(kind, missing, "is missing", id=f"{kind} without {name}")
            yield pytest.param(kind, {**record, name: 1.5}, rf"{name}.*expected", id=f"{kind} {name} is a number")
        yield pytest.param(kind, {**record, "seconds": 1}, "unknown field 'seconds'", id=f"{kind} with another field")
        yield pytest.param(kind, [record], "expected an object", id=f"{kind} in a list")
    step = {**STEP, "evidence": "obvious"}
    yield pytest.param("derivation", {**RECORDS["derivation"], "steps": [step]}, "'obvious'", id="an unknown evidence")
    relation = {**STEP, "relation": "<"}
    yield pytest.param("derivation", {**RECORDS["derivation"], "steps": [relation]}, "'<'", id="an unknown relation")
    yield pytest.param("check", {**RECORDS["check"], "kind": "by eye"}, "by eye", id="an unknown kind of check")
    yield pytest.param("table", {**RECORDS["table"], "rows": [["a", "caught"]]}, "3 cells", id="a short row")
    for name in ("label", "latex", "evidence"):
        (result, sentence), summed = RECORDS["summary"]["results"], RECORDS["summary"]
        half = {**summed, "results": [sentence, {**result, name: None}]}
        yield pytest.param("summary", half, "a formula with its label", id=f"a result without {name}")
        half = {**summed, "results": [{**sentence, name: result[name]}]}
        yield pytest.param("summary", half, "a formula with its label", id=f"a sentence with {name}")
    yield pytest.param(
        "refusal", {**RECORDS["refusal"], "step": True}, "expected int", id="a step that is a truth value"
    )
    yield pytest.param("proof", {}, "unknown kind", id="an unknown kind")


@pytest.mark.parametrize(("kind", "record", "says"), list(broken_records()))
def test_any_other_record_is_refused(kind, record, says):
    with pytest.raises(BadRecord, match=says):
        validated(kind, record)


@pytest.mark.parametrize("weaker", ["expanded", "evaluated"])
def test_a_derivation_cannot_claim_more_than_its_weakest_step(weaker):
    record = copy.deepcopy(RECORDS["derivation"])
    record["steps"][1]["evidence"] = weaker
    with pytest.raises(BadRecord, match=f"only '{weaker}'"):
        validated("derivation", record)
    assert validated("derivation", {**record, "evidence": weaker})["evidence"] == weaker


def test_every_evidence_has_its_sign_and_words():
    assert set(SIGNS) == set(EXPLAINED) == set(OF_THE_WHOLE) == set(OF_ONE_LINE)
    assert len(set(SIGNS.values())) == len(SIGNS)


# Math ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine(katex):
    return Katex(katex)


def test_math_is_html_for_eyes_and_mathml_for_ears(engine):
    html = engine.html(r"\frac{a}{b}", display=True)
    assert "<math" in html
    assert 'class="katex-html" aria-hidden="true"' in html
    assert r'<annotation encoding="application/x-tex">\frac{a}{b}</annotation>' in html


@pytest.mark.parametrize(
    "tex", [r"\frac{a}", r"\unknown", "X^ᵀ", r"\text{Xᵀ}", r"a & b", r"\begin{align}a", r"\eqref{x}"]
)
def test_math_that_katex_does_not_know_is_refused(engine, tex):
    with pytest.raises(MathError):
        engine.html(tex, display=True)


def test_macros_are_for_one_formula_and_change_nothing_else(engine):
    assert "mathbf" in engine.html(r"\ones", display=False, macros={r"\ones": r"\mathbf{1}"})
    with pytest.raises(MathError):
        engine.html(r"\ones", display=False)
    engine.html(r"\gdef\mine{x}\mine", display=False)
    with pytest.raises(MathError):
        engine.html(r"\mine", display=False)


@pytest.mark.parametrize(
    ("tex", "aligned"),
    [
        ("a = b", "a = b"),
        (r"a &= b \\ &= c", r"\begin{aligned}a &= b \\ &= c\end{aligned}"),
        ("a\n\nb", r"\begin{aligned}a \\ b\end{aligned}"),
        (r"\begin{pmatrix}1 \\ 2\end{pmatrix}", r"\begin{pmatrix}1 \\ 2\end{pmatrix}"),
        (r"\begin{aligned}a \\ b\end{aligned}", r"\begin{aligned}a \\ b\end{aligned}"),
    ],
)
def test_lines_are_aligned_once(tex, aligned):
    assert lines_aligned(tex) == aligned


def test_bad_math_is_a_warning_with_its_place(build_pages):
    built = build_pages(a="# Title\n\nGood $x$.\n\nBad $\\frac{a}$.\n\n$$\n\\oops\n$$\n")
    assert re.search(r"a\.md:5: WARNING: math is not understood: .*\\frac\{a\}", built.warnings)
    assert re.search(r"a\.md:7: WARNING: math is not understood: .*\\oops", built.warnings)
    assert built.html["a"].count('class="math-error"') == 2


def test_a_mark_stays_with_the_formula_that_it_touches(build_pages):
    long = "a_1 + a_2 + a_3 + a_4 + a_5 + a_6 + a_7 + a_8 + a_9"
    built = build_pages(a=f"# Title\n\nSo ($x$), and $m = 3$; the $k$-th of ${long}$, and $y$ is {{math}}`z`.\n")
    assert built.warnings == ""
    html = built.html["a"]
    pieces = re.findall(r'<span class="unbroken">([^<]*)<span class="math-inline.*?<annotation[^>]*>([^<]*)<', html)
    assert pieces == [("(", "x"), ("", "m = 3"), ("", "k"), ("", "z")]
    for closed in ("</span>),</span> and", "</span>;</span> the", "</span>-th</span> of", "</span>.</span></p>"):
        assert closed in html
    assert "</span>, and <span" in html  # A long formula must be able to break.


def test_a_display_scrolls_in_a_box_of_its_own(build_pages):
    built = build_pages(a="# Title\n\n$$\nx\n$$ (def:demo-x)\n\n$$\ny\n$$\n")
    assert built.warnings == ""
    assert 'role="group" aria-label="Equation 1.1"' in built.html["a"]
    assert 'role="group" aria-label="Formula"' in built.html["a"]
    assert re.search(r'class="definition math-display|class="math-display numbered definition', built.html["a"])


def test_equations_are_referred_to_from_other_pages(build_pages):
    built = build_pages(
        a="# A\n\nSee {eq}`eq:demo-dW` and {eq}`def:demo-x`.\n\n$$\nx\n$$ (def:demo-x)\n",
        b=notebook(("derivation", RECORDS["derivation"]), markdown="# B\n\nBefore it: {eq}`def:demo-x`."),
    )
    assert built.warnings == ""
    assert 'href="b.html#equation-eq-demo-dw">(2.1)</a>' in built.html["a"]
    assert 'href="#equation-def-demo-x">(1.1)</a>' in built.html["a"]
    assert 'href="a.html#equation-def-demo-x">(1.1)</a>' in built.html["b"]
    assert 'id="equation-eq-demo-dw"' in built.html["b"]


def test_a_label_used_twice_and_a_label_that_is_nowhere_are_warnings(build_pages):
    page = notebook(("derivation", RECORDS["derivation"]))
    again = build_pages(a=page, b=notebook(("derivation", RECORDS["derivation"])))
    assert "duplicate label of equation eq:demo-dW" in again.warnings


def test_a_check_of_an_equation_that_is_nowhere_is_a_warning(build_pages):
    assert "equation not found: eq:demo-dW" in build_pages(a=notebook(("check", RECORDS["check"]))).warnings


def test_a_build_with_warnings_is_not_remembered(build_pages):
    bad = {"a": "# A\n\n$\\oops$\n"}
    first, second = build_pages(**bad), build_pages(**bad)
    assert "oops" in first.warnings
    assert second.warnings == first.warnings


def test_pages_drawn_by_an_older_version_are_drawn_again(build_pages, tmp_path, monkeypatch):
    page = {"a": "# A\n\n$x$\n"}
    assert '<span class="katex">' in build_pages(**page).html["a"]
    (tmp_path / "html" / "a.html").write_text("stale", encoding="utf-8")
    assert build_pages(**page).html["a"] == "stale"
    monkeypatch.setattr("backprop.sphinxext.fingerprint", lambda: 1)
    assert '<span class="katex">' in build_pages(**page).html["a"]


# Checked outputs ----------------------------------------------------------------------------------------------------


def always_shown(page):
    """The marks whose word shows at every width, each by the class of what it is in."""
    classes = [given.get("class", "").split() for _, given in page.tags]
    marks = [names[1].removeprefix("evidence-") for names in classes if names[:1] == ["evidence"]]
    words = [names for names in classes if names[:1] == ["word"]]
    return [mark for mark, names in zip(marks, words, strict=True) if "implied" not in names]


def drawn(build_pages, *records):
    built = build_pages(a=notebook(("derivation", RECORDS["derivation"]), *records))
    assert built.warnings == ""
    assert "fallback" not in built.html["a"]
    return Outline(built.html["a"])


def test_a_derivation_shows_lines_reasons_marks_and_its_number(build_pages):
    page = drawn(build_pages)
    assert len(page.having("derivation-line")) == 3
    assert len(page.having("derivation-reason")) == 2
    assert len(page.having("result")) == 1
    assert [given["aria-label"] for _, given in page.having("derivation")] == ["Derivation of eq:demo-dW"]
    for word in ("where", "given", "formula P0.4", "(1.1)", OF_THE_WHOLE["proved"], "Established by: rules."):
        assert word in page.text


def test_each_mark_is_explained_by_a_text_of_its_own(build_pages):
    page = drawn(build_pages)
    buttons = [given for tag, given in page.having("sign") if tag == "button"]
    tips = [given["id"] for _, given in page.having("tip")]
    assert len(buttons) == 3
    assert [button["aria-describedby"] for button in buttons] == tips
    assert len(set(tips)) == len(tips)
    assert EXPLAINED["proved"] in page.text
    assert EXPLAINED["identical"] in page.text


def test_a_derivation_leads_to_the_page_about_its_marks_if_there_is_one(build_pages):
    page = {"a": notebook(("derivation", RECORDS["derivation"]))}
    assert "What do the marks mean?" not in build_pages(**page).html["a"]
    built = build_pages(**page | {"book/what_proved_means": "# Marks\n", "b": notebook(("derivation", UNLABELLED))})
    assert built.warnings == ""
    links = re.findall(
        r'<a class="reference internal" href="book/what_proved_means.html"><span[^>]*>What', built.html["b"]
    )
    assert len(links) == 1


@pytest.mark.parametrize("evidence", ["expanded", "evaluated"])
def test_weaker_evidence_is_named_in_a_word_on_the_line_and_for_the_whole(build_pages, evidence):
    weak = {**RECORDS["derivation"], "label": "eq:demo-weak", "evidence": evidence}
    weak["steps"] = [{**STEP, "evidence": evidence}]
    page = drawn(build_pages, ("derivation", weak))
    assert always_shown(page) == [evidence]
    assert OF_ONE_LINE[evidence] in page.text
    weak["steps"] = [STEP, *weak["steps"]]
    page = drawn(build_pages, ("derivation", weak))
    assert always_shown(page) == [evidence] * 2
    assert OF_THE_WHOLE[evidence] in page.text


def test_a_result_of_one_step_is_shown_once(build_pages):
    single = {**RECORDS["derivation"], "steps": [STEP], "result": formula(r"\partial L = \mathtt{once}")}
    built = build_pages(a=notebook(("derivation", single)))
    assert built.warnings == ""
    page = Outline(built.html["a"])
    assert built.html["a"].count(r">\partial L = \mathtt{once}</annotation>") == 1
    assert r"= X^T G</annotation>" not in built.html["a"]
    assert len(page.having("result")) == len(page.having("eqno")) == 1
    assert len(page.having("evidence")) == 1
    for word in ("(1.1)", "row", "Established by: rules.", OF_ONE_LINE["proved"], "formula P0.4"):
        assert word in page.text


def test_a_derivation_without_a_label_has_no_number(build_pages):
    built = build_pages(a=notebook(("derivation", UNLABELLED)))
    assert built.warnings == ""
    page = Outline(built.html["a"])
    assert page.having("derivation-line")
    assert not page.having("result")
    assert not page.having("eqno")


def test_a_refusal_shows_the_step_the_counterexample_and_the_hint(build_pages):
    page = drawn(build_pages, ("refusal", RECORDS["refusal"]))
    for word in ("Step 2 is refused.", "A counterexample was found.", "1.25", "-0.5", "transpose it", "a hunch about"):
        assert word in page.text
    html = " ".join(page.texts)
    for latex in (r"D_{\mathrm{in}} = 3", "N = 2", "p = 0", r"X^T G \;\ne\; G^T X"):
        assert latex in html


@pytest.mark.parametrize(
    ("rung", "relation", "latex"),
    [
        ("proof", "=", r"\overset{?}{=}"),
        ("proof", "<=", r"\overset{?}{\le}"),
        ("shapes", "=", r"\ne"),
        ("refutation", "<=", r"\not\le"),
    ],
)
def test_a_refusal_claims_no_more_than_its_rung(build_pages, rung, relation, latex):
    record = {**RECORDS["refusal"], "rung": rung, "relation": relation, "counterexample": None, "hint": None}
    page = drawn(build_pages, ("refusal", record))
    assert rf"X^T G \;{latex}\; G^T X" in " ".join(page.texts)


def test_an_index_may_be_an_entry_in_words(build_pages):
    found = {**RECORDS["refusal"]["counterexample"], "index": "[0, 1]"}
    assert "entry [0, 1]" in drawn(build_pages, ("refusal", {**RECORDS["refusal"], "counterexample": found})).text


def test_checks_and_claims_are_quiet_lines(build_pages):
    page = drawn(build_pages, ("check", RECORDS["check"]), ("claim", RECORDS["claim"]))
    assert "Equation (1.1) agrees with finite differences: error below 1e-8" in page.text
    assert "Settles claims L17, X4 of the notes" in page.text
    assert len(page.having("quiet-line")) == 2
    # The ledger leads to each of the claims, and each id stands once.
    assert sorted(given["id"] for _, given in page.tags if given.get("id", "").startswith("claim-")) == [
        "claim-L17", "claim-X4"
    ]  # fmt: skip


def test_one_claim_is_no_claims(build_pages):
    assert "Settles claim L17 of the notes" in drawn(build_pages, ("claim", {"ids": ["L17"]})).text


def test_a_break_it_table_says_each_outcome_in_a_word(build_pages):
    page = drawn(build_pages, ("table", RECORDS["table"]))
    assert "○ passes" in page.text
    assert "● caught" in page.text
    assert len(set(OUTCOMES.values())) == len(OUTCOMES)
    words = [given for _, given in page.having("word") if given["class"] == "word"]
    assert len(words) == 2 * len(RECORDS["table"]["rows"][0][1:])  # the cells, and the legend
    assert [given.get("scope") for tag, given in page.tags if tag == "th"] == ["col", "col", "col", "row"]


def test_a_summary_shows_its_equations_with_number_and_mark(build_pages):
    built = build_pages(a=notebook(("derivation", RECORDS["derivation"]), ("summary", RECORDS["summary"])))
    assert built.warnings == ""
    box = re.search(r'<section[^>]*class="box summary-box".*?</section>', built.html["a"], re.DOTALL)[0]
    results = [shown(item) for item in re.findall(r"<li>(.*?)</li>", box, re.DOTALL)]
    assert re.match(r"One result\. ?\$X\^T G\$ ?\(1\.1\) ?✓ ?proved", results[0])
    assert results[1:] == ["A sentence with $m$.", "Real entries."]
    assert box.count('href="#equation-eq-demo-dw"') == 1
    assert "What was established" in box
    assert ">Limits<" in box


@pytest.mark.parametrize(("passed", "verdict", "state"), [(False, "Not yet.", "open"), (True, "Right.", "passed")])
def test_feedback_is_shown(build_pages, passed, verdict, state):
    page = drawn(build_pages, ("feedback", {**RECORDS["feedback"], "passed": passed}))
    assert f"{verdict} Your dW is halved." in page.text
    assert len(page.having(f"feedback-{state}")) == 1


@pytest.mark.parametrize(
    ("kind", "record", "says"),
    [
        ("derivation", {**RECORDS["derivation"], "start": "X"}, "derivation.start: expected an object"),
        ("derivation", {**RECORDS["derivation"], "steps": [{**STEP, "because": "costs $5"}]}, "dollar sign"),
        ("proof", {}, "unknown kind of checked output 'proof'"),
    ],
)
def test_a_malformed_output_is_a_warning_that_names_the_page(build_pages, kind, record, says):
    built = build_pages(a=notebook((kind, record)))
    assert re.search(rf"a\.ipynb.*WARNING: a checked output is malformed: .*{re.escape(says)}", built.warnings)


# The boxes of a chapter ---------------------------------------------------------------------------------------------

CARD = """# Title

:::{admonition} What does $X$ do?
:class: chapter-card

- **You will be able to** derive.
- **You need** products.
- **Time** 40 minutes.
- **Convention** rows.

| Symbol | Shape |
|---|---|
| $X$ | $(m, n)$ |

* Another list.
:::
"""


def outline(build_pages, text):
    built = build_pages(a=text)
    assert built.warnings == ""
    return Outline(built.html["a"])


def test_a_chapter_card_is_a_named_section_with_its_four_entries_then_the_rest_as_it_is(build_pages):
    built = build_pages(a=CARD)
    assert built.warnings == ""
    page = Outline(built.html["a"])
    ((tag, given),) = page.having("chapter-card")
    assert tag == "section"
    assert given["aria-labelledby"] in [other.get("id") for _, other in page.having("box-title")]
    card = re.search(r'<section[^>]*class="box chapter-card".*?</section>', built.html["a"], re.DOTALL)[0]
    said = ["You will be able to", "derive.", "You need", "products.", "Time", "40 minutes.", "Convention", "rows."]
    assert [shown(part) for part in re.findall(r"<d[td]>(.*?)</d[td]>", card, re.DOTALL)] == said
    assert [shown(part) for part in re.findall(r"<li>(.*?)</li>", card, re.DOTALL)] == ["Another list."]
    assert card.count("<dl") == card.count("<table") == 1


PREDICTION = """# T

::::{admonition} Guess
:class: prediction

What is $x$?

:::{admonition} Compare
:class: dropdown

It is one.
:::
::::
"""


def test_a_prediction_folds_its_answer_below_the_place_to_write(build_pages):
    page = outline(build_pages, PREDICTION)
    # The theme's search field has a name, the place to write has none.
    order = [tag for tag, given in page.tags if tag == "details" or (tag == "input" and "name" not in given)]
    assert order[:2] == ["input", "details"]
    assert all("open" not in given for tag, given in page.tags if tag == "details")
    assert "What is" in page.text
    assert "It is one." in page.text


@pytest.mark.parametrize("between", ["", "Something else first."])
def test_cells_between_gates_right_after_a_prediction_are_its_answer(build_pages, between):
    new = nbformat.v4
    question = PREDICTION[: PREDICTION.index(":::{admonition} Compare")] + "::::"
    cells = [
        new.new_markdown_cell(f"{question}\n\n{between}"),
        new.new_markdown_cell(":::{solution-start} Compare with mine\n:::"),
        new.new_code_cell("answer = 1", execution_count=1),
        new.new_markdown_cell(":::{solution-end}\n:::"),
        new.new_markdown_cell("What follows."),
    ]
    built = build_pages(a=new.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}}))
    assert built.warnings == ""
    box = re.search(r'<section[^>]*class="box prediction".*?</section>', built.html["a"], re.DOTALL)[0]
    assert ("answer" in box and "<summary>Compare with mine</summary>" in box) == (not between)
    assert built.html["a"].count("<details") == 1
    assert "What follows." in built.html["a"].replace(box, "")


EXERCISES = """# T

See {ref}`demo-Second`.

:::{exercise}
One.
:::

::::{exercise} Two sums
:label: demo-Second

Do.

:::{hint} First
:class: dropdown

Think.
:::

:::{admonition} Solution
:class: dropdown

So.
:::
::::
"""


def test_an_exercise_is_numbered_and_referred_to(build_pages):
    page = outline(build_pages, EXERCISES)
    assert "See Exercise 2 ." in page.text
    assert "Exercise 2 Two sums" in page.text
    assert [given["class"] for tag, given in page.tags if tag == "details"] == ["reveal hint", "reveal"]


def test_a_gate_folds_text_and_cells(build_pages):
    new = nbformat.v4
    cells = [
        new.new_markdown_cell("# T\n\nBefore.\n\n:::{solution-start}\n:::"),
        new.new_markdown_cell("Inside."),
        new.new_code_cell("inside = 1", execution_count=1),
        new.new_markdown_cell(":::{solution-end}\n:::\n\nAfter."),
    ]
    built = build_pages(a=new.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}}))
    assert built.warnings == ""
    folded = re.search(r'<details class="reveal solution">(.*?)</details>', built.html["a"], re.DOTALL)[1]
    assert "Inside." in folded
    assert "inside" in folded
    assert "Before." not in folded
    assert "After." in built.html["a"].replace(folded, "")


def test_an_erratum_says_both_sides(build_pages):
    page = outline(build_pages, "# T\n\n:::{admonition} Note\n:class: note-erratum\n\nMean.\n\n---\n\nSum.\n\n:::\n")
    assert "The note says Mean. What is true Sum." in page.text


@pytest.mark.parametrize("quoted", ['"Mean" is said', '"$m$" is said', 'He says "mean"'])
def test_quotation_marks_in_a_box_open_and_close(build_pages, quoted):
    box = f"# T\n\n:::{{admonition}} Note\n:class: note-erratum\n\n{quoted}.\n\n---\n\n{quoted}.\n\n:::\n"
    assert re.findall("[“”]", outline(build_pages, box).text) == ["“", "”"] * 2


def test_the_claims_in_an_erratums_title_are_links_and_other_letters_are_not():
    parsed = [nodes.Text("layer L3, (2) and the heading (L2, X4)"), nodes.math("(L5)", "(L5)")]
    made = with_claims_linked(parsed)
    assert [node["row"] for node in made if isinstance(node, RowLink)] == ["L2", "X4"]
    assert "".join(node.astext() for node in made) == "layer L3, (2) and the heading (L2, X4)(L5)"


QUIZ = (
    "# T\n\n:::{admonition} Which $x$?\n:class: quiz\n\n- [ ] one\n\n  Too small.\n- [x] two\n  As $1 + 1$ is.\n:::\n"
)


def test_a_quiz_is_a_group_of_labelled_radio_buttons(build_pages):
    page = outline(build_pages, QUIZ)
    radios = [given for tag, given in page.tags if tag == "input" and given.get("type") == "radio"]
    labels = [given["for"] for tag, given in page.tags if tag == "label"]
    assert [radio["id"] for radio in radios] == labels
    assert len({radio["name"] for radio in radios}) == 1
    assert [tag for tag, _ in page.tags].count("legend") == 1
    assert "Choice 1: one" in page.text
    assert "No. Too small." in page.text
    assert "Yes. As" in page.text


def test_other_admonitions_stay_what_they_are(build_pages):
    page = outline(build_pages, "# T\n\n:::{admonition} Title\n:class: tip\n\nText.\n:::\n")
    ((tag, given),) = page.having("admonition")
    assert tag == "div"
    assert "tip" in given["class"]


BAD_BOXES = {
    "a card without an entry": (
        CARD.replace("- **Time** 40 minutes.\n", ""),
        "expected a list of You will be able to, You need, Time, Convention in bold, "
        "got You will be able to, You need, Convention",
    ),
    "a card without a list": (re.sub("[-*] .*\n", "", CARD), "Convention in bold, got none"),
    "a card whose entry is not bold": (CARD.replace("**Time**", "Time"), "each entry starts with its name in bold"),
    "a card without a table": (re.sub(r"\|.*\n", "", CARD), "expected one table of shapes, got 0"),
    "a prediction whose answer is open": (
        "# T\n\n:::{admonition} P\n:class: prediction\n\na\n\n---\n\nb\n:::\n",
        "expected the answer in an admonition of the class dropdown",
    ),
    "an erratum in one part": (
        "# T\n\n:::{admonition} N\n:class: note-erratum\n\nMean.\n:::\n",
        "what is true, got 1 part",
    ),
    "a quiz without a right choice": (QUIZ.replace("[x]", "[ ]"), "exactly one of them"),
    "a quiz with two right choices": (QUIZ.replace("[ ]", "[x]"), "exactly one of them"),
    "a quiz with one choice": (re.sub("- .*\n\n  Too small.\n", "", QUIZ), "at least two choices"),
    "a quiz without a why": (QUIZ.replace("  Too small.\n", ""), "'one' has no indented paragraph"),
    "two exercises of one label": (
        "# T\n\n:::{exercise}\n:label: a\n:::\n\n:::{exercise}\n:label: a\n:::\n",
        "the label 'a' is already used in a",
    ),
    "a start with a text inside": ("# T\n\n:::{solution-start}\nLost.\n:::\n\n:::{solution-end}\n:::\n", "Has content"),
    "a start without an end": ("# T\n\n:::{solution-start}\n:::\n", "solution-start without solution-end"),
    "an end with a text inside": ("# T\n\n:::{solution-start}\n:::\n\n:::{solution-end} Lost.\n:::\n", "Has content"),
    "an end without a start": ("# T\n\n:::{solution-end}\n:::\n", "solution-end without solution-start"),
    "an end in another section": (
        "# T\n\n:::{solution-start}\n:::\n\n## S\n\n:::{solution-end}\n:::\n",
        "without solution-",
    ),
}


@pytest.mark.parametrize("name", BAD_BOXES)
def test_a_box_that_is_not_well_formed_is_reported(build_pages, name):
    text, says = BAD_BOXES[name]
    assert says in build_pages(a=text).warnings


# The theme and the address --------------------------------------------------------------------------------------------


def test_a_changed_theme_stops_the_build():
    with pytest.raises(Exception, match="the theme has changed: expected one"):
        lighter_head("<head></head>")
    with pytest.raises(Exception, match="found 2"):
        once("b", "x", "abcb")


def test_the_browsers_tab_shows_a_title_as_text(build_pages):
    title = re.search(r"<title>(.*?)</title>", build_pages(a="# The role of $X$\n").html["a"], re.DOTALL)[1]
    assert "<" not in title
    assert "The role of X" in title


@pytest.mark.parametrize("address", ["github.com/owner/name", "https://example.org/book", "https://github.com/owner"])
def test_an_address_that_is_not_a_repository_is_refused(address):
    with pytest.raises(Exception, match="backprop_address: expected"):
        theme_options(address)


def test_a_result_lists_the_parts_that_refer_to_it(build_pages):
    derived = notebook(("derivation", RECORDS["derivation"]))
    pages = build_pages(derived=derived, other="# Other\n\n## Later\n\nBy {eq}`eq:demo-dW`.", alone="# Alone")
    assert "Used in 1 other place" in pages.html["derived"]
    assert 'href="other.html#later"' in pages.html["derived"]
    again = build_pages(derived=derived, other="# Other\n\n## Later\n\nNo longer.", alone="# Alone")
    assert 'class="uses"' not in again.html["derived"]


def test_equations_are_in_the_index(build_pages, tmp_path):
    build_pages(derived=notebook(("derivation", RECORDS["derivation"])))
    index = (tmp_path / "html" / "genindex.html").read_text(encoding="utf-8")
    assert 'href="derived.html#equation-eq-demo-dw"' in index
    assert topic_and_name("eq:demo-dW") == ("demo", "dW")


NOTATION = """# Notation

| Symbol | Shape | Code | Meaning | Chapter |
|---|---|---|---|---|
| $X$ | $(m, n)$ | `X` | the inputs | 1 |
| $\\delta^l$ | index | | a letter | 2 |
"""


def test_the_notation_page_becomes_a_script_and_entries_of_the_index(build_pages, tmp_path):
    (tmp_path / "source" / "book").mkdir(parents=True)
    build_pages(**{"book/notation": NOTATION})
    script = (tmp_path / "html" / "_static" / "notation.js").read_text(encoding="utf-8")
    rows = json.loads(script.removeprefix("backpropNotation(").removesuffix(");\n"))
    assert [row["symbols"] for row in rows] == [["X"], [r"\delta^l"]]
    assert [row["index"] for row in rows] == [False, True]
    assert "the inputs" in rows[0]["html"]
    assert "<code>X</code>" in rows[0]["html"]
    index = (tmp_path / "html" / "genindex.html").read_text(encoding="utf-8")
    assert 'href="book/notation.html#symbol-2"' in index
    assert "delta^l" in index


def test_a_page_is_described_by_its_first_words_without_formulas(build_pages):
    pages = build_pages(page="# Page\n\nWith $x$ it begins.\n\nThe first words, and *more*.\n\n" + "Long. " * 60)
    (found,) = re.findall(r'<meta name="description" content="([^"]*)"', pages.html["page"])
    assert found.startswith("The first words, and more. Long.")
    assert len(found) <= 162
    assert found.endswith("…")
