"""The book as data: its notebooks with their stored outputs, its Markdown pages, and the lists that it answers to."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PREFIX, SUFFIX = "application/vnd.backprop.", "+json"


@dataclass(frozen=True)
class Record:
    """What a cell left in its outputs: its page, its number, the kind (``"derivation"``, ``"check"``, …), the data."""

    page: str
    cell: int
    kind: str
    data: Mapping


@dataclass(frozen=True)
class Book:
    """The pages of a book.

    Parameters
    ----------
    notebooks : dict of str to list of dict
        The cells of each notebook, by its name without folder and suffix.
    markdown : dict of str to str
        The text of each Markdown page, by its name.
    claims, formulas : sequence of dict
        The entries of ``_data/claims.json`` and ``_data/formulas.json``.
    """

    notebooks: Mapping[str, list] = field(default_factory=dict)
    markdown: Mapping[str, str] = field(default_factory=dict)
    claims: tuple = ()
    formulas: tuple = ()

    def cells(self, kind: str) -> Iterator[tuple[str, int, dict]]:
        """Every cell of a kind (``"code"`` or ``"markdown"``) with its page and its number."""
        for page, cells in self.notebooks.items():
            for number, cell in enumerate(cells):
                if cell["cell_type"] == kind:
                    yield page, number, cell

    def records(self, kind: str) -> list[Record]:
        """Every record of a kind, in the order of the pages."""
        mime = f"{PREFIX}{kind}{SUFFIX}"
        return [
            Record(page, number, kind, output["data"][mime])
            for page, number, cell in self.cells("code")
            for output in cell["outputs"]
            if mime in output.get("data", {})
        ]

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every piece of Markdown with the place where it stands."""
        yield from self.markdown.items()
        for page, number, cell in self.cells("markdown"):
            yield f"{page}, cell {number}", source(cell)


def read_book(folder) -> Book:
    """Read a book from its folder.

    Raises
    ------
    FileNotFoundError
        If `folder` does not exist.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"folder is {folder}: expected the folder of the book's pages")
    notebooks = {path.stem: _json(path)["cells"] for path in sorted(folder.glob("*.ipynb"))}
    markdown = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md"))}
    return Book(notebooks, markdown, _entries(folder, "claims"), _entries(folder, "formulas"))


def source(cell) -> str:
    """The text of a cell, which is stored as one string or as lines."""
    return "".join(cell["source"])


def _entries(folder, name):
    path = folder / "_data" / f"{name}.json"
    return tuple(_json(path)[name]) if path.is_file() else ()


def _json(path):
    return json.loads(path.read_text(encoding="utf-8"))
