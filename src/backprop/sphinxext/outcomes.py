"""The quieter records: checks and claims in one line, the break-it table, feedback on an exercise, the summary."""

from __future__ import annotations

from typing import Any

from docutils import nodes

from backprop.course.ledger import claim_anchor
from backprop.sphinxext.drawing import Place, formula, sign
from backprop.sphinxext.evidence import CHECKED_BY, OUTCOMES
from backprop.sphinxext.markup import Markup, element, text_with_math
from backprop.sphinxext.rows import row_links


def check(place: Place, record: dict[str, Any]) -> Markup:
    words = f" agrees with {CHECKED_BY[record['kind']]}: error below {record['bound']}"
    return element("p", sign("✓"), " Equation ", place.reference(record["label"]), words, classes="quiet-line check")


def claim(place: Place, record: dict[str, Any]) -> Markup:
    noun = "claim" if len(record["ids"]) == 1 else "claims"
    words = [f" Settles {noun} ", *row_links(record["ids"]), " of the notes"]
    line = element("p", sign("✓"), *words, classes="quiet-line claim")
    # The ledger links to the first cell that settles a claim; an id stands on a page only once.
    marked = place.env.temp_data.setdefault("backprop-claims", set())
    line["ids"] += [claim_anchor(name) for name in record["ids"] if name not in marked]
    marked.update(record["ids"])
    return line


def feedback(place: Place, record: dict[str, Any]) -> Markup:
    verdict = element("strong", "Right. " if record["passed"] else "Not yet. ")
    state = "passed" if record["passed"] else "open"
    return element("p", verdict, record["message"], classes=f"quiet-line feedback-{state}")


def table(place: Place, record: dict[str, Any]) -> Markup:
    """Which check catches which bug: the outcome is a word and a sign, never a colour alone.

    On a phone the eye gets the signs, with a legend; the words stay for a screen reader.
    """
    titles = [element("span", *text_with_math(name)) for name in record["header"]]
    head = element("tr", *[element("th", title, scope="col") for title in titles])
    body = element("tbody", *[table_row(row) for row in record["rows"]])
    drawn = element("table", element("thead", head), body, classes="break-it")
    named = "Which check catches which bug"
    box = element("div", drawn, classes="table-scroll", tabindex="0", role="group", aria_label=named)
    seen = {word for row in record["rows"] for word in row[1:]}
    meanings = [element("span", *outcome(word), classes=outcome_class(word)) for word in OUTCOMES if word in seen]
    return element("div", box, element("p", *meanings, classes="legend", aria_hidden="true"), classes="break-it-table")


def table_row(row: list[str]) -> Markup:
    cells = [element("td", *outcome(word), classes=outcome_class(word)) for word in row[1:]]
    return element("tr", element("th", *text_with_math(row[0]), scope="row"), *cells)


def outcome(word: str) -> list[nodes.Node]:
    glyph = [element("span", OUTCOMES[word], aria_hidden="true"), nodes.Text(" ")] if word in OUTCOMES else []
    return [*glyph, element("span", word, classes="word" if glyph else "")]


def outcome_class(word: str) -> str:
    return "outcome-" + word.replace(" ", "-")


def summary(place: Place, record: dict[str, Any]) -> Markup:
    name = place.new_id("summary")
    heading = element("p", *text_with_math(record["title"]), classes="box-title")
    heading["ids"].append(name)
    results = element("ul", *[summary_result(place, each) for each in record["results"]], classes="summary-results")
    box = element("section", heading, results, classes="box summary-box", aria_labelledby=name)
    if record["limits"]:
        limits = element("ul", *[element("li", *text_with_math(limit)) for limit in record["limits"]])
        box += [element("p", "Limits", classes="lead"), limits]
    return box


def summary_result(place: Place, result: dict[str, Any]) -> Markup:
    item = element("li", element("span", *text_with_math(result["text"])))
    if result["label"]:
        number = element("span", place.reference(result["label"]), classes="summary-number")
        stated = formula(result["latex"], f"Result {result['label']}")
        item += element("div", stated, number, place.mark(result["evidence"]), classes="summary-formula")
    return item
