"""A text that says "chapter 8" leads there, and nothing else changes."""

import re

import pytest
from corpus.outputs import shown


def links(html):
    return re.findall(r'<a class="reference internal" href="([^"]+)"><span class="doc">([^<]+)</span></a>', html)


PAGES = {"01_layer": "# Layer\n\nText.\n", "08_checks": "# Checks\n\nSee chapter 8, and chapter 1.\n"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("See chapter 8 for more.", [("08_checks.html", "chapter 8")]),
        ("Chapter 1, then **chapter 8**.", [("01_layer.html", "Chapter 1"), ("08_checks.html", "chapter 8")]),
        ("chapter 9 is not there, and chapters 1 and 8 stay words.", []),
        ("`chapter 8` and $\\text{chapter 8}$ are no prose.", []),
        ("[chapter 8](01_layer.md)", []),
        ("- in a list: chapter 1", [("01_layer.html", "chapter 1")]),
        ("## About chapter 8", []),
    ],
)
def test_mentions_become_links(build_pages, text, found):
    pages = build_pages(page=f"# Page\n\n{text}\n", **PAGES)
    assert pages.warnings == ""
    article = pages.html["page"].partition('<div class="body"')[2].partition('<div class="clearer"')[0]
    assert links(article) == found


QUIZ = """# Page

See chapter 8, then chapter 1.

:::{admonition} What does chapter 1 say?
:class: quiz

- [x] as chapter 8

  As chapter 8 says.
- [ ] nothing

  It does.
:::
"""


def test_nothing_else_of_a_text_changes_and_what_is_pressed_is_no_link(build_pages):
    pages = build_pages(page=QUIZ, **PAGES)
    assert pages.warnings == ""
    article = pages.html["page"].partition('<div class="body"')[2].partition('<div class="clearer"')[0]
    assert next(shown(text) for text in re.findall("<p>(.*?)</p>", article)) == "See chapter 8, then chapter 1."
    feedback = article.partition('class="feedback"')[2]
    assert [where for where, _ in links(article)] == ["08_checks.html", "01_layer.html", "08_checks.html"]
    assert len(links(feedback)) == 1


def test_a_chapter_does_not_link_to_itself(build_pages):
    html = build_pages(page="# Page\n", **PAGES).html["08_checks"].partition('<div class="body"')[2]
    assert links(html.partition('<div class="clearer"')[0]) == [("01_layer.html", "chapter 1")]
