"""The ledger: every labelled result of the book with what established it, gathered from its notebooks' outputs."""

import json
import re
from pathlib import Path

from backprop.course.book import Book, read_book
from backprop.course.evidence import evidence_rows

# Where the pages lie, seen from the folder in which ledger.json stands beside index.html.
PAGES = "book/"


def gather(book, evidence=None) -> dict:
    """Gather the ledger of a book. Nothing in it is typed: it is read from what the notebooks showed when they ran.

    Parameters
    ----------
    book : Book or path
        A book, or the folder of its pages.
    evidence : path, optional
        A folder of JSON files with the results of long checks. A file may hold ``{"mutants": {label: {"refused": 31,
        "tried": 31}}}``.

    Returns
    -------
    dict
        ``{"base": …, "equations": […], "claims": […], "evidence": […]}``, ready to be written as JSON. A claim's
        `check` is "executed" where a cell settles it, "text" where nothing can be computed, and "open" as long as
        neither is so; `evidence` is what the long checks found.

    Examples
    --------
    >>> gather(Book())
    {'base': 'book/', 'equations': [], 'claims': [], 'evidence': []}
    """
    book = book if isinstance(book, Book) else read_book(book)
    checks, mutants, settled = _checks(book), _mutants(evidence), _settled(book)
    return {
        "base": PAGES,
        "equations": [
            _equation(record, checks.get(record.data["label"], {}), mutants.get(record.data["label"]))
            for record in book.records("derivation")
            if record.data["label"]
        ],
        "claims": [_claim(claim, settled) for claim in book.claims],
        "evidence": evidence_rows(evidence) if evidence is not None else [],
    }


def ledger_rows(ledger) -> list[dict]:
    """The equations of a ledger as a page shows them: one row each, what is not there as an empty string.

    Examples
    --------
    >>> ledger_rows({"equations": [{"id": "eq:a-b", "proves": ["P0.1", "P0.2"], "chapter": "01_a", "latex": "x",
    ...     "given": [], "evidence": "proved", "checks": {"numpy": "< 1e-12"}, "mutants_refused": None,
    ...     "where": "01_a.html#eq"}]})
    [{'id': 'eq:a-b', 'latex': 'x', 'evidence': 'proved', 'given': '', 'proves': 'P0.1, P0.2',
      'checks': ['numpy < 1e-12'], 'mutants': '', 'where': '01_a.html#eq'}]
    """
    return [
        {
            "id": equation["id"],
            "latex": equation["latex"],
            "evidence": equation["evidence"],
            "given": "; ".join(equation["given"]),
            "proves": ", ".join(equation["proves"]),
            "checks": [f"{kind} {bound}" for kind, bound in equation["checks"].items()],
            "mutants": equation["mutants_refused"] or "",
            "where": equation["where"],
        }
        for equation in ledger["equations"]
    ]


def write(ledger, folder) -> Path:
    """Write a ledger as ``ledger.json`` into a folder, beside ``index.html``."""
    path = Path(folder) / "ledger.json"
    path.write_text(json.dumps(ledger, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def equation_anchor(label) -> str:
    """Where a labelled equation stands on its page.

    >>> equation_anchor("eq:linear-dW")
    'equation-eq-linear-dw'
    """
    return "equation-" + re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")


def claim_anchor(id) -> str:
    """Where the cell stands that settles a claim, on its page."""
    return f"claim-{id}"


def _equation(record, checks, mutants):
    data = record.data
    return {
        "id": data["label"],
        "proves": data["proves"],
        "chapter": record.page,
        "latex": data["result"]["latex"],
        "evidence": data["evidence"],
        "given": [hypothesis["latex"] for hypothesis in data["given"]],
        "checks": checks,
        "mutants_refused": mutants,
        "where": f"{record.page}.html#{equation_anchor(data['label'])}",
    }


def _checks(book):
    """The loosest bound of each kind of check of each label: what holds for all of them."""
    found = {}
    for record in book.records("check"):
        kinds = found.setdefault(record.data["label"], {})
        kind, bound = record.data["kind"], record.data["bound"]
        kinds[kind] = max(kinds.get(kind, bound), bound, key=float)
    return {label: {kind: f"< {bound}" for kind, bound in kinds.items()} for label, kinds in found.items()}


def _settled(book):
    """The page of the first cell that settles each claim."""
    pages = {}
    for record in book.records("claim"):
        for id in record.data["ids"]:
            pages.setdefault(id, record.page)
    return pages


def _claim(claim, settled):
    page = settled.get(claim["id"])
    check = "executed" if page else "text" if claim["check"] == "text" else "open"
    anchor = f"{page}.html#{claim_anchor(claim['id'])}" if page else f"{claim['chapter']}.html"
    return {"id": claim["id"], "verdict": claim["verdict"], "where": anchor, "check": check}


def _mutants(evidence):
    counts = {}
    if evidence is not None and Path(evidence).is_dir():
        for path in sorted(Path(evidence).glob("*.json")):
            found = json.loads(path.read_text(encoding="utf-8"))
            for label, count in (found.get("mutants") or {}).items() if isinstance(found, dict) else ():
                counts[label] = f"{count['refused']}/{count['tried']}"
    return counts
