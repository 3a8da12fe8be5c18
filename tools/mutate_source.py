"""Change the package's code, one small error at a time, and see that its tests turn red.

    python tools/mutate_source.py layers activations         these modules of src/backprop
    python tools/mutate_source.py --write                    the modules that have changed; keeps counts in evidence/
    python tools/mutate_source.py losses --write --survivors the errors that the kept counts say nothing saw, once more

The errors are cosmic-ray's (https://cosmic-ray.readthedocs.io) and, for what it does not know, those of mutate_book: a
transpose dropped, the factors of a matrix product swapped, an axis. mutmut leaves decorated functions alone, which here
are most; cosmic-ray itself starts a process an error. So the errors are planted in copies of one process: the tests are
collected once, then the process forks for each error, the copy gets the changed functions and runs the tests until one
fails: first those that failed last, then the quickest.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import gc
import hashlib
import importlib
import inspect
import itertools
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
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
# These hold no mathematics of the course, and their tests are the longest: of the errors that are possible in each, so
# many are planted, drawn by a fixed seed. In every other module all are.
SAMPLED = dict.fromkeys(
    ("datasets", "diagnose", "_suspects", "_softmax_suspects", "_runs", "_run_files", "metering"), 60
)
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


def install(module: types.ModuleType, source: str, made: list[types.FunctionType] = ()) -> None:
    """Give the live functions of a module the code of its changed source, so that every reference to them changes.

    With what `made_in` finds, also the functions that the module's functions have made.
    """
    changed = types.ModuleType(module.__name__)
    changed.__dict__.update(__file__=module.__file__, __package__=module.__package__)
    sys.modules[module.__name__] = changed  # dataclasses look their module up while they are made
    try:
        exec(compile(source, module.__file__, "exec", dont_inherit=True), changed.__dict__)
    finally:
        sys.modules[module.__name__] = module
    _exchange(module.__dict__, changed.__dict__, module, set())
    if made:
        _exchange_closures(module, source, made)


def made_in(module: types.ModuleType) -> list[types.FunctionType]:
    """Every function whose code is the module's, wherever it is held: what a decorator made stands elsewhere."""
    return [f for f in gc.get_objects() if inspect.isfunction(f) and f.__code__.co_filename == module.__file__]


def _exchange_closures(module: types.ModuleType, source: str, made: list[types.FunctionType]) -> None:
    texts = (inspect.getsource(module), source)
    old, new = (list(_codes(compile(text, module.__file__, "exec", dont_inherit=True))) for text in texts)
    if [code.co_name for code in old] == [code.co_name for code in new]:
        changes = {one: other for one, other in zip(old, new, strict=True) if one != other}
        for function in made:
            code = changes.get(function.__code__)
            if code and code.co_freevars == function.__code__.co_freevars:
                function.__code__ = code


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield each
            yield from _codes(each)


def _exchange(live: dict, new: dict, owner, seen: set) -> None:
    for name, fresh in new.items():
        old = live.get(name)
        if name.startswith("__") and not callable(fresh):
            continue
        if isinstance(fresh, type) and isinstance(old, type):
            if fresh.__module__ == getattr(owner, "__name__", None) and id(old) not in seen:
                seen.add(id(old))
                _exchange(dict(vars(old)), dict(vars(fresh)), owner, seen)
                for attribute, value in vars(fresh).items():
                    if isinstance(value, int | float | str) and not attribute.startswith("__"):
                        setattr(old, attribute, value)
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
        one.update({name: other[name] for name in one if name in other and not _is_live(one[name])})
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
        self.failed = multiprocessing.RawValue("i", -1)  # the number of the test that failed in a copy
        self.seconds = 0.0

    def pytest_sessionstart(self):
        """Hypothesis draws the same examples each time, and the first one that fails is enough."""
        from hypothesis import Phase, settings

        settings.register_profile("planted", phases=(Phase.explicit, Phase.generate), derandomize=True, database=None)
        settings.load_profile("planted")

    def pytest_runtestloop(self, session):
        if session.testsfailed:
            raise session.Failed(f"{session.testsfailed} errors during collection")
        module = importlib.import_module(f"backprop.{self.name}")
        seconds = self._seconds(session, module)
        if len(seconds) < len(session.items):
            session.shouldfail = f"the tests of {self.name} fail without any error planted"
            return True
        self.seconds = 10 + SLOWER * sum(seconds)
        self.made = made_in(module)
        numbers = sorted(range(len(seconds)), key=seconds.__getitem__)
        gc.freeze()  # a collection in a copy would touch, and so duplicate, all of the memory
        running = {}
        for mutant in [*self.chosen, *[None] * self.jobs]:
            while len(running) >= self.jobs or (mutant is None and running):
                self._collect(running)
            if self.failed.value >= 0:
                numbers.sort(key=self.failed.value.__ne__)
                self.failed.value = -1
            if mutant is not None:
                running[self._forked(session, mutant, module, numbers)] = (mutant, time.monotonic() + self.seconds)
        return True

    def _forked(self, session, mutant, module, numbers, times=None) -> int:
        sys.stdout.flush()
        child = os.fork()
        if child:
            return child
        red = 1
        try:
            if mutant is not None:
                install(module, mutant.source, self.made)
            red = self._run([session.items[number] for number in numbers], numbers, times)
        except BaseException:  # an error while it is installed, or an exit: red as well
            red = 1
        finally:
            os._exit(red)

    def _seconds(self, session, module) -> list[float]:
        """How long each test takes without an error, up to the first that fails."""
        with tempfile.TemporaryFile("w+") as times:
            os.waitpid(self._forked(session, None, module, range(len(session.items)), times), 0)
            times.seek(0)
            return [float(line) for line in times]

    def _run(self, items, numbers, times=None) -> int:
        """All tests until one fails; what they print goes nowhere."""
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        for number, item, following in zip(numbers, items, [*items[1:], None], strict=True):
            started = time.monotonic()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if item.session.testsfailed:
                self.failed.value = number
                return 1
            if times:
                print(time.monotonic() - started, file=times, flush=True)
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


def selected(possible: list[Mutant], source: str, survivors: list[dict]) -> list[Mutant]:
    """The errors that are among the survivors of a record."""
    listed = {(each["what"], each["code"]) for each in survivors}
    names = {what for what, _ in listed}
    return [m for m in possible if m.what in names and (m.what, mutate_book.changed_lines(source, m.source)) in listed]


def examined(name: str, count: int | None, seed: int, jobs: int, before: dict | None = None) -> dict:
    """Plant the errors of one module and return the counts; with earlier counts, only what had survived."""
    import pytest

    path = SOURCES / f"{name}.py"
    source = path.read_text(encoding="utf-8")
    possible = list(mutants(source))
    if before:
        chosen = selected(possible, source, before["survivors"])
    else:
        chosen = possible if count is None else random.Random(seed).sample(possible, min(count, len(possible)))
    planter = Planter(name, chosen, jobs)
    tests = [str(ROOT / "tests" / f"{test}.py") for test in MODULES[name]]
    options = ["-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist"]
    options += ["-m", "not browser and not deep and not processes"]
    code = pytest.main([*options, *tests, str(path)], plugins=[planter])
    if code not in (0, 5):
        raise SystemExit(f"{name}: pytest ended with {code}")
    survivors = sorted((m.line, m.what, mutate_book.changed_lines(source, m.source)) for m in planter.survivors)
    _say(f"{name}: {planter.caught} of {len(chosen)} planted errors were caught")
    planted = before["planted"] if before else len(chosen)
    return {
        "source": fingerprint(name),
        "caught": planted - len(survivors),
        "planted": planted,
        "caught by never ending": planter.late + (before["caught by never ending"] if before else 0),
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
    found = {}
    known = recorded() if arguments.write else {}
    for name in arguments.modules or MODULES:
        before = known.get(name)
        if arguments.survivors and not is_current(before, name):
            parser.error(f"{name} has no current counts: plant all of its errors first")
        if is_current(before, name) and not (arguments.survivors and before["survivors"]):
            continue
        reader, writer = os.pipe()
        if not (child := os.fork()):
            again = before if arguments.survivors else None
            count = SAMPLED.get(name) if arguments.count is None else arguments.count
            counts = examined(name, count, arguments.seed, arguments.jobs, again)
            os.write(writer, json.dumps(counts).encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            text = pipe.read()
        if os.waitpid(child, 0)[1] or not text:
            return 2
        found[name] = json.loads(text)
        for survivor in found[name]["survivors"]:
            print(f"  {name}.py:{survivor['line']}: {survivor['what']}: {survivor['code']}")
    caught, planted = (sum(counts[key] for counts in found.values()) for key in ("caught", "planted"))
    print(f"{caught} of {planted} planted errors were caught, in {len(found)} modules")
    if arguments.write:
        text = json.dumps(dict(sorted({**known, **found}.items())), indent=1, ensure_ascii=False)
        EVIDENCE.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
