"""The notes, claim by claim, for reading: each with its verdict, its correction and the cell that settles it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from backprop.course.book import Book
from backprop.course.ledger import gather
from backprop.sphinxext.ledger import built, evidence, in_note, table
from backprop.sphinxext.markup import Markup, element, text_with_math

SETTLED = {"executed": "settled by a cell", "text": "nothing to compute", "open": "not settled yet"}
GROUPS = {
    "holds": lambda claim: claim["verdict"] == "true",
    "corrected": lambda claim: claim["verdict"] != "true",
    "all": lambda claim: True,
}


class ClaimList(SphinxDirective):
    """``{claims} 000`` lists the claims of a note (``clash``: those between notes), ``{claims} counts`` counts them.

    ``:show: corrected`` keeps those that need more than a nod, ``:show: holds`` the others.
    """

    required_arguments = 1
    option_spec: ClassVar = {"show": lambda value: directives.choice(value, tuple(GROUPS))}

    def run(self) -> list[nodes.Node]:
        folder = Path(self.env.srcdir, "book")
        for path in [*folder.glob("*.ipynb"), *folder.glob("_data/*.json")]:
            self.env.note_dependency(str(path))
        book, what = built(self.env), self.arguments[0]
        notes = list(dict.fromkeys(claim["note"] for claim in book.claims))
        if what == "counts":
            return [counts(book, notes)]
        if what not in notes:
            raise self.error(f"claims: expected 'counts' or a note of {', '.join(notes)}, got {what!r}")
        belongs = GROUPS[self.options.get("show", "all")]
        settled = {entry["id"]: entry for entry in gather(book, evidence(self.env.srcdir))["claims"]}
        return [entries([claim for claim in book.claims if claim["note"] == what and belongs(claim)], settled)]


def counts(book: Book, notes: list[str]) -> Markup:
    """How many claims each note makes, by verdict."""
    made = Counter((claim["note"], claim["verdict"]) for claim in book.claims if claim["note"] != "clash")
    verdicts = list(dict.fromkeys(verdict for _, verdict in made))
    verdicts.sort(key=lambda verdict: -sum(made[note, verdict] for note in notes))
    rows = [
        [note, str(sum(made[note, v] for v in verdicts)), *(str(made[note, v] or "") for v in verdicts)]
        for note in notes
        if note != "clash"
    ]
    sums = [sum(int(row[column] or 0) for row in rows) for column in range(1, len(verdicts) + 2)]
    head = ["Note", "Claims", *(verdict.replace("-", " ") for verdict in verdicts)]
    return table("How many claims", head, [*rows, ["all", *map(str, sums)]], "claim-counts")


def entries(claims: list[dict], settled: dict[str, dict]) -> Markup:
    """A list of terms: the claim and its verdict, then what the note says, what is right, and where it is settled."""
    made = []
    for claim in claims:
        made.append(element("dt", *name_of(claim), id=f"note-{claim['id']}"))
        made.append(element("dd", element("strong", said_by(claim)), *text_with_math(claim["claim"])))
        if claim["correction"]:
            # What holds needs no correction: what is added to it is a remark.
            added = "Remark: " if claim["verdict"] == "true" else "Right: "
            made.append(element("dd", element("strong", added), *text_with_math(claim["correction"])))
        made.append(element("dd", *where(settled[claim["id"]])))
    return element("dl", *made, classes="claims")


def name_of(claim: dict) -> list[nodes.Node]:
    place = claim.get("between") or in_note(claim["line"])
    return [nodes.Text(f"{claim['id']} ({place}). "), *text_with_math(claim["verdict_in_full"])]


def said_by(claim: dict) -> str:
    return "The notes: " if claim["note"] == "clash" else "The note: "


def where(entry: dict) -> list[nodes.Node]:
    words = SETTLED[entry["check"]]
    if entry["check"] != "executed":
        return [element("em", words)]
    return [nodes.reference("", words, refuri=entry["where"], internal=True)]


def setup(app: Sphinx) -> None:
    app.add_directive("claims", ClaimList)
