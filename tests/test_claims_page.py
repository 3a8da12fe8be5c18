"""The page of the notes' claims: every claim once, with its verdict, its correction and a way to what settles it."""

import json
import re
from pathlib import Path

import pytest

from backprop.course.book import read_book

ROOT = Path(__file__).resolve().parents[1]
REAL = read_book(ROOT / "book")
TEXTS = {"line": "5", "convention": "", "verdict_in_full": "False for $m > 1$.", "correction": "Divide $Z$ once."}
CLAIMS = [
    {"id": "L1", "note": "000", "verdict": "true", "chapter": "01_linear_layer", "check": "executed"},
    {"id": "L2", "note": "000", "verdict": "false", "chapter": "01_linear_layer", "check": "executed"},
    {"id": "L4", "note": "000", "verdict": "typo", "chapter": "01_linear_layer", "check": "text"},
    {"id": "M1", "note": "001", "verdict": "true", "chapter": "02_matrix_form", "check": "executed"},
    {"id": "X1", "note": "clash", "verdict": "error", "chapter": "01_linear_layer", "check": "executed", "line": "",
     "between": "002 with itself"},
]  # fmt: skip


@pytest.fixture
def built(tmp_path, build_pages):
    """Build a chapter that settles L2, and the page of claims."""
    data = tmp_path / "source" / "book" / "_data"
    data.mkdir(parents=True)
    claims = [{**TEXTS, "claim": f"Claim {claim['id']} says $W$.", **claim} for claim in CLAIMS]
    (data / "claims.json").write_text(json.dumps({"claims": claims}))
    (data / "formulas.json").write_text('{"formulas": []}')
    record = {"application/vnd.backprop.claim+json": {"ids": ["L2"]}}
    output = {"output_type": "display_data", "data": record, "metadata": {}}
    cells = [
        {"cell_type": "markdown", "source": "# Layer", "metadata": {}},
        {"cell_type": "code", "source": "settle", "outputs": [output], "metadata": {}, "execution_count": 1},
    ]
    notebook = {"cells": cells, "metadata": {"language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 4}

    def build(directive):
        return build_pages(**{"book/01_linear_layer": notebook, "book/claims": f"# Claims\n\n{directive}\n"})

    return build


def test_a_note_s_claims_with_verdict_correction_and_link(built):
    pages = built("```{claims} 000\n```")
    html = pages.html["book/claims"]
    assert pages.warnings == ""
    assert re.findall(r'id="note-(\w+)"', html) == ["L1", "L2", "L4"]
    assert "L2 (line 5). False for" in html
    assert "<strong>The note: </strong>Claim L2 says" in html
    assert "<strong>Right: </strong>Divide" in html
    assert "<strong>Remark: </strong>Divide" in html, "L1 is true: what is added to it corrects nothing"
    assert 'href="01_linear_layer.html#claim-L2"' in html
    assert html.count("not settled yet") == 1
    assert html.count("nothing to compute") == 1
    assert 'id="claim-L2"' in pages.html["book/01_linear_layer"]


@pytest.mark.parametrize(("show", "ids"), [("corrected", ["L2", "L4"]), ("holds", ["L1"]), ("all", ["L1", "L2", "L4"])])
def test_a_part_of_the_claims(built, show, ids):
    html = built(f"```{{claims}} 000\n:show: {show}\n```").html["book/claims"]
    assert re.findall(r'id="note-(\w+)"', html) == ids


def test_a_clash_says_between_whom(built):
    assert "X1 (002 with itself). False" in built("```{claims} clash\n```").html["book/claims"]


def test_the_counts(built):
    html = built("```{claims} counts\n```").html["book/claims"]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", html)]
    assert rows[0][:2] == ["Note", "Claims"]
    named = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert [(row["Note"], row["Claims"], row["true"], row["false"]) for row in named] == [
        ("000", "3", "1", "1"),
        ("001", "1", "1", ""),
        ("all", "4", "2", "1"),
    ]


@pytest.mark.parametrize(
    ("directive", "complaint"),
    [
        ("```{claims} 005\n```", "claims: expected 'counts' or a note of 000, 001, clash, got '005'"),
        ("```{claims} 000\n:show: some\n```", "holds"),
    ],
)
def test_a_list_of_something_else_is_reported(built, directive, complaint):
    assert complaint in built(directive).warnings


# The real page --------------------------------------------------------------------------------------------------------


def shown(text):
    """The claims that a page's directives list."""
    found = []
    for note, show in re.findall(r"^`{3,}\{claims\} (\w+)\n(?::show: (\w+)\n)?", text, flags=re.MULTILINE):
        groups = {"corrected": lambda c: c["verdict"] != "true", "holds": lambda c: c["verdict"] == "true"}
        belongs = groups.get(show, lambda c: True)
        found += [claim["id"] for claim in REAL.claims if claim["note"] == note and belongs(claim)]
    return found


def test_the_page_lists_every_claim_once():
    listed = shown(REAL.markdown["claims"])
    assert sorted(listed) == sorted(claim["id"] for claim in REAL.claims)
    assert len(listed) == 148


def test_a_claim_that_is_left_out_is_seen():
    without = REAL.markdown["claims"].replace("{claims} 003\n:show: holds", "{claims} 003\n:show: corrected", 1)
    assert sorted(shown(without)) != sorted(claim["id"] for claim in REAL.claims)


def settled():
    return {id for record in REAL.records("claim") for id in record.data["ids"]}


def unsettled(found):
    return [claim["id"] for claim in REAL.claims if claim["check"] == "executed" and claim["id"] not in found]


def test_a_cell_of_the_book_settles_every_claim_that_can_be_computed():
    assert unsettled(settled()) == []


def test_a_claim_that_loses_its_check_is_seen():
    assert unsettled(settled() - {"X5"}) == ["X5"]


def test_a_reader_meets_no_name_that_only_our_working_papers_explain():
    read = [text for claim in REAL.claims for text in (claim["claim"], claim["verdict_in_full"], claim["correction"])]
    assert [text for text in read if re.search(r"\b(C\d|P\d\.\d|AUDIT)\b", text)] == []
