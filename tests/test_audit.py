"""A finding without an answer is told, and so is an answer of nobody: it must not pass for a good one."""

import audit
import pytest

PINNED = ["numpy==2.0.0", "tornado==6.0"]
CLEAN = {"name": "numpy", "version": "2.0.0", "vulns": []}
FINDING = {"id": "PYSEC-1", "aliases": ["CVE-2"], "fix_versions": ["6.1"], "description": ""}
FOUND = {"name": "tornado", "version": "6.0", "vulns": [FINDING]}
SKIPPED = {"name": "tornado", "skip_reason": "Dependency not found on PyPI"}


def test_packages_without_findings_pass():
    assert audit.judged(PINNED, [CLEAN, {**FOUND, "vulns": []}], {}) == []


def test_a_finding_is_told_with_the_version_that_mends_it():
    assert audit.judged(PINNED, [CLEAN, FOUND], {}) == ["tornado 6.0: PYSEC-1, mended in 6.1"]


@pytest.mark.parametrize("name", ["PYSEC-1", "CVE-2"])
def test_an_answer_settles_its_finding_and_no_other(name):
    assert audit.judged(PINNED, [CLEAN, FOUND], {name: "never listens"}) == []
    other = {**FOUND, "vulns": [FINDING, {**FINDING, "id": "PYSEC-9", "aliases": [], "fix_versions": []}]}
    assert audit.judged(PINNED, [CLEAN, other], {name: "…"}) == ["tornado 6.0: PYSEC-9, mended in none"]


def test_an_answer_to_nothing_is_told():
    assert audit.judged(PINNED, [CLEAN, {**FOUND, "vulns": []}], {"CVE-2": "…"}) == [
        "CVE-2: answered, but not found any more"
    ]


@pytest.mark.parametrize("rest", [[SKIPPED], []])
def test_a_package_that_nobody_spoke_of_is_told(rest):
    assert audit.judged(PINNED, [CLEAN, *rest], {}) == ["tornado: the service said nothing of it"]


def test_no_answer_at_all_is_no_clean_bill():
    with pytest.raises(audit.NotReached, match="none of 2 packages"):
        audit.judged(PINNED, [SKIPPED, {**SKIPPED, "name": "numpy"}], {})


@pytest.mark.parametrize(("options", "code"), [([], 2), (["--if-reached"], 0)])
def test_a_service_out_of_reach_is_said_plainly(options, code, monkeypatch, capsys):
    def unreachable(pinned):
        raise audit.NotReached("no route")

    monkeypatch.setattr(audit, "asked", unreachable)
    monkeypatch.setattr("sys.argv", ["audit.py", *options])
    assert audit.main() == code
    assert "NOT DONE" in capsys.readouterr().out


def test_every_answer_says_why():
    assert all(len(why) > 20 for why in audit.ANSWERED.values())


def test_both_locks_are_asked_about():
    texts = [(audit.ROOT / name).read_text(encoding="utf-8") for name in audit.LOCKS]
    pinned = audit.pins(*texts)
    assert {name.split("==")[0] for name in pinned} >= {"numpy", "jupyter-book", "uv", "cosmic-ray"}
    assert not any(";" in pin for pin in pinned)
