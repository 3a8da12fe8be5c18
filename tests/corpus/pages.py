"""The derivations that the book shows, as identities: from its notebooks' own code, not from a copy of it."""

import hashlib
import json
import os
import sys
import warnings
from contextlib import chdir, redirect_stdout
from io import StringIO

from backprop.symbolic import Derivation

from .evidence import ROOT
from .identity import Identity, Line

MIME = "application/vnd.backprop.derivation+json"


def records(notebook):
    """What a notebook's stored outputs say of its labelled derivations, by label."""
    outputs = [out.get("data", {}) for cell in _code(notebook) for out in cell["outputs"]]
    return {data[MIME]["label"]: data[MIME] for data in outputs if MIME in data and data[MIME]["label"]}


def fingerprint(record):
    """A hash of what is shown."""
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:16]


def _code(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def labelled(notebook):
    """The labelled derivations of one notebook, as identities, each held against the record in its stored outputs."""
    wanted, found = records(notebook), {}
    for derivation in _run(_code(notebook)):
        record = derivation._repr_mimebundle_()
        record = (record[0] if isinstance(record, tuple) else record)[MIME]
        if wanted.get(derivation.label) == record:
            found[derivation.label] = _as_identity(derivation)
    missing = set(wanted) - set(found)
    if missing:
        raise AssertionError(f"{notebook.name}: no derivation gives the stored record of {', '.join(sorted(missing))}")
    return found


def notebooks():
    """The book's notebooks that show a labelled derivation."""
    return [path for path in sorted((ROOT / "book").glob("*.ipynb")) if records(path)]


def _run(code):
    """Every labelled derivation that comes into being while the cells run."""
    seen, then = [], Derivation.then

    def noted(self, *args, **keywords):
        longer = then(self, *args, **keywords)
        if longer.label:
            seen.append(longer)
        return longer

    os.environ["MPLBACKEND"] = "Agg"
    names = {"__name__": "__main__"}
    Derivation.then = noted
    try:
        with chdir(ROOT / "book"), redirect_stdout(StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for cell in code:
                source = "".join(cell["source"])
                try:
                    exec(compile(source, "cell", "exec"), names)
                except Exception:
                    if "raises-exception" not in cell["metadata"].get("tags", []):
                        raise
    finally:
        Derivation.then = then
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")
    return seen


def _as_identity(derivation):
    return Identity(
        derivation.label.removeprefix("eq:"),
        derivation.proves,
        derivation.start,
        tuple(Line(step.expression, step.relation) for step in derivation.steps),
        {definition.written: definition.body for definition in derivation.let.values()},
        list(derivation.given.written),
    )
