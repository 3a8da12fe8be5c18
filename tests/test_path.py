"""The map of the book says what the chapters' cards say, and the tables that gather pages name what is there."""

import re
from pathlib import Path

import pytest

from backprop.course import path
from backprop.course.book import read_book, source
from backprop.sphinxext.hours import fitting
from backprop.sphinxext.overview import exercises_by_id, tasks

ROOT = Path(__file__).resolve().parents[1]
BOOK = read_book(ROOT / "book")
CHAPTERS = {page: cells for page, cells in BOOK.notebooks.items() if page[0].isdigit()}


def card(page):
    return source(CHAPTERS[page][0])


def chapters_named(text):
    """The numbers after the word chapter: "chapters 1 to 3, and chapter 8"."""
    found = set()
    for numbers in re.findall(r"chapters?((?: ?(?:\d+|to|and|,))+)", text):
        for first, last in re.findall(r"(\d+)(?: to (\d+))?", numbers):
            found |= set(range(int(first), int(last or first) + 1))
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("chapters 1 to 3; chapter 8 for the checks", {1, 2, 3, 8}),
        ("(chapters 2 and 3), logarithms", {2, 3}),
        ("the gradients of a network (chapter 5), chapters 4 and 7", {4, 5, 7}),
        ("no probability", set()),
    ],
)
def test_the_numbers_of_chapters_are_read(text, found):
    assert chapters_named(text) == found


def test_every_chapter_is_on_the_map():
    assert {chapter.page for chapter in path.CHAPTERS.values()} == set(CHAPTERS)
    assert all(chapter.page.startswith(f"{number:02}_") for number, chapter in path.CHAPTERS.items())


@pytest.mark.parametrize("number", path.CHAPTERS)
def test_the_map_asks_for_what_the_card_asks_for(number):
    """A card may name chapters that help; after the first full stop of its entry they are no need."""
    entry = re.search(r"\*\*You need\*\* (.*)", card(path.CHAPTERS[number].page)).group(1)
    needs = re.split(r"\.(?: |$)", entry)[0]
    assert set(path.CHAPTERS[number].needs) <= chapters_named(entry)
    assert chapters_named(needs) <= set(path.CHAPTERS[number].needs)


WORDS = {
    "an hour": 1,
    "an hour and a quarter": 1.25,
    "an hour and a half": 1.5,
    "two hours": 2,
    "two": 2,
    "two and a half": 2.5,
    "three": 3,
    "half an hour": 0.5,
    "three quarters of an hour": 0.75,
}


@pytest.mark.parametrize("number", path.CHAPTERS)
def test_the_map_takes_as_long_as_the_card_says(number):
    """A card that says one time says it for both: reading, and reading with the exercises."""
    reading, _, rest = re.search(r"\*\*Time\*\* (.*)", card(path.CHAPTERS[number].page)).group(1).partition(";")
    read = WORDS[reading.replace("about ", "").strip(" .")]
    with_exercises = re.match(r" (.*) with the exercises", rest)
    assert path.CHAPTERS[number].hours == (read, WORDS[with_exercises.group(1)] if with_exercises else read)


@pytest.mark.parametrize("number", path.CHAPTERS)
def test_whether_exercises_count_is_said_by_name(number):
    assert (path.hours([number], exercises=False), path.hours([number], exercises=True)) == path.CHAPTERS[number].hours
    with pytest.raises(TypeError, match="positional argument"):
        path.hours([number], True)


def test_nothing_is_needed_that_comes_later_and_no_arrow_is_needless():
    arrows = path.arrows()
    assert all(start < end for start, end in arrows)
    for start, end in arrows:
        others = {need for need, number in arrows if number == end} - {start}
        assert not any(start in path.all_needs(other) for other in others)
    for number in path.CHAPTERS:
        reached = {start for start, end in arrows if end == number}
        assert path.all_needs(number) == reached.union(*(path.all_needs(each) for each in reached))


QUIZ = [source(cell) for cell in BOOK.notebooks["path"] if ":class: quiz" in source(cell)]


def test_the_questions_lead_to_every_chapter():
    assert {page for text in QUIZ for page in re.findall(r"</book/(\w+)>", text)} == set(CHAPTERS)


def test_as_many_questions_are_asked_as_the_page_says():
    assert len(QUIZ) == 12
    assert "Twelve questions say where to start." in source(BOOK.notebooks["path"][0])


def test_every_exercise_of_the_package_has_its_place_in_a_chapter():
    found = tasks(CHAPTERS)
    assert sorted(task.label for task in found) == sorted(exercises_by_id())
    for page in CHAPTERS:
        assert sum(task.page == page for task in found) >= 5, page


TEACHING = (ROOT / "book" / "teaching.md").read_text(encoding="utf-8")


def test_the_page_for_teachers_has_a_place_for_every_chapter():
    rows = [line for line in TEACHING.splitlines() if line.startswith("| ") and "</book/" in line]
    assert sorted(re.search(r"</book/(\w+)>", row).group(1) for row in rows) == sorted(CHAPTERS)
    projects = [row.split("|")[1:3] for row in rows if not re.match(r"\| \d+ \|", row)]
    assert len(projects) == 4
    for name, needs in projects:
        number = int(re.search(r"`(\d+),", name).group(1))
        assert path.CHAPTERS[number].needs == tuple(map(int, needs.split(",")))


@pytest.mark.parametrize("page", CHAPTERS)
def test_an_hour_holds_one_exercise_of_each_kind(page):
    found = [task for task in tasks(CHAPTERS) if task.page == page]
    chosen = fitting(found)
    left = 60 - sum(task.minutes for task in chosen)
    assert left >= 0
    assert {task.kind for task in chosen} == {task.kind for task in found}
    assert chosen == [task for task in found if task in chosen]
    assert all(task.minutes > left for task in found if task not in chosen)


def test_the_kinds_of_exercises_follow_from_their_checks():
    kinds = {task.label: task.kind for task in tasks(CHAPTERS)}
    assert kinds["matrix-paths"] == "answer"
    assert kinds["matrix-gradient-of-input"] == "compute"
    assert kinds["matrix-input-derivation"] == "derive"


def test_an_exercise_without_a_check_of_the_package_is_still_listed():
    cell = {"cell_type": "markdown", "source": "::::{exercise} Think\n:label: nowhere\n\nWhy?\n::::"}
    (task,) = tasks({"01_page": [cell]})
    assert (task.title, task.label, task.kind) == ("Think", "nowhere", "compute")


RESULTS = """# Sheet

```{{results}} One
{lines}
```
"""


@pytest.mark.parametrize(
    ("lines", "warning"),
    [("eq:nowhere-x words\neq:nowhere-y", "eq:nowhere-x is no result of the ledger")],
)
def test_the_cheat_sheet_refuses_what_the_ledger_does_not_hold(build_pages, lines, warning, tmp_path):
    (tmp_path / "source" / "book").mkdir(parents=True)
    assert warning in build_pages(page=RESULTS.format(lines=lines)).warnings


def test_the_cheat_sheet_names_results_that_are_there():
    labels = re.findall(r"^(eq:[\w-]+)", (ROOT / "book" / "cheat_sheet.md").read_text(encoding="utf-8"), re.MULTILINE)
    known = {record.data["label"] for record in BOOK.records("derivation")}
    assert len(labels) == len(set(labels)) > 30
    assert set(labels) <= known


def test_the_verdicts_of_the_cheat_sheet_are_those_of_the_code():
    from backprop.gradcheck import verdict

    text = (ROOT / "book" / "cheat_sheet.md").read_text(encoding="utf-8")
    bounds = re.findall(r"below\s+\$10\^\{-(\d)\}\$\s+(\w+)", text)
    assert [(int(power), word) for power, word in bounds] == [(7, "excellent"), (5, "good"), (3, "suspicious")]
    for power, word in bounds:
        assert verdict(0.99 * 10.0 ** -int(power)) == word
    assert verdict(1.01e-3) == "bug likely"
