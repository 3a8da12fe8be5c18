"""The errors that are planted in the package: each is made once, and the counts that are kept are of all of them."""

import ast
import dataclasses
import importlib
import importlib.util
import json

import mutate_source
import planting
import pytest


@pytest.mark.parametrize(
    ("source", "unparsed", "expected"),
    [
        ("# One.\ny = X.T @ dZ  # two\n", "y = X @ dZ", "# One.\ny = (X) @ dZ  # two\n"),
        ("y = 2 * (a @ b)\n", "y = 2 * (b @ a)", "y = 2 * ((b @ a))\n"),
        ("σ = x.sum(axis=1) + x.sum(\n    axis=1\n)\n", "σ = x.sum(axis=1) + x.sum(axis=0)",
         "σ = x.sum(axis=1) + x.sum(\n    axis=(0)\n)\n"),
        ("def f(a):\n    return (a *\n            3)\n", "def f(a):\n    return a",
         "def f(a):\n    return ((a\n))\n"),
        ("s: tuple[int, str]\n", "s: tuple[str, int]", "s: tuple[((str, int))]\n"),
    ],
)  # fmt: skip
def test_a_change_stands_in_its_place(source, unparsed, expected):
    changed = mutate_source.in_its_place(source, unparsed)
    assert changed == expected
    assert ast.unparse(ast.parse(changed)) == ast.unparse(ast.parse(unparsed))


def test_every_module_and_its_tests_are_there():
    for name, tests in mutate_source.MODULES.items():
        assert (mutate_source.SOURCES / f"{name}.py").is_file(), name
        for test in tests:
            assert (mutate_source.ROOT / "tests" / f"{test}.py").is_file(), test


def test_no_function_of_the_package_is_left_out():
    sources = mutate_source.SOURCES.rglob("*.py")
    holds_functions = {
        path.relative_to(mutate_source.SOURCES).with_suffix("").as_posix()
        for path in sources
        if any(isinstance(node, ast.FunctionDef | ast.Lambda) for node in ast.walk(ast.parse(path.read_bytes())))
    }
    assert holds_functions == set(mutate_source.MODULES)


@pytest.mark.skipif(importlib.util.find_spec("cosmic_ray") is None, reason="cosmic-ray comes with `make test-deep`")
def test_the_errors_are_the_ones_that_gradients_suffer_from():
    source = "def backward(dZ, X):\n    return X.T @ dZ / 2\n"
    made = {
        (mutant.what, ast.unparse(ast.parse(mutant.source)).splitlines()[1].strip())
        for mutant in mutate_source.mutants(source)
    }
    assert {
        ("transpose dropped", "return X @ dZ / 2"),
        ("factors swapped", "return dZ @ X.T / 2"),
        ("right factor dropped", "return X.T @ dZ"),
        ("ReplaceBinaryOperator_Div_Mul", "return X.T @ dZ * 2"),
        ("NumberReplacer", "return X.T @ dZ / 3"),
    } <= made
    assert len(made) == len(list(mutate_source.mutants(source)))
    # A change that no Python can read, here `if not b := …` and `(def g …)`, is not among them.
    for mutant in mutate_source.mutants(
        "def f(a):\n    if b := [*a]:\n        return b\n\n\ndef g(x: dict[str, int]): ...\n"
    ):
        ast.parse(mutant.source)


def test_what_no_python_can_read_is_known():
    assert mutate_source.is_python("if not 1:\n    pass\n")
    assert not mutate_source.is_python("if not rest := [1]:\n    pass\n")


@pytest.mark.parametrize(
    ("survivors", "chosen"),
    [
        ([{"line": 2, "what": "minus", "code": "return a - b"}], [1]),
        ([{"line": 9, "what": "minus", "code": "return a - b"}], [1]),
        ([{"line": 2, "what": "times", "code": "return a - b"}], []),
        ([{"line": 2, "what": "minus", "code": "return a * b"}], []),
        ([{"line": 2, "what": w, "code": f"return a {s} b"} for w, s in (("minus", "-"), ("times", "*"))], [1, 2]),
        ([], []),
    ],
)
def test_what_survived_is_found_among_the_possible_errors(survivors, chosen):
    source = "def add(a, b):\n    return a + b  # a sum\n"
    possible = [
        mutate_source.Mutant(2, what, source.replace("+", sign))
        for what, sign in (("divided", "/"), ("minus", "-"), ("times", "*"))
    ]
    assert mutate_source.selected(possible, source, survivors) == [possible[k] for k in chosen]


@pytest.mark.parametrize("name", ["layers", "network", "primitives", "conventions"])
def test_a_source_is_cut_between_its_statements(name):
    source = (mutate_source.SOURCES / f"{name}.py").read_text(encoding="utf-8")
    pieces = mutate_source.pieces(source)
    assert "".join(pieces) == source
    assert [len(ast.parse(piece).body) for piece in pieces] == [1] * len(ast.parse(source).body)


# What is recorded ----------------------------------------------------------------------------------------------------

ARGUED = json.loads((mutate_source.EVIDENCE.parent / "argued.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(mutate_source.MODULES))
def test_the_counts_are_of_all_errors_in_the_modules_as_they_stand(name):
    how = f"run `make test-deep`, or python tools/mutate_source.py --write, which does only what has changed: {name}"
    counts = mutate_source.recorded().get(name)
    assert mutate_source.is_current(counts, name), how
    assert counts["planted"] == counts["caught"] + len(counts["survivors"])


def test_counts_of_an_older_source_or_of_too_few_errors_are_noticed():
    drawn = mutate_source.SAMPLED["diagnose"]
    for name, planted, possible, current in [
        ("layers", 9, 9, True),
        ("layers", 8, 9, False),
        ("diagnose", drawn, drawn + 1, True),
        ("diagnose", drawn - 1, drawn + 1, False),
        ("diagnose", drawn - 1, drawn - 1, True),
    ]:
        counts = {"source": mutate_source.fingerprint(name), "planted": planted, "possible": possible}
        assert mutate_source.is_current(counts, name) is current
        assert not mutate_source.is_current(counts | {"source": "of another"}, name)
    assert not mutate_source.is_current(None, "layers")
    assert mutate_source.SAMPLED.keys() < mutate_source.MODULES.keys()


def everywhere(survivor):
    """The words on a flag that was turned, if the reason why nothing sees it holds in every module."""
    if survivor["what"] in ("ReplaceTrueWithFalse", "ReplaceFalseWithTrue"):
        return [flag for flag in ARGUED["anywhere"] if flag in survivor["code"]]
    return []


def test_of_every_error_that_was_not_seen_it_is_said_why_and_of_no_other():
    survivors = {name: counts["survivors"] for name, counts in mutate_source.recorded().items()}
    own = {name: {each["code"] for each in found if not everywhere(each)} for name, found in survivors.items()}
    assert {name: set(reasons) for name, reasons in ARGUED["modules"].items()} == {
        name: codes for name, codes in own.items() if codes
    }
    assert {flag for found in survivors.values() for each in found for flag in everywhere(each)} == set(
        ARGUED["anywhere"]
    )
    for reasons in (ARGUED["anywhere"], *ARGUED["modules"].values()):
        assert all(len(reason) > 20 for reason in reasons.values())


def test_every_dataclass_that_is_frozen_in_the_source_is_frozen():
    """An error planted in a class that is made already cannot thaw it, so this is looked at here."""
    for name in mutate_source.MODULES:
        source = (mutate_source.SOURCES / f"{name}.py").read_text(encoding="utf-8")
        module = importlib.import_module(planting.dotted(name))
        made = [c for c in vars(module).values() if dataclasses.is_dataclass(c) and c.__module__ == module.__name__]
        assert sum(c.__dataclass_params__.frozen for c in made) == source.count("frozen=True")
