"""Change the package's code, one small error at a time, and see that its tests turn red.

    python tools/mutate_source.py layers activations         these modules of src/backprop
    python tools/mutate_source.py --write                    the modules that have changed; keeps counts in evidence/
    python tools/mutate_source.py losses --write --survivors the errors that the kept counts say nothing saw, once more

The errors are cosmic-ray's (https://cosmic-ray.readthedocs.io) and, for what it does not know, those of mutate_book: a
transpose dropped, the factors of a matrix product swapped, an axis. mutmut leaves decorated functions alone, which here
are most; cosmic-ray itself starts a process an error. So the errors are planted in copies of one process (planting.py).
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import itertools
import json
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import mutate_book
from planting import Found, Mutant, Planter, say

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "src" / "backprop"
EVIDENCE = ROOT / "evidence" / "source_mutants.json"
# A module of the mathematics, and the tests that must see an error in it, beside its own doctests.
MODULES: dict[str, list[str]] = {
    "layers": ["test_layers"],
    "activations": ["test_activations", "test_accuracy"],
    "losses": ["test_losses"],
    "_passes": ["test_conventions"],
    "network": ["test_network"],
    "gradcheck": ["test_gradcheck"],
    "_differences": ["test_gradcheck"],
    "_moved_columns": ["test_network", "test_gradcheck"],
    "_traced": ["test_reverse_mode"],
    "initializers": ["test_initializers"],
    "optimizers": ["test_optimizers"],
    "conventions": ["test_conventions"],
    "primitives": ["test_reverse_mode"],
    "reverse_mode": ["test_reverse_mode"],
    "forward_mode": ["test_reverse_mode"],
    "metrics": ["test_training"],
    "metering": ["test_metering"],
    "datasets": ["test_datasets"],
    "training": ["test_training"],
    "_runs": ["test_training"],
    "_run_files": ["test_training"],
    "fast_step": ["test_fast_step"],
    "_in_place": ["test_fast_step"],
    "data_parallel": ["test_data_parallel"],
    "diagnose": ["test_diagnose", "test_diagnose_tables"],
    "_suspects": ["test_diagnose", "test_diagnose_tables"],
    "_softmax_suspects": ["test_diagnose", "test_diagnose_tables"],
    "_arrays": ["test_layers", "test_activations", "test_losses", "test_network"],
    "_arguments": [
        "test_arguments",
        "test_layers",
        "test_datasets",
        "test_training",
        "test_optimizers",
        "test_diagnose",
    ],
}
# The derivation engine, by what its parts do: bring to a normal form, compute values, read and write. Each with its
# modules, and with the tests that must see an error in one of them.
ENGINE = {
    "algebra analysis applications arithmetic assumptions atoms cases differentiation inequalities lowering naming "
    "powers proof renaming simplifier sums": "algebra calculus derivation functions fuzz normal_form signs",
    "deadline diagnosis evaluation high_precision ranges refutation": "calculus derivation fuzz refutation values",
    "bridge definitions derivation expressions/core expressions/derivatives expressions/matrices expressions/traversal "
    "functions hypotheses interop language latex_writer printing records text_writer writer": (
        "bridge derivation expressions printing sympy written"
    ),
}
for _names, _tests in ENGINE.items():
    MODULES |= {f"symbolic/{name}": [f"test_symbolic_{test}" for test in _tests.split()] for name in _names.split()}
# What the book is made with: what its notebooks say, and how that becomes pages.
PACKAGES = {
    "course": "course_break_it course_exercises course_imports course_records course_source course_summary "
    "ledger path claims_page closing",
    "exercises": "course_exercises answers_gradients answers_values answers_derivations "
    "answers_practice answers_practice_ways",
    "exhibits": "exhibits exhibits_published",
    "sphinxext": "sphinxext sphinxext_pages sphinxext_gathered ledger mentions path claims_page",
}
for _package, _tests in PACKAGES.items():
    for _path in sorted((SOURCES / _package).glob("*.py")):
        if "def " in _path.read_text(encoding="utf-8"):
            MODULES[f"{_package}/{_path.stem}"] = [f"test_{test}" for test in _tests.split()]
MODULES["sphinxext/run"] = ["test_sphinxext_run"]
MODULES["plotting"] = ["test_plotting", "test_drawings"]
# Of the errors that are possible in these, so many are planted, drawn by a fixed seed. The first hold no mathematics of
# the course, and their tests are the longest. An error in the engine that nothing sees has run all of its tests, which
# takes a minute; what the engine says is examined from outside as well, see evidence/mutants.json and fuzz.json. The
# exercises and exhibits are many formulas of one kind, half of them wrong on purpose. The tests of sphinxext build
# pages, which takes longest.
SAMPLED = dict.fromkeys(
    ("datasets", "diagnose", "_suspects", "_softmax_suspects", "_runs", "_run_files", "metering"), 60
) | {name: 24 for name in MODULES if name.startswith(("symbolic/", "exercises/", "exhibits/"))}
SAMPLED |= {name: 12 for name in MODULES if name.startswith("sphinxext/")}
OPERATORS = [
    *(
        f"ReplaceBinaryOperator_{pair}"
        for pair in ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "Pow_Mul", "FloorDiv_Mul")
    ),
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is")),
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Lt_GtE", "Gt_LtE")),
    *("ReplaceUnaryOperator_Delete_USub", "ReplaceUnaryOperator_Delete_Not", "AddNot", "ReplaceAndWithOr"),
    *("ReplaceOrWithAnd", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "NumberReplacer", "ZeroIterationForLoop"),
]


def mutants(source: str) -> Iterator[Mutant]:
    """Every change of a module's source, each once."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    seen = {source}
    cut = pieces(source)
    for name in OPERATORS:
        operator = get_operator(f"core/{name}")()
        for k, piece in enumerate(cut):
            for occurrence in range(10_000):
                replaced = mutate_code(piece, operator, occurrence)
                if replaced is None:
                    break
                changed = "".join([*cut[:k], replaced, *cut[k + 1 :]])
                if changed not in seen and is_python(changed):
                    seen.add(changed)
                    yield Mutant(_first_difference(source, changed), name, changed)
    for what, unparsed in mutate_book.mutants(source):
        if what in ("transpose dropped", "factors swapped", "right factor dropped", "axis changed", "indices swapped"):
            changed = in_its_place(source, unparsed)
            if is_python(changed):
                yield Mutant(_first_difference(source, changed), what, changed)


def is_python(source: str) -> bool:
    """Whether a change can be planted at all: a program that does not start is no error that a test could see.

    >>> is_python("def f(x=not 1): pass"), is_python("(def f(x): pass)")
    (True, False)
    """
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def pieces(source: str) -> list[str]:
    """The source, cut before each of its outermost statements: cosmic-ray parses anew what it changes, each time."""
    lines = source.splitlines(keepends=True)
    starts = [min([s.lineno, *(d.lineno for d in getattr(s, "decorator_list", []))]) for s in ast.parse(source).body]
    cuts = [0, *(start - 1 for start in starts[1:]), len(lines)]
    return ["".join(lines[a:b]) for a, b in itertools.pairwise(cuts)]


def in_its_place(source: str, unparsed: str) -> str:
    """A changed source in the lines of the original, where whoever asks for a function's source looks for it.

    >>> in_its_place("# A sum.\\ns = (a +\\n     b) * 2", "s = (a - b) * 2")
    '# A sum.\\ns = ((a - b\\n)) * 2'
    """
    old, new = ast.parse(source), ast.parse(unparsed)
    while len(pairs := _different_children(old, new)) == 1 and hasattr(pairs[0][0], "end_lineno"):
        old, new = pairs[0]
    lines = source.splitlines(keepends=True)
    before = "".join(lines[: old.lineno - 1]).encode() + lines[old.lineno - 1].encode()[: old.col_offset]
    after = lines[old.end_lineno - 1].encode()[old.end_col_offset :] + "".join(lines[old.end_lineno :]).encode()
    return f"{before.decode()}({ast.unparse(new)}{chr(10) * (old.end_lineno - old.lineno)}){after.decode()}"


def _different_children(one: ast.AST, other: ast.AST) -> list[tuple[ast.AST, ast.AST]]:
    """The pairs of nodes right below two nodes that differ; none where the two are not made of as many."""
    children = [list(ast.iter_child_nodes(node)) for node in (one, other)]
    if type(one) is not type(other) or len(children[0]) != len(children[1]):
        return []
    return [(a, b) for a, b in zip(*children, strict=True) if ast.dump(a) != ast.dump(b)]


def _first_difference(one: str, other: str) -> int:
    pairs = zip(one.splitlines(), other.splitlines(), strict=False)
    return next((number for number, (a, b) in enumerate(pairs, 1) if a != b), 0)


def selected(possible: list[Mutant], source: str, survivors: list[dict]) -> list[Mutant]:
    """The errors that are among the survivors of a record."""
    listed = {(each["what"], each["code"]) for each in survivors}
    names = {what for what, _ in listed}
    return [m for m in possible if m.what in names and (m.what, mutate_book.changed_lines(source, m.source)) in listed]


def examined(names: list[str], counts: dict[str, int | None], seed: int, jobs: int, before: dict) -> dict[str, dict]:
    """Plant the errors of modules with the same tests; of those that stand in ``before``, only what had survived."""
    import pytest

    sources = {name: (SOURCES / f"{name}.py").read_text(encoding="utf-8") for name in names}
    possible = {name: list(mutants(source)) for name, source in sources.items()}
    chosen = {name: drawn(possible[name], counts[name], seed) for name in names if name not in before}
    chosen |= {name: selected(possible[name], sources[name], before[name]["survivors"]) for name in before}
    planter = Planter(chosen, jobs)
    tests = [ROOT / "tests" / f"{test}.py" for test in MODULES[names[0]]] + [SOURCES / f"{name}.py" for name in names]
    options = ["-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist"]
    options += ["-m", "not browser and not deep and not processes"]
    code = pytest.main([*options, *map(str, tests)], plugins=[planter])
    if code not in (0, 5) or any(planter.found[name].count < len(chosen[name]) for name in names):
        raise SystemExit(f"{', '.join(names)}: pytest ended with {code}, and not every error was planted")
    return {
        name: _counted(name, sources[name], possible[name], planter.found[name], before.get(name)) for name in names
    }


def drawn(possible: list[Mutant], count: int | None, seed: int) -> list[Mutant]:
    """So many of the possible errors, always the same for a seed; all of them where no count is given."""
    return possible if count is None else random.Random(seed).sample(possible, min(count, len(possible)))


def _counted(name: str, source: str, possible: list[Mutant], found: Found, before: dict | None) -> dict:
    survivors = sorted((m.line, m.what, mutate_book.changed_lines(source, m.source)) for m in found.survivors)
    planted = before["planted"] if before else found.count
    say(f"{name}: {found.caught} of {found.count} planted errors were caught")
    return {
        "source": fingerprint(name),
        "caught": planted - len(survivors),
        "planted": planted,
        "caught by never ending": found.late + (before["caught by never ending"] if before else 0),
        "possible": len(possible),
        "survivors": [{"line": number, "what": what, "code": code} for number, what, code in survivors],
    }


def fingerprint(name: str) -> str:
    """A hash of a module's source, so that counts of an older one are noticed."""
    return hashlib.sha256((SOURCES / f"{name}.py").read_bytes()).hexdigest()[:16]


def is_current(counts: dict | None, name: str) -> bool:
    """Whether recorded counts are of the module as it stands, and of all of its errors, or of as many as are drawn."""
    if not counts or counts["source"] != fingerprint(name):
        return False
    return counts["planted"] >= min(counts["possible"], SAMPLED.get(name, counts["possible"]))


def recorded() -> dict[str, dict]:
    """The counts that are kept, by the module's name."""
    return json.loads(EVIDENCE.read_text(encoding="utf-8")) if EVIDENCE.exists() else {}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", help=f"default: {' '.join(MODULES)}")
    parser.add_argument(
        "--count", type=int, help="how many of the possible errors to plant in each (default: all; see SAMPLED)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--write", action="store_true", help=f"keep the counts in {EVIDENCE.relative_to(ROOT)}")
    parser.add_argument("--survivors", action="store_true", help="only what survived, in the modules that are named")
    arguments = parser.parse_args()
    if arguments.survivors and not (arguments.write and arguments.modules):
        parser.error("--survivors renews kept counts: name the modules, and add --write")
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    os.chdir(ROOT)
    known = recorded() if arguments.write else {}
    names = arguments.modules or list(MODULES)
    if arguments.survivors and (old := [name for name in names if not is_current(known.get(name), name)]):
        parser.error(f"{', '.join(old)}: no current counts; plant all errors first")
    before = {name: known[name] for name in names if arguments.survivors}
    names = [n for n in names if not is_current(known.get(n), n) or (n in before and before[n]["survivors"])]
    counts = {name: SAMPLED.get(name) if arguments.count is None else arguments.count for name in names}
    found = {}
    for _, group in itertools.groupby(sorted(names, key=MODULES.get), key=MODULES.get):
        together = list(group)
        old = {name: before[name] for name in together if name in before}
        if (counted := _in_a_copy(together, counts, arguments.seed, arguments.jobs, old)) is None:
            return 2
        found |= counted
        if arguments.write:
            text = json.dumps(dict(sorted({**known, **found}.items())), indent=1, ensure_ascii=False)
            EVIDENCE.write_text(text + "\n", encoding="utf-8")
        for name, each in counted.items():
            for survivor in each["survivors"]:
                print(f"  {name}.py:{survivor['line']}: {survivor['what']}: {survivor['code']}")
    caught, planted = (sum(counts[key] for counts in found.values()) for key in ("caught", "planted"))
    print(f"{caught} of {planted} planted errors were caught, in {len(found)} modules")
    return 0


def _in_a_copy(*arguments) -> dict[str, dict] | None:
    """What is found by a copy of this process, which imports the tests that no other modules need; none if it fails."""
    reader, writer = os.pipe()
    if not (child := os.fork()):
        os.close(reader)
        with os.fdopen(writer, "w") as pipe:
            json.dump(examined(*arguments), pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    return None if os.waitpid(child, 0)[1] or not text else json.loads(text)


if __name__ == "__main__":
    sys.exit(main())
