"""What the long checks found: one row for each file of ``evidence/`` that is there, for people to read."""

import json
from pathlib import Path


def evidence_rows(folder) -> list[dict]:
    """What each long check tried and how much of it was caught; nothing for a check that left no file.

    Parameters
    ----------
    folder : path
        The folder of the files that ``make test-deep`` writes.

    Returns
    -------
    list of dict
        ``{"check": …, "tried": …, "caught": …, "argued": …, "remark": …}``; the counts are whole numbers. Argued are
        errors that nothing saw and of which ``argued.json`` says one by one why: such as a changed formula that is true
        as well.

    Examples
    --------
    >>> evidence_rows("a folder that is not there")
    []
    """
    rows = [(words, row(found)) for name, words, row in CHECKS if (found := _read(folder, name))]
    return [{"check": words, "argued": 0, **row} for words, row in rows]


def _read(folder, name):
    path = Path(folder) / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _identities(found):
    wrong = found["total"] - found["equal"]
    remark = f"{found['equal']:,} more changes gave a formula that is true as well, as independent numbers say"
    return {"tried": wrong, "caught": found["refused"], "remark": remark}


def _results(found):
    counts = found["mutants"].values()
    tried, refused = (sum(each[name] for each in counts) for name in ("tried", "refused"))
    return {"tried": tried, "caught": refused, "remark": f"of {len(counts)} results with a number"}


def _pairs(found):
    remark = f"{found['called equal']:,} were called equal, {found['equal in numbers']:,} are equal in numbers"
    return {"tried": found["pairs"], "caught": found["pairs"] - found["wrongly called equal"], "remark": remark}


def _planted(found, places):
    counts = found.values()
    planted, caught, possible = (sum(each[name] for each in counts) for name in ("planted", "caught", "possible"))
    drawn = f", drawn from {possible:,} that are possible" if possible > planted else ""
    argued = sum(len(each["survivors"]) for each in counts)
    why = f"; of {argued} more, evidence/argued.json says why nothing sees them" if argued else ""
    return {"tried": planted, "caught": caught, "argued": argued, "remark": f"in {len(counts)} {places}{drawn}{why}"}


def _calls(found):
    outcomes = [f"{count:,} {outcome}" for outcome, count in found["outcomes"].items()]
    remark = ", ".join([*outcomes, f"seed {found['seed']}"])
    return {"tried": found["calls"], "caught": found["calls"] - found["wrong"], "remark": remark}


# File, what it is about in words, and how its counts are read.
CHECKS = (
    ("mutants", "Wrong versions of textbook identities, refused by the engine", _identities),
    ("book_mutants", "Wrong versions of this book's results, refused by the engine", _results),
    ("fuzz", "Pairs of random expressions, none wrongly called equal", _pairs),
    ("notebooks", "Errors planted in the notebooks, seen by their tests", lambda found: _planted(found, "notebooks")),
    ("source_mutants", "Errors planted in the package, seen by its tests", lambda found: _planted(found, "modules")),
    ("bad_input", "Calls with bad arguments, answered exactly or refused by name", _calls),
)
