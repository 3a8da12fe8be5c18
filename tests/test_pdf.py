"""The book on paper: which places are asked for, where links lead, and one clear line when there is no browser."""

import importlib.util
import io
import json
import re
import shutil
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

ROOT = Path(__file__).resolve().parents[1]
TOOLS, HTML = ROOT / "tools", ROOT / "_build" / "html"
spec = importlib.util.spec_from_file_location("pdf", TOOLS / "pdf.py")
pdf = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pdf)

BASE = "http://127.0.0.1:1/"


def printout(link=None):
    """A page, with a link to an address on it."""
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.add_named_destination("part", 0)
    if link:
        writer.add_annotation(0, Link(rect=(0, 0, 9, 9), url=link))
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()


def test_pages_are_asked_for_the_places_that_others_link_to(tmp_path):
    (tmp_path / "a.html").write_text('<a href="b.html#part">b</a><a href="#own">own</a>', encoding="utf-8")
    (tmp_path / "b.html").write_text('<a href="https://example.org/#x">away</a>', encoding="utf-8")
    pages = {name: (tmp_path / f"{name}.html").resolve() for name in ("a", "b")}
    assert pdf.asked_for(pages) == {"a": {"own"}, "b": {"part"}}


def test_links_between_pages_become_jumps_and_others_stay():
    away = "https://example.org/"
    book = pdf.joined(BASE, [("a", "A", printout(f"{BASE}b.html#part")), ("b", "B", printout(away))])
    made = io.BytesIO()
    book.write(made)
    read = PdfReader(made)
    (jump,), (link,) = ([each.get_object() for each in page["/Annots"]] for page in read.pages)
    assert read.get_page_number(jump["/Dest"][0].get_object()) == 1
    assert "/A" not in jump
    assert link["/A"]["/URI"] == away
    assert [item.title for item in read.outline] == ["A", "B"]


def test_a_link_to_no_page_of_the_book_leads_nowhere_new():
    link = DictionaryObject()
    link[NameObject("/A")] = DictionaryObject({NameObject("/URI"): TextStringObject(f"{BASE}gone.html")})
    assert pdf.goal_of(link, "a", BASE, {}, {"a": 0}) is None


def test_a_missing_chromium_is_one_clear_line(monkeypatch, capsys):
    monkeypatch.setenv("BACKPROP_CHROMIUM", "/nowhere/chromium")
    monkeypatch.setattr(sys, "argv", ["pdf"])
    assert pdf.main() == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "Chromium is missing" in line
    assert "apt-get install chromium" in line


CHEAT, CHART = pdf.SHEETS
PAGE = '<h1>Sheet</h1><p>Words.</p><div class="cheat-sheet docutils">Results</div><div class="wall-chart">All</div>'


def test_the_page_links_to_each_pdf_once():
    page = pdf.linked(pdf.linked(PAGE, CHEAT), CHART)
    cheat, chart = (page.index(f'href="{sheet.file}"') for sheet in pdf.SHEETS)
    assert page.index("Words.") < cheat < page.index("Results") < chart < page.index("All")
    assert pdf.linked(page, CHEAT) == pdf.linked(page, CHART) == page


def test_a_page_without_results_has_no_sheet():
    with pytest.raises(ValueError, match="0 times: expected once"):
        pdf.linked("<p>Words.</p>", CHEAT)


def test_a_sheet_by_itself_links_nowhere():
    (page,) = PdfReader(io.BytesIO(pdf.without_links(printout(f"{BASE}b.html#part")))).pages
    assert not page.get("/Annots")


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    if pdf.find_chromium() is None:
        pytest.skip("Chromium is missing")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=pdf.find_chromium(), args=pdf.ARGUMENTS)
        yield browser
        browser.close()


@pytest.mark.browser
def test_each_sheet_has_exactly_one_page(monkeypatch, capsys, tmp_path):
    if not (HTML / f"{pdf.SHEET}.html").is_file():
        pytest.skip("the book is not built")
    for name in ("_static", "katex"):
        if (HTML / name).is_dir():
            shutil.copytree(HTML / name, tmp_path / name)
    page = tmp_path / f"{pdf.SHEET}.html"
    page.parent.mkdir()
    shutil.copy(HTML / f"{pdf.SHEET}.html", page)
    arguments = ["pdf", "--sheets-only", "--html", str(tmp_path), "--out", str(tmp_path / "book.pdf")]
    monkeypatch.setattr(sys, "argv", arguments)
    assert pdf.main() == 0
    assert capsys.readouterr().out.count("on one page is printed") == 2
    linked = page.read_text(encoding="utf-8")
    read = {}
    for sheet in pdf.SHEETS:
        made = tmp_path / sheet.file
        assert (page.parent / sheet.file).read_bytes() == made.read_bytes()
        assert f'href="{sheet.file}"' in linked
        (only,) = PdfReader(made).pages
        read[sheet.part] = only.extract_text()
    cheat, chart = read.values()
    assert all(words in cheat for words in ("Cheat sheet", "Where 1/m goes", "Cost, in multiplications", "Verdicts"))
    assert cheat.count("proved") >= 30
    assert "Verdicts" not in chart
    assert "Where 1/m goes" not in chart
    assert set(re.findall(r"\d+\.\d+", cheat)) <= set(re.findall(r"\d+\.\d+", chart))
    ledger = json.loads((HTML / "ledger.json").read_text(encoding="utf-8"))
    marks = sum(len(re.findall(rf"\b{mark}\b", chart)) for mark in {row["evidence"] for row in ledger["equations"]})
    assert marks >= len(ledger["equations"]) > 200


def sheet_of(tmp_path, blocks):
    """The address of a page of so many blocks of results."""
    lines = "".join(
        '<div class="results" style="height: 200px; break-inside: avoid">Result</div>' for _ in range(blocks)
    )
    page = tmp_path / f"{blocks}.html"
    page.write_text(f'<title>Sheet</title><div class="bd-article"><div class="cheat-sheet">{lines}</div></div>')
    return page.as_uri()


@pytest.mark.browser
def test_a_sheet_is_as_large_as_its_page_holds_and_one_that_is_too_long_is_refused(browser, tmp_path):
    def size_of_letters(blocks):
        found = set()

        def visit(text, matrix, of_text, font, size):
            if text.strip():
                found.add(round(abs(size * matrix[3] * of_text[3]), 3))

        (page,) = PdfReader(io.BytesIO(pdf.on_one_page(browser, sheet_of(tmp_path, blocks), CHEAT))).pages
        page.extract_text(visitor_text=visit)
        return max(found)

    assert size_of_letters(4) > size_of_letters(24) > size_of_letters(28) > 0
    with pytest.raises(ValueError, match="does not fit on one page, even at 50%"):
        pdf.on_one_page(browser, sheet_of(tmp_path, 400), CHEAT)
