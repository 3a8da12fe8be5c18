"""What of each chapter's exercises fits into an hour: a table for teachers, computed from the exercises themselves."""

from __future__ import annotations

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from backprop.course.path import CHAPTERS
from backprop.sphinxext.drawing import Place
from backprop.sphinxext.ledger import built, table
from backprop.sphinxext.overview import Task, tasks

HOUR = 60


def fitting(exercises: list[Task], minutes: int = HOUR) -> list[Task]:
    """The first exercise of each kind, then whatever else fits, in the order of the book.

    Examples
    --------
    >>> one, two, three = (Task("01_page", name, name, name[0], 30) for name in ("a1", "a2", "b1"))
    >>> [task.label for task in fitting([one, two, three])]
    ['a1', 'b1']
    """
    first = {task.kind: task for task in reversed(exercises)}
    chosen: list[Task] = []
    for task in sorted(exercises, key=lambda task: first[task.kind] is not task):
        if sum(each.minutes for each in chosen) + task.minutes <= minutes:
            chosen.append(task)
    return sorted(chosen, key=exercises.index)


class ExerciseHours(SphinxDirective):
    """``{exercise-hours}``: for every chapter what it needs, and exercises for an hour."""

    def run(self) -> list[nodes.Node]:
        place = Place(self.env, self.lineno)
        found = tasks(built(self.env).notebooks)
        rows = []
        for number, chapter in CHAPTERS.items():
            own = fitting([task for task in found if task.page == chapter.page])
            if own:
                self.env.note_dependency(str(Path(self.env.srcdir, "book", f"{chapter.page}.ipynb")))
                needs = ", ".join(map(str, chapter.needs)) or "nothing"
                links = [self.link(task) for task in own]
                parts = [part for link in links for part in ("; ", link)][1:]
                minutes = sum(task.minutes for task in own)
                rows.append([[place.link_to_page(f"book/{chapter.page}", str(number))], needs, parts, f"{minutes}"])
        return [table("An hour of each chapter", ["Chapter", "Needs", "In an hour", "Minutes"], rows, "exercise-table")]

    @staticmethod
    def link(task: Task) -> nodes.reference:
        return nodes.reference("", task.title, refuri=f"{task.page}.html#{nodes.make_id(task.label)}", internal=True)


def setup(app: Sphinx) -> None:
    app.add_directive("exercise-hours", ExerciseHours)
