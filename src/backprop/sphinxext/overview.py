"""Pages that gather what other pages hold: checked results for a cheat sheet, the exercises for a teacher."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from backprop import exercises
from backprop.course.book import source
from backprop.course.exercise import Exercise
from backprop.course.ledger import gather, ledger_rows
from backprop.sphinxext.boxes import Box
from backprop.sphinxext.drawing import Place, formula, inline
from backprop.sphinxext.ledger import built, evidence, table
from backprop.sphinxext.markup import Markup, element, text_with_math

# What the check of an exercise asks for, by the judge that it was built with; minutes are a first guess for planning.
KINDS = {"recalls": ("answer", 5), "computes": ("compute", 15), "derives": ("derive", 15)}
OTHER = ("compute", 20)
BOX = re.compile(r"^:{3,}\{exercise\}[ ]*(?P<title>.*)\n:label:[ ]*(?P<label>\S+)", re.MULTILINE)


class Results(Box):
    """Checked results under one heading: each line a label of the ledger, then words. The formula is never typed."""

    kind = "results"

    def run(self) -> list[nodes.Node]:
        known = {row["id"]: row for row in rows_of(self.env)}
        place = Place(self.env, self.lineno)
        lines = [line.strip().partition(" ")[::2] for line in self.content if line.strip()]
        if unknown := [label for label, _ in lines if label not in known]:
            raise self.error(f"results: {unknown[0]} is no result of the ledger")
        title = self.inline(self.arguments[0])
        return [results(title, [pair(place, known[label], words.strip()) for label, words in lines])]


class EveryResult(SphinxDirective):
    """``{every-result}``: all results of the ledger, a block a page, in the order of the book."""

    def run(self) -> list[nodes.Node]:
        place = Place(self.env, self.lineno)
        pages: dict[str, list] = {}
        for row in rows_of(self.env):
            pages.setdefault(row["where"].partition(".html")[0], []).append(pair(place, row, ""))
        return [results([place.link_to_page(f"book/{page}") or page], pairs) for page, pairs in pages.items()]


def rows_of(env: BuildEnvironment) -> list[dict]:
    """The results of the ledger; the page that shows them is built anew when a notebook changes."""
    for path in Path(env.srcdir, "book").glob("*.ipynb"):
        env.note_dependency(str(path))
    return ledger_rows(gather(built(env), evidence(env.srcdir)))


def results(title: list[nodes.Node | str], pairs: list[list[Markup]]) -> Markup:
    """A block of results under its title."""
    head = element("h2", *title, classes="results-title")
    return element("div", head, element("dl", *[part for each in pairs for part in each]), classes="results")


def pair(place: Place, result: dict, words: str) -> list[Markup]:
    """What is said of a result with its number and its evidence, and the formula, which is never typed."""
    given = [", given " if words else "given ", inline(result["given"])] if result["given"] else []
    said = [*text_with_math(words), *given]
    number = [*([" "] if said else []), place.reference(result["id"]), " ", place.mark(result["evidence"])]
    return [element("dt", *said, *number), element("dd", formula(result["latex"], words or result["id"]))]


class Task(NamedTuple):
    """An exercise as a teacher sees it."""

    page: str
    label: str
    title: str
    kind: str
    minutes: int


def exercises_by_id() -> dict[str, Exercise]:
    """Every exercise of the package, by its id, which is the label of its box."""
    modules = [
        importlib.import_module(f"{exercises.__name__}.{module.name}")
        for module in pkgutil.iter_modules(exercises.__path__)
        if not module.name.startswith("_")
    ]
    return {each.id: each for module in modules for each in vars(module).values() if isinstance(each, Exercise)}


def tasks(notebooks: dict[str, list]) -> list[Task]:
    """The exercises of the pages, in the order of the book."""
    known = exercises_by_id()
    found = []
    for page, cells in notebooks.items():
        for cell in cells:
            for box in BOX.finditer(source(cell)) if cell["cell_type"] == "markdown" else ():
                kind, minutes = kind_of(known.get(box["label"]))
                found.append(Task(page, box["label"], box["title"].strip(), kind, minutes))
    return found


def kind_of(exercise: Exercise | None) -> tuple[str, int]:
    judge = getattr(exercise, "judge", None)
    return KINDS.get(getattr(judge, "__qualname__", "").partition(".")[0], OTHER)


class ExerciseTable(SphinxDirective):
    """``{exercise-table}``: every exercise of the book, with what it asks for and about how long it takes."""

    def run(self) -> list[nodes.Node]:
        pages = built(self.env).notebooks
        place = Place(self.env, self.lineno)
        rows = []
        for task in tasks(pages):
            self.env.note_dependency(str(Path(self.env.srcdir, "book", f"{task.page}.ipynb")))
            chapter = place.link_to_page(f"book/{task.page}", task.page.partition("_")[0].lstrip("0") or task.page)
            where = f"{task.page}.html#{nodes.make_id(task.label)}"
            link = nodes.reference("", task.title, refuri=where, internal=True)
            rows.append([[chapter], [link], task.kind, f"{task.minutes}"])
        return [table("Every exercise", ["Chapter", "Exercise", "You", "Minutes"], rows, "exercise-table")]


def setup(app: Sphinx) -> None:
    app.add_directive("results", Results)
    app.add_directive("every-result", EveryResult)
    app.add_directive("exercise-table", ExerciseTable)
