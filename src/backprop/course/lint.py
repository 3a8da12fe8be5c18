"""What the whole book must keep, and no single notebook can: labels, claims, formulas and symbols that fit together.

Each rule is a function from a `Book` to a list of complaints; a book that keeps it gets an empty list.
"""

import ast
import re
from collections import Counter

from backprop.course.book import Book, source
from backprop.course.ledger import equation_anchor
from backprop.course.notation import declared, symbols

_MATH_FENCE = re.compile(r"^(`{3,}|:{3,})\s*\{math\}.*?^\1", re.MULTILINE | re.DOTALL)
_BOX_FENCE = re.compile(r"^(:{3,}|`{3,})\s*\{(?P<kind>[\w-]+)\}.*?^\1\s*$", re.MULTILINE | re.DOTALL)


def complaints(book: Book) -> list[str]:
    """All complaints about a book, each with the name of its rule."""
    return [f"{rule.__name__}: {complaint}" for rule in RULES for complaint in rule(book)]


def labelled_results_are_in_the_ledger(book):
    """A derivation that is labelled in the code but not shown leaves no record, and its label leads nowhere."""
    recorded = {record.data["label"] for record in book.records("derivation")}
    return [
        f"{page}, cell {number}: {label} is labelled but no output shows it"
        for page, number, cell in book.cells("code")
        for label in _labels_given(cell)
        if label not in recorded
    ]


def display_equations_are_definitions_or_derived(book):
    """An equation that is typed and labelled must be a definition; a result comes from a derivation."""
    return [
        f"{place}: the typed equation {label} is neither a definition (def:…) nor a checked result"
        for place, text in book.texts()
        for label in _typed_labels(text)
        if not label.startswith("def:")
    ]


def labels_are_used_once(book):
    places = [(r.data["label"], f"{r.page}, cell {r.cell}") for r in book.records("derivation") if r.data["label"]]
    places += [(label, place) for place, text in book.texts() for label in _typed_labels(text)]
    # Two labels that differ in case only would share their place on the page.
    count = Counter(equation_anchor(label) for label, _ in places)
    return [f"{place}: the label {label} is used twice" for label, place in places if count[equation_anchor(label)] > 1]


def labels_have_their_form(book):
    form = re.compile(r"eq:[a-z0-9]+(-[A-Za-z0-9]+)+")
    return [
        f"{record.page}, cell {record.cell}: the label {record.data['label']!r} is not eq:<chapter word>-<result>"
        for record in book.records("derivation")
        if record.data["label"] and not form.fullmatch(record.data["label"])
    ]


def checks_have_their_result(book):
    recorded = {record.data["label"] for record in book.records("derivation")}
    return [
        f"{record.page}, cell {record.cell}: checks {record.data['label']}, which no derivation has"
        for record in book.records("check")
        if record.data["label"] not in recorded
    ]


def proved_formulas_exist(book):
    known = {formula["id"] for formula in book.formulas}
    return [
        f"{record.page}, cell {record.cell}: proves {id}, which is no formula of the list"
        for record in book.records("derivation")
        for id in record.data["proves"]
        if id not in known
    ]


def settled_claims_exist(book):
    known = {claim["id"] for claim in book.claims}
    return [
        f"{record.page}, cell {record.cell}: settles {id}, which is no claim of the list"
        for record in book.records("claim")
        for id in record.data["ids"]
        if id not in known
    ]


def claims_keep_their_check(book):
    """Where the chapter of a claim is written, a cell of the book settles the claim."""
    settled = {id for record in book.records("claim") for id in record.data["ids"]}
    return [
        f"{claim['chapter']}: no cell settles claim {claim['id']}"
        for claim in book.claims
        if claim["check"] == "executed" and claim["chapter"] in book.notebooks and claim["id"] not in settled
    ]


def formulas_are_proved(book):
    """Where the chapter of a formula is written, a derivation of the book proves the formula."""
    proved = {id for record in book.records("derivation") for id in record.data["proves"]}
    return [
        f"{formula['chapter']}: no derivation proves {formula['id']}"
        for formula in book.formulas
        if formula["equation"] and formula["chapter"] in book.notebooks and formula["id"] not in proved
    ]


def summaries_hold_no_typed_digit(book):
    """A number in a summary that nothing computes can be wrong without anything noticing."""
    typed = [
        f"{page}, cell {number}: a summary is given the typed value {value!r}"
        for page, number, cell in book.cells("code")
        for value in _typed_in_summaries(cell)
    ]
    boxes = [
        f"{place}: a summary box holds the typed digit {digit.group()}"
        for place, text in book.texts()
        for box in _BOX_FENCE.finditer(text)
        if "summary-box" in box["kind"] or re.search(r"^:class:.*\bsummary-box\b", box.group(), re.MULTILINE)
        # References such as {eq}`eq:a-1` are links; their number is not typed.
        if (digit := re.search(r"\d", re.sub(r"\{\w+\}`[^`]*`", "", box.group())))
    ]
    return typed + boxes


def symbols_are_declared(book):
    """Every symbol of a labelled result, and of a formula of the list, stands on the notation page."""
    if "notation" not in book.markdown:
        return ["there is no notation page"]
    known = declared(book.markdown["notation"])
    formulas = [(formula["id"], formula["latex"]) for formula in book.formulas]
    results = [
        (f"{record.page}, {record.data['label']}", record.data["result"]["latex"])
        for record in book.records("derivation")
        if record.data["label"]
    ]
    return [
        f"{place}: the symbol {symbol} is not on the notation page"
        for place, latex in formulas + results
        for symbol in sorted(symbols(latex) - known)
    ]


def symbols_of_the_text_are_declared(book):
    """So does every symbol in the formulas of the text, words in \\text{…} aside."""
    known = declared(book.markdown["notation"]) if "notation" in book.markdown else None
    return [
        f"{place}: the symbol {symbol} is not on the notation page"
        for place, text in (book.texts() if known is not None else ())
        if place != "notation"
        for latex in _formulas_of(text)
        for symbol in sorted(symbols(latex) - known)
    ]


def figures_have_alternatives(book):
    """Every picture says in words what it shows, in the output's metadata or the cell's."""
    return [
        f"{page}, cell {number}: a figure without a text alternative (use backprop.plotting.show)"
        for page, number, cell in book.cells("code")
        for output in cell["outputs"]
        for mime in output.get("data", {})
        if mime.startswith("image/") and not _alternative(cell, output, mime)
    ]


RULES = (
    labelled_results_are_in_the_ledger,
    display_equations_are_definitions_or_derived,
    labels_are_used_once,
    labels_have_their_form,
    checks_have_their_result,
    proved_formulas_exist,
    settled_claims_exist,
    claims_keep_their_check,
    formulas_are_proved,
    summaries_hold_no_typed_digit,
    symbols_are_declared,
    symbols_of_the_text_are_declared,
    figures_have_alternatives,
)


def _formulas_of(text):
    """The formulas of a text in Markdown, without the words within them and without code."""
    prose = re.sub(r"^(`{3,})(?!\{math\}).*?^\1|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"\$\$(.+?)\$\$|(?<!\\)\$([^$\n]+)\$", prose, flags=re.DOTALL)
    return [re.sub(r"\\text\s*\{[^{}]*\}", " ", display or inline) for display, inline in found]


def _calls(cell):
    return [node for node in ast.walk(ast.parse(source(cell))) if isinstance(node, ast.Call)]


def _labels_given(cell):
    return [
        keyword.value.value
        for call in _calls(cell)
        for keyword in call.keywords
        if keyword.arg == "label"
        and isinstance(keyword.value, ast.Constant)
        and str(keyword.value.value).startswith("eq:")
    ]


def _typed_in_summaries(cell):
    named = [call for call in _calls(cell) if getattr(call.func, "attr", getattr(call.func, "id", "")) == "summary"]
    return [
        node.value
        for call in named
        for node in ast.walk(call)
        if isinstance(node, ast.Constant) and re.search(r"\d", str(node.value))
    ]


def _typed_labels(text):
    # A label option belongs to an equation only inside a math fence; exercises have labels too.
    fenced = [label for fence in _MATH_FENCE.finditer(text) for label in re.findall(r":label:\s*(\S+)", fence.group())]
    dollars = re.findall(r"\$\$\s*\(([^)\s]+)\)\s*$", text, re.MULTILINE)
    return fenced + dollars


def _alternative(cell, output, mime):
    stored = output.get("metadata", {}).get(mime, {}).get("alt")
    return stored or cell["metadata"].get("mystnb", {}).get("image", {}).get("alt")
