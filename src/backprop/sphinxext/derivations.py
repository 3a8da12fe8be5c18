"""A derivation as rows: the line, the reason beside it, the mark of what established it; then the numbered result."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from docutils import nodes

from backprop.sphinxext.drawing import Place, formula, inline
from backprop.sphinxext.evidence import OF_THE_WHOLE
from backprop.sphinxext.markup import Markup, element, text_with_math
from backprop.sphinxext.records import RELATIONS


def derivation(place: Place, record: dict[str, Any]) -> Markup:
    label = record["label"]
    named = f"Derivation of {label}" if label else "Derivation"
    figure = element("figure", classes=f"derivation evidence-{record['evidence']}", aria_label=named)
    for lead, formulas in (("where", record["let"]), ("given", record["given"])):
        if formulas:
            figure += meanings(lead, formulas)
    lines = [line(place, number, step) for number, step in enumerate(record["steps"], start=1)]
    start = element(
        "li", formula(record["start"]["latex"], "The starting point"), classes="derivation-line derivation-start"
    )
    figure += element("ol", start, *lines, classes="derivation-lines", role="list")
    if label:
        figure += place.numbered(record["result"]["latex"], label)
    figure += evidence_of_the_whole(place, record)
    return figure


def meanings(lead: str, formulas: list[dict[str, str]]) -> Markup:
    """The definitions ("where …") or the hypotheses ("given …")."""
    listed = [element("li", inline(rf"\displaystyle {each['latex']}")) for each in formulas]
    words = element("span", lead, classes="lead")
    return element("div", words, element("ul", *listed, role="list"), classes=f"derivation-{lead}")


def line(place: Place, number: int, step: dict[str, Any]) -> Markup:
    math = formula(f"{RELATIONS[step['relation']]} {step['latex']}", f"Line {number}")
    because = element("span", *text_with_math(step["because"]), classes="because")
    reason = element("div", because, place.mark(step["evidence"], step["detail"]), classes="derivation-reason")
    return element("li", math, reason, classes="derivation-line")


def evidence_of_the_whole(place: Place, record: dict[str, Any]) -> Markup:
    evidence = record["evidence"]
    words = element("span", OF_THE_WHOLE[evidence])
    caption = element("figcaption", place.mark(evidence), words, classes="derivation-evidence")
    if record["proves"]:
        noun = "formula" if len(record["proves"]) == 1 else "formulas"
        caption += element("span", f"{noun} {', '.join(record['proves'])}", classes="proves")
    if record["label"] and place.env.config.backprop_address:
        caption += report(place, record["label"])
    return caption


def report(place: Place, label: str) -> nodes.reference:
    title = quote(f"{label} on {place.env.docname}")
    address = f"{place.env.config.backprop_address.rstrip('/')}/issues/new?title={title}"
    return nodes.reference("", "report this equation", refuri=address, internal=False, classes=["report"])
