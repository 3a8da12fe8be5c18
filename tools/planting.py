"""Give the live functions of a module the code of its changed source, and run the tests in a copy of the process.

The tests are collected once; then the process forks for each error, the copy gets the changed functions and runs, of
the tests that reach the changed line, one after the other until one fails: first the one that failed last, then the
quickest. What reaches which line is seen in a first run, without an error.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import enum
import gc
import importlib
import inspect
import json
import multiprocessing
import numbers
import os
import signal
import sys
import tempfile
import time
import types
from collections.abc import Iterator

import numpy as np

SLOWER = 5  # times as long as without an error may a test take with one,
PATIENCE = 10  # and so many seconds more


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One change of one module: the line, what is done, the changed source."""

    line: int
    what: str
    source: str


def install(module: types.ModuleType, source: str | ast.Module, made: list[types.FunctionType] = ()) -> None:
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


def _exchange_closures(module: types.ModuleType, source: str | ast.Module, made: list[types.FunctionType]) -> None:
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
                is_enum = isinstance(old, enum.EnumType)  # its members stay what they are
                _exchange(dict(vars(old)), dict(vars(fresh)), owner, seen)
                for attribute, value in vars(fresh).items():
                    is_value = isinstance(value, numbers.Number | str) or _is_plain(value)
                    if is_value and not (attribute.startswith("__") or is_enum):
                        setattr(old, attribute, value)
        elif isinstance(fresh, property) and isinstance(old, property):
            _exchange_functions(old.fget, fresh.fget, seen)
        elif isinstance(fresh, classmethod | staticmethod):
            _exchange_functions(old.__func__, fresh.__func__, seen)
        elif inspect.isfunction(fresh) and inspect.isfunction(old):
            _exchange_functions(old, fresh, seen)
        elif _holds_more(old) and type(old).__name__ == type(fresh).__name__ and not _is_plain(old):
            _exchange_within(old, fresh, seen)
        elif type(old).__module__ == type(fresh).__module__ == getattr(owner, "__name__", None):
            _exchange_attributes(old, fresh)
        elif isinstance(fresh, np.ndarray) and np.shape(old) == fresh.shape:
            old[...] = fresh
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
        _rename_key(one, other)
        pairs = [(one[name], other[name]) for name in one if name in other]
        one.update({k: v for k, v in other.items() if k in one and not (_is_live(one[k]) or _is_own(one[k], v))})
    for one, other in pairs:
        if inspect.isfunction(one) and inspect.isfunction(other):
            _exchange_functions(one, other, seen)
        elif _holds_more(one) and type(one).__name__ == type(other).__name__:
            _exchange_within(one, other, seen)
        elif _is_own(one, other):
            _exchange_attributes(one, other)


def _is_own(old, fresh) -> bool:
    """Whether both are objects of a class of the module itself, which keeps its old one; a row is exchanged whole."""
    kinds = type(old), type(fresh)
    return kinds[0] is not kinds[1] and kinds[0].__qualname__ == kinds[1].__qualname__ and not isinstance(old, tuple)


def _rename_key(old: dict, fresh: dict) -> None:
    """One key that became another. Where keys are only missing, other modules may have put them there."""
    gone, new = old.keys() - fresh.keys(), fresh.keys() - old.keys()
    if len(gone) == len(new) == 1:
        row = old.pop(*gone)
        old[new.pop()] = row


def _exchange_attributes(old, fresh) -> None:
    """Give an object of one of the module's own classes, of which others hold references, its changed values."""
    slots = (name for kind in type(fresh).__mro__ for name in vars(kind).get("__slots__", ()))  # inherited ones too
    for name in (*slots, *getattr(fresh, "__dict__", ())):
        value = getattr(fresh, name, None)
        if isinstance(value, int | float | str | tuple | frozenset):
            object.__setattr__(old, name, value)


def _is_live(value) -> bool:
    """Whether there are references to it, or to a part of it, that must see the change."""
    return callable(value) or (_holds_more(value) and not _is_plain(value))


def _exchange_functions(old, fresh, seen: set) -> None:
    if not (inspect.isfunction(old) and inspect.isfunction(fresh)):
        return
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


def marked(source: str, name: str) -> ast.Module:
    """A program that says, before each statement within a function, that it is reached.

    >>> print(ast.unparse(marked("def f(a):\\n    if a:\\n        a = 1\\n    return a", "sums")))
    def f(a):
        __reached__('sums', 2)
        if a:
            __reached__('sums', 3)
            a = 1
        __reached__('sums', 4)
        return a
    """
    tree = ast.parse(source)
    for node in {id(node): node for f in _functions(tree) for node in ast.walk(f)}.values():
        for part in ("body", "orelse", "finalbody"):
            if isinstance(statements := getattr(node, part, None), list):
                calls = [ast.parse(f"__reached__({name!r}, {_first_line(each)})").body[0] for each in statements]
                setattr(node, part, [each for pair in zip(calls, statements, strict=True) for each in pair])
    return ast.fix_missing_locations(tree)


def statement(source: str, line: int) -> int | None:
    """The line at which the innermost statement begins that holds this line; none outside all functions.

    >>> [statement("SIZE = 1\\ndef f(a):\\n    return (a +\\n            1)", line) for line in (1, 2, 3, 4)]
    [None, None, 3, 3]
    """
    within = (node for f in _functions(ast.parse(source)) for node in ast.walk(f) if node is not f)
    statements = (node for node in within if isinstance(node, ast.stmt))
    return max((_first_line(s) for s in statements if _first_line(s) <= line <= s.end_lineno), default=None)


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _first_line(node: ast.stmt) -> int:
    return min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])


def dotted(name: str) -> str:
    """What Python calls a module that is named by its file below ``backprop``.

    >>> dotted("symbolic/sums"), dotted("sphinxext/__init__")
    ('backprop.symbolic.sums', 'backprop.sphinxext')
    """
    return f"backprop.{name}".replace("/", ".").removesuffix(".__init__")


@dataclasses.dataclass
class Found:
    """What became of the errors of one module; late are those of the caught ones with which a test never ended."""

    caught: int = 0
    late: int = 0
    survivors: list[Mutant] = dataclasses.field(default_factory=list)

    @property
    def count(self) -> int:
        return self.caught + len(self.survivors)


class Planter:
    """A pytest plugin that, instead of running the tests once, runs them in a copy of the process for each error.

    ``chosen`` has the errors by the name of their module below ``backprop``, such as ``"symbolic/sums"``.
    """

    def __init__(self, chosen: dict[str, list[Mutant]], jobs: int):
        self.chosen, self.jobs = chosen, jobs
        self.found = {name: Found() for name in chosen}
        self.modules = {name: importlib.import_module(dotted(name)) for name in chosen}
        self.sources = {name: inspect.getsource(module) for name, module in self.modules.items()}
        self.failed = multiprocessing.RawValue("i", -1)  # the number of the test that failed in a copy
        self.until = multiprocessing.RawArray("d", jobs)  # when the test that runs in a copy is late
        self.seconds: list[float] = []  # of each test
        self.reached: list[set[tuple[str, int]]] = []  # by each test: the statements, as a module and a line
        self.always: set[tuple[str, int]] = set()  # the statements that run while their module is made

    def pytest_sessionstart(self):
        """Hypothesis draws the same examples each time, and the first one that fails is enough."""
        from hypothesis import Phase, settings

        settings.register_profile("planted", phases=(Phase.explicit, Phase.generate), derandomize=True, database=None)
        settings.load_profile("planted")

    def pytest_runtestloop(self, session):
        if session.testsfailed:
            raise session.Failed(f"{session.testsfailed} errors during collection")
        self.made = {name: made_in(module) for name, module in self.modules.items()}
        self._measure(session)
        if len(self.seconds) < len(session.items):
            session.shouldfail = f"{session.items[len(self.seconds)].nodeid} fails without any error planted"
            return True
        gc.freeze()  # a collection in a copy would touch, and so duplicate, all of the memory
        running, last = {}, -1
        planted = [(name, mutant) for name, mutants in self.chosen.items() for mutant in mutants]
        for name, mutant in [*planted, *[("", None)] * self.jobs]:
            while len(running) >= self.jobs or (mutant is None and running):
                self._collect(running)
            if self.failed.value >= 0:
                last, self.failed.value = self.failed.value, -1
            if mutant is not None:
                slot = min(set(range(self.jobs)) - {taken for *_, taken in running.values()})
                numbers = self._tests_of(name, mutant, last)
                running[self._forked(session, name, mutant, numbers, slot)] = (name, mutant, slot)
        return True

    def _tests_of(self, name: str, mutant: Mutant, last: int) -> list[int]:
        """The tests that can see an error, by number: all of them where it is not within a function."""
        place = (name, statement(self.sources[name], mutant.line))
        everywhere = place[1] is None or place in self.always
        reaching = [number for number, places in enumerate(self.reached) if everywhere or place in places]
        return sorted(reaching, key=lambda number: (number != last, self.seconds[number]))

    def _forked(self, session, name: str, mutant: Mutant, numbers: list[int], slot: int) -> int:
        sys.stdout.flush()
        self.until[slot] = time.monotonic() + 60  # for the change itself; then for each test its own
        child = os.fork()
        if child:
            return child
        red = 1
        try:
            install(self.modules[name], mutant.source, self.made[name])
            red = self._run(session, numbers, slot)
        except BaseException:  # an error while it is installed, or an exit: red as well
            red = 1
        finally:
            os._exit(red)

    def _run(self, session, numbers: list[int], slot: int) -> int:
        """These tests until one fails."""
        _close_output()
        items = [session.items[number] for number in numbers]
        for number, item, following in zip(numbers, items, [*items, None][1:], strict=True):
            self.until[slot] = time.monotonic() + PATIENCE + SLOWER * self.seconds[number]
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                self.failed.value = number
                return 1
        return 0

    def _measure(self, session) -> None:
        """How long each test takes without an error, and what it reaches, up to the first that fails."""
        with tempfile.TemporaryFile("w+") as table:
            if not (child := os.fork()):
                try:
                    self._measure_in_copy(session, table)
                except BaseException as e:
                    say(f"nothing can be measured: {e!r}")
                finally:
                    os._exit(0)
            os.waitpid(child, 0)
            table.seek(0)
            rows = [json.loads(line) for line in table]
        if not rows:
            raise RuntimeError(f"the statements of {', '.join(self.modules)} cannot be marked: see above")
        self.seconds = [seconds for seconds, _ in rows[1:]]
        self.always, *self.reached = ({(name, line) for name, line in places} for _, places in rows)

    def _measure_in_copy(self, session, table) -> None:
        places = set()
        builtins.__reached__ = lambda *place: places.add(place)
        for name, module in self.modules.items():
            install(module, marked(self.sources[name], name), self.made[name])
        print(json.dumps([0, sorted(places)]), file=table, flush=True)
        _close_output()
        for item, following in zip(session.items, [*session.items, None][1:], strict=True):
            places.clear()
            started = time.monotonic()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                return
            print(json.dumps([time.monotonic() - started, sorted(places)]), file=table, flush=True)

    def _collect(self, running: dict) -> None:
        for child, (name, mutant, slot) in list(running.items()):
            late = time.monotonic() > self.until[slot]
            if late:
                os.kill(child, signal.SIGKILL)
            done, status = os.waitpid(child, 0 if late else os.WNOHANG)
            if done:
                del running[child]
                found = self.found[name]
                found.late += late
                if late or status:
                    found.caught += 1
                else:
                    found.survivors.append(mutant)
                    say(f"GREEN {name}:{mutant.line} {mutant.what}")
        time.sleep(0.005)


def _close_output() -> None:
    """What the tests of a copy print goes nowhere."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)


def say(text: str) -> None:
    """One line, unbuffered, on the standard error: also while pytest holds the other one."""
    os.write(2, f"{text}\n".encode())
