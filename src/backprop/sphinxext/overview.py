"""Pages that gather what other pages hold: checked results for a cheat sheet, the exercises for a teacher."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
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
        for path in Path(self.env.srcdir, "book").glob("*.ipynb"):
            self.env.note_dependency(str(path))
        book = built(self.env)
        known = {row["id"]: row for row in ledger_rows(gather(book, evidence(self.env.srcdir)))}
        place = Place(self.env, self.lineno)
        rows = [self.row(place, known, *line.strip().partition(" ")[::2]) for line in self.content if line.strip()]
        title = element("h2", *self.inline(self.arguments[0]), classes="results-title")
        return [element("div", title, element("dl", *[part for row in rows for part in row]), classes="results")]

    def row(self, place: Place, known: dict[str, dict], label: str, words: str) -> list[Markup]:
        if label not in known:
            raise self.error(f"results: {label} is no result of the ledger")
        result = known[label]
        given = [", given ", inline(result["given"])] if result["given"] else []
        number = [" ", place.reference(label), " ", place.mark(result["evidence"])]
        said = [*text_with_math(words.strip()), *given, *number]
        return [element("dt", *said), element("dd", formula(result["latex"], words or label))]


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
    app.add_directive("exercise-table", ExerciseTable)
