"""A planted error reaches every reference to the changed function, and the tests that can see it are run."""

import importlib
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import planting
import pytest

SOURCE = '''"""A module."""
import dataclasses
import enum
import functools
import typing
from fractions import Fraction

import numpy as np

LIMIT = 3


def checked(name):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(x):
            return function(x) + OFFSETS[name]

        return wrapper

    return decorate


OFFSETS = {"x": 0}


@checked("x")
def double(x):
    return 2 * x


class Layer:
    rate = Fraction(1)
    span = (6, 7)

    def forward(self, x, shift=1):
        return x + shift

    @property
    def size(self):
        return 4

    @staticmethod
    def zero():
        return 0


def limited(x):
    return min(x, LIMIT)


def twice(f):
    return lambda x: f(f(x))


RULES = {"half": (lambda x: x / 2, twice(lambda x: x + 1)), "scale": 5}
SIZES = (3, 4)
WEIGHTS = np.array([0.25, 0.75])


@dataclasses.dataclass(frozen=True)
class Row:
    count: int


ROWS = {"first": Row(count=3)}


class Corner(typing.NamedTuple):
    at: tuple[int, int]
    largest: float


CORNERS = {"first": Corner((1, 2), 5.0)}


class Operation:
    __slots__ = ("exponent",)


class Power(Operation):
    __slots__ = ()

    def __init__(self, exponent):
        self.exponent = exponent


SQUARE = Power(exponent=2)
POWERS = {"cube": Power(exponent=7)}


class Side(enum.StrEnum):
    LEFT = "left"
    RIGHT = "right"

    @property
    def size(self):
        return len(self.value)

    measure = staticmethod(len)
'''


HELD = ("double", "Layer", "limited", "RULES", "WEIGHTS", "ROWS", "CORNERS", "SQUARE", "POWERS", "Side")


@pytest.fixture
def module(monkeypatch):
    made = types.ModuleType("mutated_example")
    made.__file__ = "mutated_example.py"
    monkeypatch.setitem(sys.modules, "mutated_example", made)
    exec(compile(SOURCE, made.__file__, "exec"), made.__dict__)
    return made


@pytest.mark.parametrize(
    ("old", "new", "call", "before", "after"),
    [
        ("2 * x", "2 / x", lambda m: m.double(4), 8, 0.5),
        ("+ OFFSETS", "- 1 + OFFSETS", lambda m: m.double(4), 8, 7),
        ("x + shift", "x - shift", lambda m: m.Layer().forward(5), 6, 4),
        ("shift=1", "shift=2", lambda m: m.Layer().forward(5), 6, 7),
        ("rate = Fraction(1)", "rate = Fraction(2)", lambda m: m.Layer().rate, 1, 2),
        ("span = (6, 7)", "span = (6, 8)", lambda m: m.Layer().span, (6, 7), (6, 8)),
        ("return 4", "return 5", lambda m: m.Layer().size, 4, 5),
        ("return 0", "return 1", lambda m: m.Layer.zero(), 0, 1),
        ("LIMIT = 3", "LIMIT = 2", lambda m: m.limited(9), 3, 2),
        ("x / 2", "x * 2", lambda m: m.RULES["half"][0](6), 3, 12),
        ("f(f(x))", "f(x)", lambda m: m.RULES["half"][1](6), 8, 7),
        ("x + 1", "x - 1", lambda m: m.RULES["half"][1](6), 8, 4),
        ('"scale": 5', '"scale": 6', lambda m: m.RULES["scale"], 5, 6),
        ('"scale": 5', '"scales": 5', lambda m: sorted(m.RULES), ["half", "scale"], ["half", "scales"]),
        ("0.25, ", "1.25, ", lambda m: m.WEIGHTS.tolist(), [0.25, 0.75], [1.25, 0.75]),
        ("count=3", "count=4", lambda m: m.ROWS["first"].count, 3, 4),
        ("(1, 2)", "(1, 3)", lambda m: m.CORNERS["first"].at, (1, 2), (1, 3)),
        ("5.0", "6.0", lambda m: m.CORNERS["first"].largest, 5, 6),
        ("exponent=2", "exponent=3", lambda m: m.SQUARE.exponent, 2, 3),
        ("exponent=7", "exponent=8", lambda m: m.POWERS["cube"].exponent, 7, 8),
        ("len(self.value)", "-len(self.value)", lambda m: m.Side.LEFT.size, 4, -4),
    ],
)
def test_a_changed_source_changes_the_functions_that_others_hold(module, old, new, call, before, after):
    held = types.SimpleNamespace(**{name: getattr(module, name) for name in HELD})
    assert call(held) == before
    planting.install(module, SOURCE.replace(old, new, 1))
    assert call(held) == call(module) == after
    assert sys.modules["mutated_example"] is module
    assert isinstance(held.POWERS["cube"], module.Power)  # what stands in a table stays of the module's own class


def test_a_changed_decorator_changes_what_it_has_made_for_other_modules(tmp_path, monkeypatch):
    path = tmp_path / "mutated_decorator.py"
    path.write_text(SOURCE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("mutated_decorator")
    monkeypatch.setitem(sys.modules, "mutated_decorator", module)

    @module.checked("x")
    def triple(x):
        return 3 * x

    changed = SOURCE.replace("function(x) + OFFSETS", "function(x) - 1 + OFFSETS", 1)
    planting.install(module, changed)
    assert triple(4) == 12
    planting.install(module, changed, planting.made_in(module))
    assert triple(4) == 11


# The tests that are run ----------------------------------------------------------------------------------------------

NESTED = """SIZE = 1


@cached
def f(a):
    def g(b):
        return (b +
                1)

    try:
        return g(a)
    except ValueError:
        return 0
"""


@pytest.mark.parametrize(
    ("line", "begins"),
    [(1, None), (4, None), (5, None), (6, 6), (7, 7), (8, 7), (10, 10), (11, 11), (12, 10), (13, 13)],
)
def test_a_line_belongs_to_the_innermost_statement_within_a_function(line, begins):
    assert planting.statement(NESTED, line) == begins


def test_every_statement_within_a_function_says_that_it_is_reached():
    reached = []
    program = compile(planting.marked(NESTED, "nested"), "nested.py", "exec")
    space = {"__reached__": lambda *place: reached.append(place), "cached": lambda function: function}
    exec(program, space)
    assert reached == []
    assert space["f"](1) == 2
    assert reached == [("nested", line) for line in (6, 10, 11, 7)]


EXAMPLE = """
def double(x):
    return 2 * x


def halve(x):
    return x / 2


def down(n):
    while n > 0:
        n = n - 1
    return n


def unused(x):
    return x + 1


def made():
    return 5


TABLE = 3
MADE = made()
"""
ITS_TESTS = """
import os

import pytest

from backprop import planted_example


@pytest.fixture(autouse=True)
def log(request):
    with open(os.environ["LOG"], "a") as file:
        print(os.getpid(), request.node.name, file=file)


def test_double():
    assert planted_example.double(4) == 8


def test_down():
    assert planted_example.down(3) == 0


def test_halve():
    assert planted_example.halve(4) == 2


def test_made():
    assert planted_example.MADE == 5


def test_table():
    assert planted_example.TABLE == 3
"""
PROGRAM = """
import json, sys
import backprop, pytest

backprop.__path__.append(sys.argv[1])
import planting

planting.PATIENCE = 0.5
source = open(sys.argv[1] + "/planted_example.py").read()
changes = [("2 * x", "3 * x"), ("n - 1", "n + 1"), ("x + 1", "x - 1"), ("TABLE = 3", "TABLE = 4")]
changes += [("return 5", "return 6"), ("x / 2", "x / 2.0")]
mutants = [
    planting.Mutant(source[: source.index(old)].count("\\n") + 1, new, source.replace(old, new))
    for old, new in changes
]
planter = planting.Planter({"planted_example": mutants}, jobs=1)
pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", sys.argv[1]], plugins=[planter])
found = planter.found["planted_example"]
print("\\n" + json.dumps([found.caught, found.late, [mutant.what for mutant in found.survivors]]))
"""


@pytest.mark.processes
def test_the_tests_that_reach_the_changed_line_are_run_until_one_fails(tmp_path):
    for name, text in (("planted_example", EXAMPLE), ("test_planted_example", ITS_TESTS)):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    tools = str(Path(planting.__file__).parent)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([tools, *sys.path]), "LOG": str(tmp_path / "log")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, env=environment, check=True
    )
    caught, late, survivors = json.loads(done.stdout.splitlines()[-1])
    assert (caught, late, survivors) == (4, 1, ["x - 1", "x / 2.0"])
    runs = {}
    for line in (tmp_path / "log").read_text().splitlines():
        process, test = line.split()
        runs.setdefault(process, []).append(test)
    all_tests = ["test_double", "test_down", "test_halve", "test_made", "test_table"]
    without, double, down, table, made, halve = runs.values()  # none for `unused`, which no test reaches
    assert (without, double, down, halve) == (all_tests, ["test_double"], ["test_down"], ["test_halve"])
    assert (table[-1], made[-1]) == ("test_table", "test_made")
