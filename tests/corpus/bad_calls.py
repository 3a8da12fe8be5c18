"""What became of a corrupted call: as expected, or a complaint in words."""

import copy
import re
import warnings
from typing import Any

import numpy as np

from backprop.forward_mode import Dual
from backprop.reverse_mode import Node
from corpus.corruptions import ANY, REFUSED, Corruption, Same
from corpus.public import Call


def complaint(call: Call, good: dict[str, Any], corrupted: dict[str, Corruption]) -> tuple[str, str]:
    """What came of it ("the same", "refused", "accepted"), and what is wrong with that, or "".

    An error of a call that only must be the same is right where the call with the same values raises it too.
    """
    arguments = good | {name: each.value for name, each in corrupted.items()}
    before = frozen(arguments)
    result, error = called(call, arguments)
    if frozen(arguments) != before:
        return "changed", "an argument was changed"
    if isinstance(error, Warning):
        return "warned", f"it warned: {error!r}"
    expected = [each.expected for each in corrupted.values()]
    if sum(each.reshapes for each in corrupted.values()) > 1:  # two shapes may fit each other
        expected = [ANY if each.reshapes else each.expected for each in corrupted.values()]
    if all(isinstance(each, Same) for each in expected):
        return like_the_twin(
            call, good | {name: e.value for name, e in zip(corrupted, expected, strict=True)}, result, error
        )
    if error is not None:
        return "refused", undocumented(call, error, corrupted)
    if REFUSED in expected:
        return "accepted", f"accepted: {shown(result)}"
    strange = not call.nan and any(not is_number(leaf, call, corrupted) for leaf in leaves(result))
    return "accepted", f"no number: {shown(result)}" if strange else ""


def like_the_twin(call, twins, result, error) -> tuple[str, str]:
    wanted, wanted_error = called(call, twins)
    if error is None and wanted_error is None:
        return "the same", "" if same(result, wanted) else f"another result: {shown(result)}, not {shown(wanted)}"
    if type(error) is type(wanted_error):
        return "refused", undocumented(call, error, twins)
    return "the same", f"{error!r}, where the same values give {wanted_error!r}"


def undocumented(call: Call, error: Exception, corrupted) -> str:
    """Whether the error is of a type that the docstring names, and its message says which argument."""
    if not {kind.__name__ for kind in type(error).__mro__} & raised(call.doc):
        return f"undocumented: {error!r}"
    if not any(re.search(rf"(?<!\w)({call.arguments[name].said or name})(?!\w)", str(error)) for name in corrupted):
        return f"the message does not name the argument: {error!r}"
    return ""


def raised(doc: str) -> set[str]:
    """The errors that a numpydoc docstring lists under "Raises".

    >>> sorted(raised("Sum.\\n\\nRaises\\n------\\nTypeError, ValueError\\n    None.\\n\\nNotes\\n-----\\nKeyError"))
    ['TypeError', 'ValueError']
    """
    section = re.search(r"^Raises\n-+\n(.*?)(?=^\w[\w ]*\n-{3,}\n|\Z)", doc, re.MULTILINE | re.DOTALL)
    return set(re.findall(r"\w+", " ".join(re.findall(r"^\w.*", section[1], re.MULTILINE)))) if section else set()


def called(call: Call, arguments: dict[str, Any]) -> tuple[Any, Exception | None]:
    """The result, or the error; a warning is one. A generator moves on when it draws, so each call gets its own."""
    own = {k: copy.deepcopy(v) if isinstance(v, np.random.Generator) else v for k, v in arguments.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return call.call(**own), None
        except Exception as error:
            return None, error


def frozen(thing: Any) -> Any:
    """All bytes of all arrays in it, and how they are kept."""
    if isinstance(thing, np.ndarray):
        objects = list(map(id, thing.ravel().tolist())) if thing.dtype.kind == "O" else ()
        return thing.dtype.str, thing.shape, thing.strides, thing.flags.writeable, thing.tobytes(), *objects
    if isinstance(thing, dict):
        return {key if isinstance(key, str | int | float) else id(key): frozen(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple | set):
        return type(thing), [frozen(each) for each in thing]
    if isinstance(thing, np.random.Generator):
        return repr(thing.bit_generator.state)
    if type(thing).__module__.startswith("backprop.") and not callable(thing):
        return type(thing), frozen(vars(thing) if hasattr(thing, "__dict__") else {})
    return repr(thing)


def leaves(thing: Any) -> list[Any]:
    """The arrays, numbers and texts of a result, in order."""
    if isinstance(thing, dict):
        return [leaf for value in thing.values() for leaf in leaves(value)]
    if isinstance(thing, list | tuple):
        return [leaf for value in thing for leaf in leaves(value)]
    if isinstance(thing, Node | Dual):
        return leaves([thing.value, getattr(thing, "tangent", 0)])
    if hasattr(thing, "__dataclass_fields__"):
        return [leaf for name in thing.__dataclass_fields__ for leaf in leaves(getattr(thing, name))]
    if hasattr(thing, "network"):
        return leaves(thing.network)
    return [thing]


def same(one: Any, other: Any) -> bool:
    """The same texts, and the same numbers to rounding."""
    pairs = list(zip(leaves(one), leaves(other), strict=False))
    return len(leaves(one)) == len(leaves(other)) and all(same_leaf(*pair) for pair in pairs)


def same_leaf(one: Any, other: Any) -> bool:
    if isinstance(one, str) or one is None or isinstance(other, str) or other is None:
        return one == other
    one, other = np.asarray(one), np.asarray(other)
    if one.dtype.kind not in "biufc" or other.dtype.kind not in "biufc":
        return one.dtype == other.dtype
    if one.shape != other.shape:
        return False
    size = np.abs(other[np.isfinite(other)]).max(initial=1e-300)
    return bool(np.allclose(one, other, rtol=1e-9, atol=1e-12 * size, equal_nan=True))


def is_number(leaf: Any, call: Call, corrupted) -> bool:
    """No NaN; ±inf only where a function documents it, or where it was given."""
    array = np.asarray(leaf) if not isinstance(leaf, str) and leaf is not None else np.zeros(())
    if array.dtype.kind not in "fc":
        return True
    given = any("inf" in name for name in (each.name for each in corrupted.values()))
    return not np.isnan(array).any() and (given or call.infinite or bool(np.isfinite(array).all()))


def shown(thing: Any) -> str:
    return re.sub(r"\s+", " ", repr(thing))[:120]
