"""What a checked output must hold before it is drawn: one that is not as agreed is refused, never half shown."""

from __future__ import annotations

from typing import Any

PREFIX = "application/vnd.backprop."
SUFFIX = "+json"
EVIDENCE = ("identical", "proved", "expanded", "evaluated")
RELATIONS = {"=": "=", "<=": r"\le"}
RUNGS = ("shapes", "refutation", "proof")
CHECKS = ("numpy", "finite difference", "complex step", "autodiff")


class BadRecord(ValueError):
    """A record does not have the agreed form; the message names the field, what was expected and what came."""


class Optional:
    """The field may be null."""

    def __init__(self, form: Any) -> None:
        self.form = form


FORMULA = {"latex": str, "text": str}
FORMS: dict[str, dict[str, Any]] = {
    "derivation": {
        "label": Optional(str),
        "proves": [str],
        "let": [FORMULA],
        "given": [FORMULA],
        "start": FORMULA,
        "steps": [
            {
                "relation": tuple(RELATIONS),
                "latex": str,
                "text": str,
                "because": str,
                "evidence": EVIDENCE,
                "detail": Optional(str),
            }
        ],
        "result": FORMULA,
        "evidence": EVIDENCE,
    },
    "refusal": {
        "step": Optional(int),
        "because": str,
        "rung": RUNGS,
        "relation": tuple(RELATIONS),
        "left": FORMULA,
        "right": FORMULA,
        "counterexample": Optional({"sizes": dict, "index": Optional((dict, str)), "left": str, "right": str}),
        "hint": Optional(str),
        "message": str,
    },
    "check": {"label": str, "kind": CHECKS, "bound": str},
    "claim": {"ids": [str]},
    "summary": {
        "title": str,
        "results": [
            {
                "text": str,
                "label": Optional(str),
                "latex": Optional(str),
                "plain": Optional(str),
                "evidence": Optional(EVIDENCE),
            }
        ],
        "limits": [str],
    },
    "table": {"kind": ("break-it",), "header": [str], "rows": [[str]]},
    "feedback": {"passed": bool, "message": str},
}


def kind_of(mime_type: str) -> str | None:
    """``"derivation"`` for ``application/vnd.backprop.derivation+json``; None for a type that is not ours.

    Examples
    --------
    >>> kind_of("application/vnd.backprop.check+json")
    'check'
    >>> kind_of("text/latex") is None
    True
    """
    if mime_type.startswith(PREFIX) and mime_type.endswith(SUFFIX):
        return mime_type[len(PREFIX) : -len(SUFFIX)]
    return None


def validated(kind: str, record: Any) -> dict[str, Any]:
    """The record, when it has exactly the agreed form.

    Raises
    ------
    BadRecord
        When a field is missing, unknown or of another type, or when a word is not one of those agreed.

    Examples
    --------
    >>> validated("claim", {"ids": ["L17"]})
    {'ids': ['L17']}
    >>> validated("claim", {"ids": "L17"})
    Traceback (most recent call last):
    ...
    backprop.sphinxext.records.BadRecord: claim.ids: expected a list, got 'L17'
    """
    if kind not in FORMS:
        raise BadRecord(f"unknown kind of checked output {kind!r}: expected one of {', '.join(FORMS)}")
    _compare(record, FORMS[kind], kind)
    if kind == "derivation":
        _compare_weakest(record)
    if kind == "summary":
        _compare_results(record)
    if kind == "table":
        _compare_widths(record)
    return record


def _compare(value: Any, form: Any, where: str) -> None:
    if isinstance(form, Optional):
        if value is not None:
            _compare(value, form.form, where)
    elif isinstance(form, dict):
        _compare_fields(value, form, where)
    elif isinstance(form, list):
        if not isinstance(value, list):
            raise BadRecord(f"{where}: expected a list, got {value!r}")
        for position, item in enumerate(value):
            _compare(item, form[0], f"{where}[{position}]")
    elif isinstance(form, tuple) and all(isinstance(word, str) for word in form):
        if value not in form:
            raise BadRecord(f"{where}: expected one of {', '.join(map(repr, form))}, got {value!r}")
    elif not isinstance(value, form) or (isinstance(value, bool) and form is not bool):
        names = " or ".join(kind.__name__ for kind in (form if isinstance(form, tuple) else (form,)))
        raise BadRecord(f"{where}: expected {names}, got {value!r}")


def _compare_fields(value: Any, form: dict[str, Any], where: str) -> None:
    if not isinstance(value, dict):
        raise BadRecord(f"{where}: expected an object with {', '.join(form)}, got {value!r}")
    for name, inner in form.items():
        if name not in value:
            raise BadRecord(f"{where}: the field {name!r} is missing")
        _compare(value[name], inner, f"{where}.{name}")
    if unknown := sorted(set(value) - set(form)):
        raise BadRecord(f"{where}: unknown field {unknown[0]!r}: expected only {', '.join(form)}")


def _compare_weakest(record: dict[str, Any]) -> None:
    """A derivation is as strong as its weakest step: one that says more must not be printed."""
    weakest = max((EVIDENCE.index(step["evidence"]) for step in record["steps"]), default=0)
    if EVIDENCE.index(record["evidence"]) < weakest:
        said, step = record["evidence"], EVIDENCE[weakest]
        raise BadRecord(f"derivation.evidence: says {said!r}, but its weakest step is only {step!r}")


def _compare_results(record: dict[str, Any]) -> None:
    """A result is a sentence, alone or with a formula and all that is said of it."""
    for result in record["results"]:
        missing = [name for name, value in result.items() if value is None]
        if 0 < len(missing) < len(result) - 1:
            raise BadRecord(f"summary.results: expected a formula with its label and evidence, got {result!r}")


def _compare_widths(record: dict[str, Any]) -> None:
    for row in record["rows"]:
        if len(row) != len(record["header"]):
            raise BadRecord(f"table.rows: expected {len(record['header'])} cells as in the header, got {row!r}")
