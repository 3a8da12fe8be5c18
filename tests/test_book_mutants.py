"""Every derivation that the book shows under a label: one small error in any of its lines, and the line is refused.

The counts stand in the ledger. They come from the notebooks' own code, and each carries a fingerprint of the record
that the page shows, so that a derivation that has changed since is noticed.
"""

import json
import sys
from collections import Counter

import pytest
from corpus.evidence import ENGINE, digest, is_current, read, write
from corpus.identity import Identity
from corpus.mutants import examine, mutants, without_hints
from corpus.numbers import is_equal
from corpus.pages import MIME, fingerprint, labelled, notebooks, records

HOW = "run `make test-deep`, or pytest -m deep tests/test_book_mutants.py"


# "Zero stays zero below a dead layer": whatever else is changed in a product with a factor 0, it stays 0.
NOTHING_TO_REFUSE = {"eq:hidden-dead-below"}


def test_the_evidence_is_of_the_derivations_that_the_book_shows():
    found = read("book_mutants")
    assert is_current(found), f"{ENGINE} has changed: {HOW}"
    shown = {label: fingerprint(record) for path in notebooks() for label, record in records(path).items()}
    assert found["shown"] == shown, f"derivations have changed: {HOW}"
    assert set(found["mutants"]) == set(shown)
    for label, counts in found["mutants"].items():
        assert counts["refused"] == counts["tried"], label
        assert counts["tried"] > 0 or label in NOTHING_TO_REFUSE, label


def test_a_page_whose_code_does_not_give_its_outputs_is_noticed(tmp_path):
    source = min(notebooks(), key=lambda path: len(records(path)))
    page = json.loads(source.read_text(encoding="utf-8"))
    outputs = [out for cell in page["cells"] if cell["cell_type"] == "code" for out in cell["outputs"]]
    shown = (out["data"][MIME] for out in outputs if MIME in out.get("data", {}))
    record = next(record for record in shown if record["label"])
    record["result"]["text"] += " + 1"
    (tmp_path / source.name).write_text(json.dumps(page), encoding="utf-8")
    with pytest.raises(AssertionError, match=f"no derivation gives the stored record of {record['label']}"):
        labelled(tmp_path / source.name)


def previous():
    """What is known already of derivations that have not changed, if the engine has not either."""
    try:
        found = read("book_mutants")
    except FileNotFoundError:
        return {}
    if not is_current(found):
        return {}
    return {label: (print, found["mutants"][label], found["equal"][label]) for label, print in found["shown"].items()}


def examined(identity: Identity):
    """The verdicts on all mutants of all lines, and those verdicts that are wrong."""
    found, wrongly = Counter(), []
    for derivation, line in identity.prefixes():
        assert is_equal(identity, derivation.result, line.expression, line.relation, number=2), identity.name
        for kind, wrong in mutants(line.expression, identity):
            with without_hints():
                verdict, _ = examine(identity, derivation, line, wrong)
            found[verdict] += 1
            if verdict not in ("refused", "equal"):
                wrongly.append(f"{verdict}: {identity.name} ({kind}): {derivation.result} {line.relation} {wrong}")
    return found, wrongly


@pytest.mark.deep
def test_every_mutant_of_every_labelled_derivation_of_the_book():
    before, known = digest(ENGINE), previous()
    shown, counts, equal, wrongly = {}, {}, {}, []
    for path in notebooks():
        here = {label: fingerprint(record) for label, record in records(path).items()}
        shown |= here
        changed = {label for label, seen in here.items() if label not in known or known[label][0] != seen}
        for label in set(here) - changed:
            _, counts[label], equal[label] = known[label]
        for label, identity in labelled(path).items() if changed else ():
            if label in changed:
                found, wrong = examined(identity)
                wrongly += wrong
                counts[label] = {"refused": found["refused"], "tried": found.total() - found["equal"]}
                equal[label] = found["equal"]
    print(sum(c["refused"] for c in counts.values()), *wrongly, sep="\n", file=sys.stderr)
    assert not wrongly
    by_label = {name: dict(sorted(d.items())) for name, d in (("mutants", counts), ("equal", equal), ("shown", shown))}
    write("book_mutants", by_label, before)
