"""The notebooks keep the book's rules, and each rule is seen to fail on a notebook that breaks it.

nbval executes the notebooks and compares their outputs (`make test` passes it the book folder); this file
holds what nbval does not look at.
"""

import copy
import json
import re
from itertools import pairwise
from pathlib import Path

import execute
import hygiene
import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "book").rglob("*.ipynb"))


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def code(text, count, outputs=(), tags=()):
    metadata = {"tags": list(tags)} if tags else {}
    return {
        "cell_type": "code",
        "source": text,
        "execution_count": count,
        "outputs": list(outputs),
        "metadata": metadata,
    }


def prose(text):
    return {"cell_type": "markdown", "source": text, "metadata": {}}


def shown(text):
    return {"output_type": "execute_result", "data": {"text/plain": text}}


GOOD = {"cells": [prose("# A page"), code("import numpy as np", 1), prose("Why."), code("assert np.sum([1]) == 1", 2)]}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_keeps_the_rules(path):
    assert hygiene.complaints(read(path)) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_is_stored_as_execute_writes_it(path):
    """Metadata of one machine, or an edit by hand, shows here."""
    stored = path.read_text(encoding="utf-8")
    notebook = execute.normalise(nbformat.reads(stored, as_version=4))
    assert stored == nbformat.writes(notebook, indent=1, ensure_ascii=False).rstrip("\n") + "\n"


def pages_of(toc):
    entries = [toc["root"]]
    for part in toc.get("parts", [toc]):
        entries += [chapter["file"] for chapter in part["chapters"]]
    return entries


def test_table_of_contents_lists_every_page_once():
    listed = pages_of(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8")))
    pages = [p for p in (ROOT / "book").iterdir() if p.suffix in {".ipynb", ".md"}]
    assert sorted(listed) == sorted(f"book/{page.stem}" for page in pages)


def test_the_good_notebook_passes():
    assert hygiene.complaints(GOOD) == []


def broken(change):
    notebook = copy.deepcopy(GOOD)
    change(notebook["cells"])
    return notebook


PLANTED = {
    "executed": lambda cells: cells[1].update(execution_count=None),
    "calm_outputs": lambda cells: cells[3]["outputs"].append(
        {"output_type": "stream", "name": "stderr", "text": "Warning"}
    ),
    "short_cells": lambda cells: cells[3].update(source="assert True\n" * 21),
    "no_empty_code": lambda cells: cells[3].update(source=""),
    "known_tags": lambda cells: cells[3]["metadata"].update(tags=["hide-inputs"]),
    "imports_first": lambda cells: cells[3].update(source="import math\nassert math.pi"),
    "prose_between": lambda cells: cells.pop(2),
    "opens_with_title": lambda cells: cells[0].update(source="A page"),
    "no_forbidden_code": lambda cells: cells[3].update(source="assert np.random.rand() < 1"),
    "portable_outputs": lambda cells: cells[3]["outputs"].append(shown("<object at 0x7f66a1b2c3>")),
    "asserts_something": lambda cells: cells[3].update(source="np.sum([1])"),
}


def test_every_rule_has_a_planted_error():
    assert list(PLANTED) == [rule.__name__ for rule in hygiene.RULES]


@pytest.mark.parametrize("name", PLANTED)
def test_rule_is_seen_to_fail(name):
    found = hygiene.complaints(broken(PLANTED[name]))
    assert any(complaint.startswith(f"{name}: ") for complaint in found), found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("/home/someone/book", "a path"),
        ("0.30000000000000004", "decimals"),
        ("took 12.3 ms", "a time"),
        ("<Axes at 0x7f66a1b2c3d0>", "address"),
    ],
)
def test_outputs_that_differ_between_machines_are_named(text, why):
    found = hygiene.portable_outputs(broken(lambda cells: cells[3]["outputs"].append(shown(text))))
    assert len(found) == 1
    assert why in found[0]


def test_an_error_is_allowed_only_where_it_is_announced():
    error = {"output_type": "error", "ename": "ValueError", "evalue": "", "traceback": []}
    silent = broken(lambda cells: cells[3]["outputs"].append(error))
    announced = broken(lambda cells: cells[3].update(outputs=[error], metadata={"tags": ["raises-exception"]}))
    assert hygiene.calm_outputs(silent) == ["cell 3 raised ValueError"]
    assert hygiene.calm_outputs(announced) == []


def test_consecutive_stream_pieces_become_one():
    pieces = [nbformat.v4.new_output("stream", name="stdout", text=text) for text in ("a", "b")]
    assert [output.text for output in execute.merged_streams(pieces)] == ["ab"]


def test_every_justified_ignored_output_says_so():
    """`nbval-ignore-output` needs a sentence before it that says why this output may differ."""
    for path in NOTEBOOKS:
        cells = read(path)["cells"]
        for before, cell in pairwise(cells):
            if "nbval-ignore-output" in hygiene.tags(cell):
                assert re.search(r"differ", hygiene.source(before)), f"{path.name}: an ignored output without a reason"
