"""Change the package's code, one small error at a time, and see that its tests turn red.

    python tools/mutate_source.py layers activations         these modules of src/backprop
    python tools/mutate_source.py --write                    the modules that have changed; keeps counts in evidence/

The errors are cosmic-ray's (https://cosmic-ray.readthedocs.io) and, for what it does not know, those of mutate_book: a
transpose dropped, the factors of a matrix product swapped, an axis. mutmut leaves decorated functions alone, which here
are most; cosmic-ray itself starts a process an error. So the errors are planted in copies of one process: the tests are
collected once, then the process forks for each error, the copy gets the changed functions and runs the tests until one
fails.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import importlib
import inspect
import json
import os
import random
import signal
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path

import mutate_book

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "src" / "backprop"
EVIDENCE = ROOT / "evidence" / "source_mutants.json"
# A module of the mathematics, and the tests that must see an error in it, beside its own doctests.
MODULES: dict[str, list[str]] = {
    "layers": ["test_layers"],
    "activations": ["test_activations", "test_accuracy"],
    "losses": ["test_losses"],
    "_passes": ["test_network", "test_training"],
    "network": ["test_network"],
    "gradcheck": ["test_gradcheck"],
    "_differences": ["test_gradcheck"],
    "_moved_columns": ["test_gradcheck"],
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
    "_arguments": ["test_layers", "test_datasets", "test_training", "test_optimizers", "test_diagnose"],
}
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
SLOWER = 5  # times as long as without an error, and ten seconds more, may the tests take with one


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One change of one module: the line, what is done, the changed source."""

    line: int
    what: str
    source: str


def mutants(source: str) -> Iterator[Mutant]:
    """Every change of a module's source, each once."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    seen = {source}
    for name in OPERATORS:
        operator = get_operator(f"core/{name}")()
        for occurrence in range(10_000):
            changed = mutate_code(source, operator, occurrence)
            if changed is None or changed == source:
                break
            if changed not in seen:
                seen.add(changed)
                yield Mutant(_first_difference(source, changed), name, changed)
    plain = mutate_book.plain(source)
    for what, changed in mutate_book.mutants(source):
        if what in ("transpose dropped", "factors swapped", "right factor dropped", "axis changed", "indices swapped"):
            yield Mutant(_first_difference(plain, changed), f"{what} (line of the unparsed source)", changed)


def _first_difference(one: str, other: str) -> int:
    pairs = zip(one.splitlines(), other.splitlines(), strict=False)
    return next((number for number, (a, b) in enumerate(pairs, 1) if a != b), 0)


def install(module: types.ModuleType, source: str) -> None:
    """Give the live functions of a module the code of its changed source, so that every reference to them changes."""
    changed = types.ModuleType(module.__name__)
    changed.__dict__.update(__file__=module.__file__, __package__=module.__package__)
    sys.modules[module.__name__] = changed  # dataclasses look their module up while they are made
    try:
        exec(compile(source, module.__file__, "exec"), changed.__dict__)
    finally:
        sys.modules[module.__name__] = module
    _exchange(module.__dict__, changed.__dict__, module, set())


def _exchange(live: dict, new: dict, owner, seen: set) -> None:
    for name, fresh in new.items():
        old = live.get(name)
        if name.startswith("__") and not callable(fresh):
            continue
        if isinstance(fresh, type) and isinstance(old, type):
            if fresh.__module__ == getattr(owner, "__name__", None) and id(old) not in seen:
                seen.add(id(old))
                _exchange(dict(vars(old)), dict(vars(fresh)), owner, seen)
        elif isinstance(fresh, property) and isinstance(old, property):
            _exchange_functions(old.fget, fresh.fget, seen)
        elif isinstance(fresh, classmethod | staticmethod):
            _exchange_functions(old.__func__, fresh.__func__, seen)
        elif inspect.isfunction(fresh) and inspect.isfunction(old):
            _exchange_functions(old, fresh, seen)
        elif _holds_more(old) and type(old).__name__ == type(fresh).__name__ and not _is_plain(old):
            _exchange_within(old, fresh, seen)
        elif isinstance(fresh, int | float | str | tuple | frozenset) and live is getattr(owner, "__dict__", None):
            live[name] = fresh


def _holds_more(value) -> bool:
    """Whether it is a table, a row or a record, in which functions may lie."""
    return isinstance(value, dict | tuple | list) or (dataclasses.is_dataclass(value) and not isinstance(value, type))


def _is_plain(value) -> bool:
    """Whether it is a row of values, which is exchanged whole."""
    return isinstance(value, tuple) and not any(map(_is_live, value))


def _exchange_within(old, fresh, seen: set) -> None:
    """Give the functions in a table their changed code; a number in it gets its changed value."""
    if isinstance(old, tuple | list):
        pairs = list(zip(old, fresh, strict=False))
    else:
        one, other = (each if isinstance(each, dict) else vars(each) for each in (old, fresh))
        pairs = [(one[name], other[name]) for name in one if name in other]
        if isinstance(old, dict):
            old.update({name: other[name] for name in one if name in other and not _is_live(one[name])})
    for one, other in pairs:
        if inspect.isfunction(one) and inspect.isfunction(other):
            _exchange_functions(one, other, seen)
        elif _holds_more(one) and type(one).__name__ == type(other).__name__:
            _exchange_within(one, other, seen)


def _is_live(value) -> bool:
    return callable(value) or _holds_more(value)


def _exchange_functions(old, fresh, seen: set) -> None:
    if id(old) in seen or old.__module__ != fresh.__module__:
        return
    seen.add(id(old))
    if len(old.__code__.co_freevars) == len(fresh.__code__.co_freevars):
        old.__code__ = fresh.__code__
        old.__defaults__, old.__kwdefaults__ = fresh.__defaults__, fresh.__kwdefaults__
        for one, other in zip(old.__closure__ or (), fresh.__closure__ or (), strict=True):
            if inspect.isfunction(one.cell_contents) and inspect.isfunction(other.cell_contents):
                _exchange_functions(one.cell_contents, other.cell_contents, seen)
            elif not callable(one.cell_contents):
                one.cell_contents = other.cell_contents
    if hasattr(old, "__wrapped__") and hasattr(fresh, "__wrapped__"):
        _exchange_functions(old.__wrapped__, fresh.__wrapped__, seen)


class Planter:
    """A pytest plugin that, instead of running the tests once, runs them in a copy of the process for each error."""

    def __init__(self, name: str, chosen: list[Mutant], jobs: int):
        self.name, self.chosen, self.jobs = name, chosen, jobs
        self.survivors: list[Mutant] = []
        self.caught = self.late = 0
        self.seconds = 0.0

    def pytest_runtestloop(self, session):
        if session.testsfailed:
            raise session.Failed(f"{session.testsfailed} errors during collection")
        module = importlib.import_module(f"backprop.{self.name}")
        started = time.monotonic()
        red = self._in_a_copy(session, None, module)
        self.seconds = 10 + SLOWER * (time.monotonic() - started)
        if red:
            session.shouldfail = f"the tests of {self.name} fail without any error planted"
            return True
        running = {}
        for mutant in [*self.chosen, *[None] * self.jobs]:
            while len(running) >= self.jobs or (mutant is None and running):
                self._collect(running)
            if mutant is not None:
                running[self._forked(session, mutant, module)] = (mutant, time.monotonic() + self.seconds)
        return True

    def _forked(self, session, mutant, module) -> int:
        sys.stdout.flush()
        child = os.fork()
        if child:
            return child
        red = 1
        try:
            if mutant is not None:
                install(module, mutant.source)
            red = self._run(session)
        except BaseException:  # an error while it is installed, or an exit: red as well
            red = 1
        finally:
            os._exit(red)

    def _in_a_copy(self, session, mutant, module) -> bool:
        return os.waitpid(self._forked(session, mutant, module), 0)[1] != 0

    def _run(self, session) -> int:
        """All tests until one fails; what they print goes nowhere."""
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        items = session.items
        for number, item in enumerate(items):
            following = items[number + 1] if number + 1 < len(items) else None
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                return 1
        return 0

    def _collect(self, running: dict) -> None:
        for child, (mutant, until) in list(running.items()):
            late = time.monotonic() > until
            if late:
                os.kill(child, signal.SIGKILL)
            done, status = os.waitpid(child, 0 if late else os.WNOHANG)
            if done:
                del running[child]
                self.late += late
                if late or status:
                    self.caught += 1
                else:
                    self.survivors.append(mutant)
                    _say(f"GREEN {self.name}:{mutant.line} {mutant.what}")
        time.sleep(0.005)


def _say(text: str) -> None:
    os.write(2, f"{text}\n".encode())


def examined(name: str, count: int | None, seed: int, jobs: int) -> dict:
    """Plant the errors of one module and return the counts."""
    import pytest

    path = SOURCES / f"{name}.py"
    source = path.read_text(encoding="utf-8")
    possible = list(mutants(source))
    chosen = possible if count is None else random.Random(seed).sample(possible, min(count, len(possible)))
    planter = Planter(name, chosen, jobs)
    tests = [str(ROOT / "tests" / f"{test}.py") for test in MODULES[name]]
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", "-m", "not browser and not deep"]
    code = pytest.main([*options, *tests, str(path)], plugins=[planter])
    if code not in (0, 5):
        raise SystemExit(f"{name}: pytest ended with {code}")
    survivors = sorted((m.line, m.what, _shown(source, m)) for m in planter.survivors)
    _say(f"{name}: {planter.caught} of {len(chosen)} planted errors were caught")
    return {
        "source": fingerprint(name),
        "caught": planter.caught,
        "planted": len(chosen),
        "caught by never ending": planter.late,
        "possible": len(possible),
        "survivors": [f"{line}, {what}: {text}" for line, what, text in survivors],
    }


def fingerprint(name: str) -> str:
    """A hash of a module's source, so that counts of an older one are noticed."""
    return hashlib.sha256((SOURCES / f"{name}.py").read_bytes()).hexdigest()[:16]


def is_current(counts: dict | None, name: str) -> bool:
    """Whether recorded counts are of every possible error of the module as it stands."""
    return bool(counts) and counts["source"] == fingerprint(name) and counts["planted"] == counts["possible"]


def recorded() -> dict[str, dict]:
    """The counts that are kept, by the module's name."""
    return json.loads(EVIDENCE.read_text(encoding="utf-8")) if EVIDENCE.exists() else {}


def _shown(source: str, mutant: Mutant) -> str:
    lines = mutant.source.splitlines()
    return lines[mutant.line - 1].strip() if 0 < mutant.line <= len(lines) else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", help=f"default: {' '.join(MODULES)}")
    parser.add_argument("--count", type=int, help="how many of the possible errors to plant in each (default: all)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--write", action="store_true", help=f"keep the counts in {EVIDENCE.relative_to(ROOT)}")
    arguments = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    os.chdir(ROOT)
    found = {}
    known = recorded() if arguments.write else {}
    for name in arguments.modules or MODULES:
        if is_current(known.get(name), name):
            continue
        reader, writer = os.pipe()
        if not (child := os.fork()):
            counts = examined(name, arguments.count, arguments.seed, arguments.jobs)
            os.write(writer, json.dumps(counts).encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            text = pipe.read()
        if os.waitpid(child, 0)[1] or not text:
            return 2
        found[name] = json.loads(text)
        for survivor in found[name]["survivors"]:
            print(f"  {name}.py:{survivor}")
    caught, planted = (sum(counts[key] for counts in found.values()) for key in ("caught", "planted"))
    print(f"{caught} of {planted} planted errors were caught, in {len(found)} modules")
    if arguments.write:
        text = json.dumps(dict(sorted({**known, **found}.items())), indent=1, ensure_ascii=False)
        EVIDENCE.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
