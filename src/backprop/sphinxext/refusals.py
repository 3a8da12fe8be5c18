"""A refused step, as clear as a proved one: the two sides, the counterexample with its sizes and values, the hint."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes

from backprop.sphinxext.drawing import Place, formula, inline, sign
from backprop.sphinxext.evidence import REFUSED_BY
from backprop.sphinxext.markup import Markup, element, text_with_math
from backprop.sphinxext.records import RELATIONS

NEGATED = {"=": r"\ne", "<=": r"\not\le"}


def refusal(place: Place, record: dict[str, Any]) -> Markup:
    which = "This step is refused." if record["step"] is None else f"Step {record['step']} is refused."
    box = element("figure", classes=f"refusal refused-by-{record['rung']}", aria_label=which)
    words = f" {REFUSED_BY[record['rung']]}"
    box += element("p", sign("✗"), element("strong", which), words, classes="refusal-title")
    sides = rf"{record['left']['latex']} \;{relation(record)}\; {record['right']['latex']}"
    box += formula(sides, "The refused step")
    if record["because"]:
        box += with_lead("The reason given: ", record["because"])
    if record["counterexample"]:
        box += counterexample(record["counterexample"])
    if record["hint"]:
        box += with_lead("Hint: ", record["hint"])
    full = nodes.literal_block(record["message"], record["message"], language="none")
    box += element("details", element("summary", "The message in full"), full)
    return box


def relation(record: dict[str, Any]) -> str:
    """Not equal where that was seen; equal with a question mark where nothing was seen either way."""
    if record["rung"] == "proof":
        return rf"\overset{{?}}{{{RELATIONS[record['relation']]}}}"
    return NEGATED[record["relation"]]


def with_lead(lead: str, text: str) -> Markup:
    return element("p", element("span", lead, classes="lead"), *text_with_math(text))


def counterexample(found: dict[str, Any]) -> Markup:
    rows = []
    if found["sizes"]:
        rows.append(("Sizes", equations(found["sizes"])))
    if isinstance(found["index"], dict) and found["index"]:
        rows.append(("At", equations(found["index"])))
    elif found["index"]:
        rows.append(("At", [nodes.Text(f"entry {found['index']}")]))
    for name, value in (("Left side", found["left"]), ("Right side", found["right"])):
        rows.append((name, [nodes.literal(value, value)]))
    terms = [part for name, value in rows for part in (element("dt", name), element("dd", *value))]
    return element("dl", *terms, classes="counterexample")


def equations(values: dict[str, Any]) -> list[nodes.Node]:
    shown = [part for name, value in values.items() for part in (inline(equation(name, value)), nodes.Text(", "))]
    return shown[:-1]


def equation(name: str, value: object) -> str:
    r"""A size or an index as math; what follows an underscore is a subscript in upright letters.

    Examples
    --------
    >>> equation("D_in", 3)
    'D_{\\mathrm{in}} = 3'
    """
    stem, _, below = re.sub(r"[^A-Za-z0-9_]", "", name).partition("_")
    subscript = rf"_{{\mathrm{{{below.replace('_', ',')}}}}}" if below else ""
    return f"{stem}{subscript} = {value}"
