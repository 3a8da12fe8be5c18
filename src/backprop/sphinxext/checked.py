"""Checked outputs become HTML: derivations in rows with their reasons, refusals with their counterexample, checks in one quiet line."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from docutils import nodes
from docutils.nodes import make_id
from myst_nb.core.render import MimeData, MimeRenderPlugin, NbElementRenderer
from sphinx import addnodes
from sphinx.util import logging

from backprop.sphinxext.markup import Markup, UnbalancedMath, element, text_with_math
from backprop.sphinxext.records import FORMS, PREFIX, REFUSED, RELATIONS, SUFFIX, BadRecord, kind_of, validated

logger = logging.getLogger(__name__)

MARKS = {"identical": "≡", "proved": "✓", "expanded": "#", "evaluated": "≈"}
EXPLAINED = {
    "identical": "Identical: both sides are the same expression once written out. True for all sizes.",
    "proved": "Proved: both sides have the same normal form, with every size left symbolic. True for all sizes.",
    "expanded": "Expanded: proved at the listed sizes only, entry by entry. Not a proof for all sizes.",
    "evaluated": "Evaluated: both sides agree at random points. This is evidence, not a proof.",
}
WHOLE = {
    "identical": "Every line is the same expression as the one before it, for all sizes.",
    "proved": "Every line is proved for all sizes.",
    "expanded": "At least one line is proved at the listed sizes only.",
    "evaluated": "At least one line was only compared at random points.",
}
OUTCOMES = {"caught": "●", "stops": "●", "passes": "○"}
REFUSED_AT = {
    "shapes": "The two sides do not have the same shape.",
    "refutation": "A counterexample was found.",
    "proof": "No counterexample was found, but no proof either.",
}
CHECKED_BY = {
    "numpy": "the NumPy code",
    "finite difference": "finite differences",
    "complex step": "the complex step",
    "autodiff": "automatic differentiation",
}


class CheckedOutputRenderer(MimeRenderPlugin):
    """MyST-NB's entry point: our records win over the LaTeX and plain text that travel beside them."""

    mime_priority_overrides = [("*", f"{PREFIX}{kind}{SUFFIX}", 1) for kind in FORMS]  # noqa: RUF012 (MyST-NB's own form)

    @staticmethod
    def handle_mime(renderer: NbElementRenderer, data: MimeData, inline: bool) -> list[nodes.Element] | None:
        kind = kind_of(data.mime_type)
        if kind is None:
            return None
        env = renderer.renderer.sphinx_env
        if env is None:
            return None
        try:
            record = json.loads(data.content) if isinstance(data.content, (str, bytes)) else data.content
            drawn = Drawing(env, data.line)
            return [getattr(drawn, kind)(validated(kind, record))]
        except (BadRecord, UnbalancedMath, json.JSONDecodeError) as error:
            place = (env.docname, data.line)
            logger.warning("checked output is malformed: %s", error, location=place, type="backprop", subtype="record")
            return [nodes.literal_block(str(error), str(error), classes=["record-error"])]


class Drawing:
    """Draws records for one place of one page."""

    def __init__(self, env: Any, line: int | None) -> None:
        self.env = env
        self.place = (env.docname, line)

    # -- the kinds -------------------------------------------------------------------------------------------------

    def derivation(self, record: dict[str, Any]) -> Markup:
        label = record["label"]
        figure = element("figure", classes=f"derivation evidence-{record['evidence']}")
        figure["attributes"]["aria-label"] = f"Derivation of {label}" if label else "Derivation"
        figure["record"] = {"label": label, "proves": list(record["proves"])}
        figure += [self.meanings("where", record["let"]), self.meanings("given", record["given"])]
        lines = element("ol", self.first_line(record["start"]), classes="derivation-lines", role="list")
        lines += [self.line(number, step) for number, step in enumerate(record["steps"], start=1)]
        figure += lines
        if label:
            figure += self.numbered(record["result"]["latex"], label)
        figure += self.whole_evidence(record)
        figure.children = [child for child in figure.children if child.children]
        return figure

    def refusal(self, record: dict[str, Any]) -> Markup:
        which = f"Step {record['step']} is refused." if record["step"] is not None else "This step is refused."
        box = element("figure", classes=f"refusal refused-by-{record['rung']}", aria_label=which)
        box += element(
            "p", _hidden_glyph("✗"), element("strong", which), " ", REFUSED_AT[record["rung"]], classes="refusal-title"
        )
        relation = (
            REFUSED[record["relation"]]
            if record["rung"] != "proof"
            else r"\overset{?}{" + RELATIONS[record["relation"]] + "}"
        )
        box += self.formula(
            f"{record['left']['latex']} \\;{relation}\\; {record['right']['latex']}", "The refused step"
        )
        if record["because"]:
            box += element(
                "p", element("span", "The reason given: ", classes="lead"), *text_with_math(record["because"])
            )
        if record["counterexample"]:
            box += self.counterexample(record["counterexample"])
        if record["hint"]:
            box += element(
                "p", element("span", "Hint: ", classes="lead"), *text_with_math(record["hint"]), classes="refusal-hint"
            )
        full = nodes.literal_block(record["message"], record["message"], language="none")
        box += element("details", element("summary", "The message in full"), full)
        return box

    def check(self, record: dict[str, Any]) -> Markup:
        text = f" agrees with {CHECKED_BY[record['kind']]}: error below {record['bound']}"
        mark = element("span", "✓", classes="mark", aria_hidden="true")
        return element("p", mark, " Equation ", self.reference(record["label"]), text, classes="quiet-line check")

    def claim(self, record: dict[str, Any]) -> Markup:
        claims = "claim " if len(record["ids"]) == 1 else "claims "
        mark = element("span", "✓", classes="mark", aria_hidden="true")
        return element(
            "p", mark, f" Settles {claims}{', '.join(record['ids'])} of the notes", classes="quiet-line claim"
        )

    def summary(self, record: dict[str, Any]) -> Markup:
        name = self.new_id("summary")
        heading = element("p", *text_with_math(record["title"]), classes="box-title")
        heading["ids"].append(name)
        results = element(
            "ul", *[self.summary_result(result) for result in record["results"]], classes="summary-results"
        )
        box = element("section", heading, results, classes="box summary-box", aria_labelledby=name)
        if record["limits"]:
            limits = element("ul", *[element("li", *text_with_math(limit)) for limit in record["limits"]])
            box += [element("p", "Limits", classes="lead"), limits]
        return box

    def summary_result(self, result: dict[str, Any]) -> Markup:
        item = element("li", element("span", *text_with_math(result["text"])))
        if result["label"]:
            number = element("span", self.reference(result["label"]), classes="summary-number")
            marks = [self.mark(result["evidence"], None)] if result["evidence"] else []
            formula = self.formula(result["latex"] or "", f"Result {result['label']}")
            item += element("div", formula, number, *marks, classes="summary-formula")
        return item

    def table(self, record: dict[str, Any]) -> Markup:
        """Which check catches which bug: the outcome is a word and a sign, never a colour alone."""
        head = element("tr", *[element("th", *text_with_math(name), scope="col") for name in record["header"]])
        rows = [self.outcomes(row) for row in record["rows"]]
        table = element("table", element("thead", head), element("tbody", *rows), classes="break-it")
        label = "Which check catches which bug"
        return element("div", table, classes="table-scroll", tabindex="0", role="group", aria_label=label)

    def outcomes(self, row: list[str]) -> Markup:
        cells = [element("td", *_outcome(word), classes="outcome-" + word.replace(" ", "-")) for word in row[1:]]
        return element("tr", element("th", *text_with_math(row[0]), scope="row"), *cells)

    def feedback(self, record: dict[str, Any]) -> Markup:
        verdict = element("strong", "Right. " if record["passed"] else "Not yet. ")
        state = "passed" if record["passed"] else "open"
        return element("p", verdict, record["message"], classes=f"quiet-line feedback-{state}")

    # -- their parts -------------------------------------------------------------------------------------------------

    def meanings(self, lead: str, formulas: list[dict[str, str]]) -> Markup:
        """The definitions ("where …") or the hypotheses ("given …") of a derivation."""
        if not formulas:
            return element("div")
        listed = [element("li", _math(f"\\displaystyle {formula['latex']}")) for formula in formulas]
        words = element("span", lead, classes="lead")
        return element("div", words, element("ul", *listed, role="list"), classes=f"derivation-{lead}")

    def first_line(self, start: dict[str, str]) -> Markup:
        return element(
            "li", self.formula(start["latex"], "The starting point"), classes="derivation-line derivation-start"
        )

    def line(self, number: int, step: dict[str, Any]) -> Markup:
        math = self.formula(f"{RELATIONS[step['relation']]} {step['latex']}", f"Line {number}")
        because = element("span", *text_with_math(step["because"]), classes="because")
        reason = element("div", because, self.mark(step["evidence"], step["detail"]), classes="derivation-reason")
        return element("li", math, reason, classes="derivation-line")

    def mark(self, evidence: str, detail: str | None) -> Markup:
        """A small sign with its meaning in words, shown on hover and on keyboard focus, read by a screen reader."""
        name = self.new_id("evidence")
        explained = EXPLAINED[evidence] + (f" Established by: {detail}." if detail else "")
        tip = element("span", *text_with_math(explained), classes="tip", role="tooltip")
        tip["ids"].append(name)
        word = "visually-hidden" if evidence in ("identical", "proved") else "word"
        sign = element("span", MARKS[evidence], aria_hidden="true")
        button = element(
            "button",
            sign,
            element("span", evidence, classes=word),
            classes="mark",
            type="button",
            aria_describedby=name,
        )
        return element("span", button, tip, classes=f"evidence evidence-{evidence}")

    def whole_evidence(self, record: dict[str, Any]) -> Markup:
        evidence = record["evidence"]
        caption = element(
            "figcaption", self.mark(evidence, None), element("span", WHOLE[evidence]), classes="derivation-evidence"
        )
        if record["proves"]:
            formulas = "formula " if len(record["proves"]) == 1 else "formulas "
            caption += element("span", formulas + ", ".join(record["proves"]), classes="proves")
        if record["label"] and self.env.config.backprop_address:
            caption += self.report(record["label"])
        return caption

    def report(self, label: str) -> nodes.reference:
        title = quote(f"{label} on {self.env.docname}")
        address = f"{self.env.config.backprop_address.rstrip('/')}/issues/new?title={title}"
        return nodes.reference("", "report this equation", refuri=address, internal=False, classes=["report"])

    def counterexample(self, found: dict[str, Any]) -> Markup:
        sizes = [_equation(name, value) for name, value in found["sizes"].items()]
        rows = [("Sizes", _joined(sizes))] if sizes else []
        if isinstance(found["index"], dict) and found["index"]:
            rows.append(("At", _joined([_equation(name, value) for name, value in found["index"].items()])))
        elif found["index"]:
            rows.append(("At", [nodes.Text(f"entry {found['index']}")]))
        rows += [("Left side", [_code(found["left"])]), ("Right side", [_code(found["right"])])]
        terms = [part for name, value in rows for part in (element("dt", name), element("dd", *value))]
        return element("dl", *terms, classes="counterexample")

    def formula(self, latex: str, spoken: str) -> nodes.math_block:
        block = nodes.math_block(latex, latex, nowrap=False, number=None, label=None)
        block["aria-label"] = spoken
        return block

    def numbered(self, latex: str, label: str) -> nodes.math_block:
        """The result, known to Sphinx's math domain: ``{eq}`` finds it from every page, and a second one is a warning."""
        block = nodes.math_block(
            latex, latex, nowrap=False, number=None, label=label, docname=self.env.docname, classes=["result"]
        )
        domain = self.env.get_domain("math")
        domain.note_equation(self.env.docname, label, location=self.place)
        block["number"] = domain.get_equation_number_for(label)
        block["ids"].append(make_id(f"equation-{label}"))
        return block

    def reference(self, label: str) -> addnodes.pending_xref:
        options = {"refdomain": "math", "reftype": "eq", "reftarget": label, "refdoc": self.env.docname}
        return addnodes.pending_xref("", nodes.literal(label, label), refexplicit=False, refwarn=True, **options)

    def new_id(self, kind: str) -> str:
        return f"{kind}-{self.env.new_serialno(f'backprop-{kind}') + 1}"


def _outcome(word: str) -> list[nodes.Node]:
    sign = OUTCOMES.get(word)
    return [element("span", sign, aria_hidden="true"), nodes.Text(f" {word}")] if sign else [nodes.Text(word)]


def _hidden_glyph(glyph: str) -> Markup:
    return element("span", glyph, classes="mark", aria_hidden="true")


def _math(latex: str) -> nodes.math:
    return nodes.math(latex, latex)


def _code(text: str) -> nodes.literal:
    return nodes.literal(text, text)


def _equation(name: str, value: Any) -> nodes.math:
    r"""``D_in = 3`` as math: what follows an underscore is a subscript in upright letters."""
    stem, _, below = re.sub(r"[^A-Za-z0-9_]", "", str(name)).partition("_")
    symbol = stem + (rf"_{{\mathrm{{{below}}}}}" if below else "")
    return _math(f"{symbol} = {value}")


def _joined(formulas: list[nodes.math]) -> list[nodes.Node]:
    return [part for formula in formulas for part in (formula, nodes.Text(", "))][:-1]
