"""A derivation as rows: the line, the reason beside it, the mark of what established it; then the numbered result."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from docutils import nodes

from backprop.sphinxext.drawing import Place, formula, inline
from backprop.sphinxext.evidence import OF_ONE_LINE, OF_THE_WHOLE
from backprop.sphinxext.markup import Markup, element, text_with_math
from backprop.sphinxext.records import RELATIONS
from backprop.sphinxext.rows import row_links
from backprop.sphinxext.uses import UsesOf

MARKS = ("book/what_proved_means", "What do the marks mean?")


def derivation(place: Place, record: dict[str, Any]) -> Markup:
    label = record["label"]
    named = f"Derivation of {label}" if label else "Derivation"
    figure = element("figure", classes=f"derivation evidence-{record['evidence']}", aria_label=named)
    for lead, formulas in (("where", record["let"]), ("given", record["given"])):
        if formulas:
            figure += meanings(lead, formulas)
    alone = label is not None and len(record["steps"]) == 1
    if alone:
        figure += only_line(place, record)
    else:
        figure += all_lines(place, record)
        if label:
            figure += place.numbered(record["result"]["latex"], label)
    figure += evidence_of_the_whole(place, record, alone=alone)
    return figure


def only_line(place: Place, record: dict[str, Any]) -> Markup:
    """A result of one step is its own only line: shown once, with its number, its reason and its mark."""
    stated = place.numbered(record["result"]["latex"], record["label"])
    return element("div", stated, reason(place, record["steps"][0]), classes="derivation-only")


def all_lines(place: Place, record: dict[str, Any]) -> Markup:
    start = formula(record["start"]["latex"], "The starting point")
    lines = [line(place, number, step) for number, step in enumerate(record["steps"], start=1)]
    first = element("li", start, classes="derivation-line derivation-start")
    return element("ol", first, *lines, classes="derivation-lines", role="list")


def meanings(lead: str, formulas: list[dict[str, str]]) -> Markup:
    """The definitions ("where …") or the hypotheses ("given …")."""
    listed = [element("li", inline(rf"\displaystyle {each['latex']}")) for each in formulas]
    words = element("span", lead, classes="lead")
    return element("div", words, element("ul", *listed, role="list"), classes=f"derivation-{lead}")


def line(place: Place, number: int, step: dict[str, Any]) -> Markup:
    math = formula(f"{RELATIONS[step['relation']]} {step['latex']}", f"Line {number}")
    return element("li", math, reason(place, step), classes="derivation-line")


def reason(place: Place, step: dict[str, Any]) -> Markup:
    because = element("span", *text_with_math(step["because"]), classes="because")
    return element("div", because, place.mark(step["evidence"], step["detail"]), classes="derivation-reason")


def evidence_of_the_whole(place: Place, record: dict[str, Any], *, alone: bool) -> Markup:
    """What the weakest line allows to say; a result of one line bears the mark of the whole already."""
    evidence = record["evidence"]
    said = [] if alone else [place.mark(evidence)]
    said.append(element("span", (OF_ONE_LINE if alone else OF_THE_WHOLE)[evidence]))
    if place.env.docname != MARKS[0] and (link := place.link_to_page(*MARKS)):
        said.append(element("span", link, classes="about-marks"))
    caption = element("figcaption", element("div", *said, classes="whole"), classes="derivation-evidence")
    if record["proves"]:
        noun = "formula" if len(record["proves"]) == 1 else "formulas"
        caption += element("span", f"{noun} ", *row_links(record["proves"]), classes="proves")
    if record["label"]:
        caption += UsesOf(label=record["label"])
    if record["label"] and place.env.config.backprop_address:
        caption += report(place, record["label"])
    return caption


def report(place: Place, label: str) -> nodes.reference:
    title = quote(f"{label} on {place.env.docname}")
    address = f"{place.env.config.backprop_address.rstrip('/')}/issues/new?title={title}"
    return nodes.reference("", "report this equation", refuri=address, internal=False, classes=["report"])
