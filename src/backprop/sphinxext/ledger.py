"""The ledger on its page and beside ``index.html``: gathered from the stored outputs of the notebooks, never typed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from backprop.course.book import Book, read_book
from backprop.course.ledger import gather, ledger_rows, write
from backprop.sphinxext.drawing import Place, inline
from backprop.sphinxext.markup import Markup, element, text_with_math
from backprop.sphinxext.rows import note_row

VERDICTS = {"true-under": "true under a restriction", "notation": "a matter of notation"}
CHECKED = {"executed": "a cell", "text": "in words", "open": "not yet"}


class LedgerTable(SphinxDirective):
    """``{ledger} equations`` lists every labelled result, ``{ledger} evidence`` what the long checks found, and
    ``{ledger} claims`` every claim, or those of one note.
    """

    required_arguments = 1
    option_spec: ClassVar = {"note": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        folder = Path(self.env.srcdir, "book")
        for path in [*folder.glob("*.ipynb"), *folder.glob("_data/*.json"), *evidence(self.env.srcdir).glob("*.json")]:
            self.env.note_dependency(str(path))
        book = built(self.env)
        ledger = gather(book, evidence(self.env.srcdir))
        place = Place(self.env, self.lineno)
        what = self.arguments[0]
        if what == "equations":
            return [equations(place, ledger, {formula["id"]: formula["words"] for formula in book.formulas})]
        if what == "evidence":
            return [evidence_table(ledger)]
        if what == "claims":
            note = self.options.get("note")
            notes = {claim["note"] for claim in book.claims}
            if note and note not in notes:
                raise self.error(f"ledger: expected a note of {', '.join(sorted(notes))}, got {note!r}")
            return [claims(self.env, book, ledger, note)]
        raise self.error(f"ledger: expected 'equations', 'evidence' or 'claims', got {what!r}")


def equations(place: Place, ledger: dict, words: dict[str, str]) -> Markup:
    """Every labelled result; the first one that proves a formula is the row that the formula's links lead to."""
    head = ["Equation", "Result", "Evidence", "Checked against", "Mutants refused", "Formula"]
    rows = []
    for row in ledger_rows(ledger):
        result = [inline(row["latex"])]
        if row["given"]:
            result += [nodes.Text(" given "), inline(row["given"])]
        proves = [name for name in row["proves"].split(", ") if name]
        anchors = [note_row(place.env, name, words.get(name, "")) for name in proves]
        cells = [anchored([place.reference(row["id"])], anchors), result, [place.mark(row["evidence"])]]
        checks = [element("div", unbroken(check)) for check in row["checks"]]
        rows.append([*cells, checks, row["mutants"], row["proves"]])
    return table("Every labelled result", head, rows, "ledger-equations")


def evidence_table(ledger: dict) -> Markup:
    """What each long check tried, how much of it was caught, and what else it counted."""
    rows = [[row["check"], f"{row['tried']:,}", f"{row['caught']:,}", row["remark"]] for row in ledger["evidence"]]
    cells = [[[nodes.Text(row[0])], *row[1:]] for row in rows]
    return table("What the long checks found", ["Check", "Tried", "Caught", "Of which"], cells, "ledger-evidence")


def claims(env: BuildEnvironment, book: Book, ledger: dict, note: str | None) -> Markup:
    head = ["Claim", "What the note says", "Verdict", "What is right", "Settled by"]
    rows = []
    for claim, entry in zip(book.claims, ledger["claims"], strict=True):
        if note and claim["note"] != note:
            continue
        says = [*text_with_math(claim["claim"])]
        if claim["line"]:
            says.append(element("span", f" ({in_note(claim['line'])})", classes="claim-line"))
        how: nodes.Node | str = CHECKED[entry["check"]]
        if entry["check"] == "executed":
            how = nodes.reference("", CHECKED["executed"], refuri=entry["where"], internal=True)
        verdict, right = text_with_math(claim["verdict_in_full"]), text_with_math(claim["correction"])
        name = anchored([nodes.Text(claim["id"])], [note_row(env, claim["id"], hover_text(claim))])
        rows.append([name, says, verdict, right, [how] if isinstance(how, nodes.Node) else how])
    return table("The claims of the notes", head, rows, "ledger-claims")


def in_note(lines: str) -> str:
    """Where in its note a claim stands.

    >>> in_note("5"), in_note("5, 90"), in_note("the whole note")
    ('line 5', 'lines 5, 90', 'the whole note')
    """
    if not lines[0].isdigit():
        return lines
    return f"line {lines}" if lines.isdigit() else f"lines {lines}"


def hover_text(claim: dict) -> str:
    """Where a claim comes from and what became of it, in words without math."""
    where = "A clash between notes" if claim["note"] == "clash" else f"Note {claim['note']}"
    return f"{where}: {VERDICTS.get(claim['verdict'], claim['verdict'])}"


def anchored(cell: list[nodes.Node], anchors: list[str]) -> list[nodes.Node]:
    """A cell that links can lead to."""
    targets = [element("span") for anchor in anchors if anchor]
    for target, anchor in zip(targets, filter(None, anchors), strict=True):
        target["ids"].append(anchor)
    return [*targets, *cell]


def table(name: str, head: list[str], rows: list[list], classes: str) -> Markup:
    """A table that scrolls in its own box, with a caption that a screen reader announces."""
    top = element("tr", *[element("th", title, scope="col") for title in head])
    body = element("tbody", *[table_row(row) for row in rows])
    drawn = element("table", element("thead", top), body, classes=f"table ledger {classes}")
    return element("div", drawn, classes="table-scroll", tabindex="0", role="group", aria_label=name)


def table_row(row: list) -> Markup:
    cells = [[cell] if isinstance(cell, str) else cell for cell in row]
    return element("tr", element("th", *cells[0], scope="row"), *[element("td", *cell) for cell in cells[1:]])


def built(env: BuildEnvironment) -> Book:
    """The book as far as it is built: a notebook that the table of contents does not name is still being written."""
    book = read_book(Path(env.srcdir, "book"))
    pages = {page: cells for page, cells in book.notebooks.items() if f"book/{page}" in env.found_docs}
    return replace(book, notebooks=pages)


def unbroken(check: str) -> str:
    """``numpy < 1e-12`` with its bound on one line: a browser would break after the sign and at the hyphen."""
    kind, _, bound = check.partition(" < ")
    return f"{kind} <\N{NO-BREAK SPACE}{bound}".replace("-", "\N{NON-BREAKING HYPHEN}")


def evidence(srcdir: str | Path) -> Path:
    return Path(srcdir, "evidence")


def write_beside_index(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html" and Path(app.srcdir, "book").is_dir():
        write(gather(built(app.env), evidence(app.srcdir)), app.outdir)


def setup(app: Sphinx) -> None:
    app.add_directive("ledger", LedgerTable)
    app.connect("build-finished", write_beside_index)
