"""The exercises of the book, for tests that hold each answer against what is known of it by another road."""

import importlib
import inspect
import itertools
import json
import re
import textwrap

import numpy as np

from backprop.course import Exercise

from .evidence import ROOT

# The chapters whose answers are gradients, and what is derived, counted and checked on the way to them.
GRADIENTS = (
    "linear_layer matrix_form activations_and_losses softmax_cross_entropy hidden_layers delta_recursion conventions "
    "gradient_checking"
)
# Those whose answers are programs, counts and rates, of training and of what is around it.
PRACTICE = "initialization real_bugs training speed data_parallel reverse_mode"


def modules_of(chapters):
    """The modules of the chapters' exercises, by name."""
    return {chapter: importlib.import_module(f"backprop.exercises.{chapter}") for chapter in chapters.split()}


def exercises_of(chapters):
    """The exercises of chapters, by the names of module and exercise."""
    return {
        f"{chapter}.{name}": value
        for chapter, module in modules_of(chapters).items()
        for name, value in vars(module).items()
        if isinstance(value, Exercise)
    }


def of_each_mistake(exercise, told):
    """What is told of the mistakes, by their names: each is told of once, by its name or by words that it alone has."""
    names = {
        words: [name for name in exercise.wrong if name == words or (words in name and words not in exercise.wrong)]
        for words in told
    }
    assert sorted(itertools.chain(*names.values())) == sorted(exercise.wrong)
    return {name: told[words] for words, (name,) in names.items()}


def given_to_repair():
    """The code of each exercise's box that gives some, by the box's label."""
    found = {}
    for path in sorted((ROOT / "book").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            text = "".join(cell["source"])
            if "::{exercise}" in text and (code := re.findall(r"^    (.*)", text, re.M)):
                found[re.search(r":label: (\S+)", text)[1]] = "\n".join(code) + "\n"
    return found


def as_found(exercise, repairs=()):
    """The function that an exercise gives to repair; lines alone are the body of the function that is asked for.

    With some repairs, each a text and what stands in its place.
    """
    code = given_to_repair()[exercise.id]
    for old, new in repairs:
        assert old in code
        code = code.replace(old, new)
    if not code.startswith("def "):
        code = f"def found{inspect.signature(exercise.stub)}:\n" + textwrap.indent(code, "    ")
    names = {"np": np}
    exec(code, names)
    return next(value for name, value in names.items() if inspect.isfunction(value))
