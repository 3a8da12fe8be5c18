"""The public functions of the numerical package: found, not listed, so that a new one cannot be forgotten."""

import importlib
import inspect
import pkgutil
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import backprop
from backprop import conventions
from backprop.activations import ACTIVATIONS
from corpus.corruptions import Array, Classes, Kind

# Not numerical: pictures.
OTHER_MODULES = {"plotting"}

# Public and without a row, each for a reason.
EXEMPT = {
    "data_parallel.local_cluster": "starts processes",
    "data_parallel.process_ids": "asks the processes of a cluster",
    "reverse_mode.Traced": "only its subclasses are made",
    "reverse_mode.Node": "made by `variable` and `apply`, which read the arguments",
    "reverse_mode.Node.made_by": "what `apply` calls with what it has read",
    "forward_mode.Dual": "made by `jvp`, which reads the arguments",
    "forward_mode.Dual.made_by": "what `apply` calls with what it has read",
    "metering.Reading.hold": "what `metered` calls with a result",
}


def public() -> set[str]:
    """The public functions, constructors and methods of the numerical modules, as module.name or module.Class.method.

    Records that a function returns (named tuples, dataclasses that check nothing, exceptions) take any values; their
    own methods count.
    """
    found = {f"activations.ACTIVATIONS[{name}].backward" for name in ACTIVATIONS}
    found |= {f"conventions.Pass.{name}" for name in methods(conventions.Pass)}
    for module in pkgutil.iter_modules(backprop.__path__):
        if not module.ispkg and not module.name.startswith("_") and module.name not in OTHER_MODULES:
            found |= names_of(module.name, importlib.import_module(f"backprop.{module.name}"))
    return found


def names_of(module_name: str, module: Any) -> set[str]:
    """What a module defines, and what it lists of private ones: what it lists of public ones is found there."""
    found = set()
    for name, thing in vars(module).items():
        home = getattr(thing, "__module__", None) or ""
        listed = name in getattr(module, "__all__", ()) and home.startswith("backprop._")
        if name.startswith("_") or not callable(thing) or not (home == module.__name__ or listed):
            continue
        if not inspect.isclass(thing):
            found.add(f"{module_name}.{name}")
            continue
        found |= {f"{module_name}.{name}.{method}" for method in methods(thing)}
        if checks_its_arguments(thing):
            found.add(f"{module_name}.{name}")
    return found


def checks_its_arguments(cls) -> bool:
    if issubclass(cls, tuple | BaseException):
        return False
    return hasattr(cls, "__post_init__") or not hasattr(cls, "__dataclass_fields__")


def methods(cls) -> list[str]:
    """Its own public methods; properties take no arguments, and what a named tuple inherits is Python's."""
    return [
        name
        for name, value in vars(cls).items()
        if not name.startswith("_") and "lambda" not in getattr(value, "__qualname__", "")
        if inspect.isfunction(value) or isinstance(value, classmethod)
        if inspect.signature(getattr(cls, name)).parameters.keys() - {"self"}
    ]


class Call(NamedTuple):
    """One public function with its arguments.

    `call` is called with them by name. `free` are the dimensions that one argument alone has, so that any size will do;
    (d, "empty") is among them where 0 will. `infinite` and `nan`: its docstring says that a result may be that.
    """

    name: str
    arguments: dict[str, Kind]
    call: Callable
    doc: str
    free: frozenset
    infinite: bool = False
    nan: bool = False


def resolved(name: str) -> Any:
    """The function that a name of the table stands for."""
    if of := re.fullmatch(r"activations\.ACTIVATIONS\[(\w+)\]\.backward", name):
        return ACTIVATIONS[of[1]].backward
    module, *path = name.split(".")
    thing = importlib.import_module(f"backprop.{module}")
    for attribute in path:
        thing = getattr(thing, attribute)
    return thing


def call_of(name, call=None, /, *, empty="", infinite=False, nan=False, variant="", **arguments) -> Call:
    """A call of a public function. `empty`: the dimensions that may be 0."""
    function = resolved(name)
    counts = Counter(d for kind in arguments.values() if isinstance(kind, Array) for d in kind.dimensions)
    free = {d for d, count in counts.items() if count == 1 and not d.isdigit()}
    if any(isinstance(kind, Classes) for kind in arguments.values()):
        free.discard("m")
    free |= {(d, "empty") for d in empty.split()}
    doc = inspect.getdoc(function) or ""
    return Call(f"{name} {variant}".strip(), arguments, call or function, doc, frozenset(free), infinite, nan)
