"""The book on paper: which places are asked for, where links lead, and one clear line when there is no browser."""

import importlib.util
import io
import sys
from pathlib import Path

from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

TOOLS = Path(__file__).resolve().parents[1] / "tools"
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
