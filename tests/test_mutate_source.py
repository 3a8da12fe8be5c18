"""Errors planted in the package reach every reference to the changed function; each is made once."""

import importlib.util
import sys
import types

import mutate_source
import pytest

SOURCE = '''"""A module."""
import functools

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
'''


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
        ("return 4", "return 5", lambda m: m.Layer().size, 4, 5),
        ("return 0", "return 1", lambda m: m.Layer.zero(), 0, 1),
        ("LIMIT = 3", "LIMIT = 2", lambda m: m.limited(9), 3, 2),
        ("x / 2", "x * 2", lambda m: m.RULES["half"][0](6), 3, 12),
        ("f(f(x))", "f(x)", lambda m: m.RULES["half"][1](6), 8, 7),
        ("x + 1", "x - 1", lambda m: m.RULES["half"][1](6), 8, 4),
        ('"scale": 5', '"scale": 6', lambda m: m.RULES["scale"], 5, 6),
    ],
)
def test_a_changed_source_changes_the_functions_that_others_hold(module, old, new, call, before, after):
    held = types.SimpleNamespace(**{name: getattr(module, name) for name in ("double", "Layer", "limited", "RULES")})
    assert call(held) == before
    mutate_source.install(module, SOURCE.replace(old, new, 1))
    assert call(held) == call(module) == after
    assert sys.modules["mutated_example"] is module


def test_every_module_and_its_tests_are_there():
    for name, tests in mutate_source.MODULES.items():
        assert (mutate_source.SOURCES / f"{name}.py").is_file(), name
        for test in tests:
            assert (mutate_source.ROOT / "tests" / f"{test}.py").is_file(), test


@pytest.mark.skipif(importlib.util.find_spec("cosmic_ray") is None, reason="cosmic-ray comes with `make test-deep`")
def test_the_errors_are_the_ones_that_gradients_suffer_from():
    source = "def backward(dZ, X):\n    return X.T @ dZ / 2\n"
    made = {
        (mutant.what.split(" (")[0], mutant.source.splitlines()[1].strip()) for mutant in mutate_source.mutants(source)
    }
    assert {
        ("transpose dropped", "return X @ dZ / 2"),
        ("factors swapped", "return dZ @ X.T / 2"),
        ("right factor dropped", "return X.T @ dZ"),
        ("ReplaceBinaryOperator_Div_Mul", "return X.T @ dZ * 2"),
        ("NumberReplacer", "return X.T @ dZ / 3"),
    } <= made
    assert len(made) == len(list(mutate_source.mutants(source)))
