"""What the operators of `reverse_mode` and `forward_mode` accept, and how they refuse: operands, nodes and gradients.

An expression in the place of an array is no mistake: then a sweep writes down formulas, and nothing here looks at it.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backprop._arguments import choice, having
from backprop._arrays import refuse, to_array
from backprop.primitives import PRIMITIVES, Primitive


def rule_of(primitive: str, operands: Sequence) -> Primitive:
    """The primitive of a name, for so many operands."""
    rule = PRIMITIVES[choice("primitive", primitive, PRIMITIVES)]
    if len(operands) != len(rule.vjps):
        raise TypeError(f"{primitive} was given {len(operands)} operands: expected {len(rule.vjps)}")
    return rule


def is_symbol(value: Any) -> bool:
    """Whether it is an expression in the place of an array."""
    return hasattr(value, "shape") and not isinstance(value, np.ndarray | np.generic)


def documented(operation: Callable, primitive: str) -> Callable:
    """An operation under the name of its primitive, with a docstring of its own."""
    operation.__name__ = operation.__qualname__ = primitive
    operation.__doc__ = (
        f"The primitive `{primitive}`, of arrays, nodes or dual numbers: see `PRIMITIVES`.\n\n"
        "Raises\n------\nValueError, TypeError\n    As `apply`."
    )
    return operation


def kind_of(primitive: str, traced: Sequence) -> type | None:
    """The class of the traced operands, which is one; None if there are none."""
    kinds = {type(x) for x in traced}
    if len(kinds) > 1:
        raise TypeError(f"{primitive} was given {' and '.join(sorted(k.__name__ for k in kinds))}: expected one kind")
    return kinds.pop() if kinds else None


def constant(primitive: str, i: int, value: Any) -> Any:
    """An operand that is no node: an array, a number that takes the dtype of what it meets, or a symbol as it is.

    Examples
    --------
    >>> constant("exp", 0, [1, 2]), constant("exp", 0, 3)
    (array([1., 2.]), 3.0)
    """
    if is_symbol(value):
        return value
    array = to_array(f"operand {i} of {primitive}", value)
    return array.item() if isinstance(value, int | float) else array


def applied(primitive: str, function: Callable, values: Sequence) -> Any:
    """What a primitive gives; refuse shapes that do not fit, and what is not finite.

    Examples
    --------
    >>> applied("exp", np.exp, [1e3])
    Traceback (most recent call last):
    ValueError: operand of exp out of its range (shape ()): the result is inf: expected a finite number
    """
    try:
        return _finite(function, values)
    except ValueError as error:
        shapes = " and ".join(str(np.shape(x)) for x in values)
        raise ValueError(f"operand of {primitive} out of its range (shape {shapes}): {error}") from None


def a_node(name: str, value: Any) -> Any:
    """A node of a tape."""
    return having(name, value, "value operands parents", "a Node, computed from variables")


def arriving(name: str, gradient: Any, node: Any) -> Any:
    """The gradient that arrives at a node, as an array of its shape."""
    if is_symbol(gradient):
        return gradient
    array = to_array(name, gradient)
    if array.shape != np.shape(node.value):
        raise ValueError(f"{name} has shape {array.shape}, but output has {np.shape(node.value)}")
    return array if isinstance(gradient, np.ndarray | np.generic) else array.astype(np.result_type(node.value))


def from_above(output: Any, cotangent: Any) -> Any:
    """The gradient that a sweep starts with: the cotangent, or 1 for a number."""
    shape = a_node("output", output).value.shape
    if cotangent is not None:
        return arriving("cotangent", cotangent, output)
    if shape != ():
        raise ValueError(f"output has shape {shape}: expected one number, or a cotangent of this shape")
    return np.ones_like(output.value)


def product(rule: Callable, v: Any, node: Any, values: Sequence) -> Any:
    """What a rule makes of the gradient v that arrives at a node."""
    v = arriving("v", v, node)
    try:
        return _finite(rule, [v, node.value, *values])
    except ValueError as error:
        raise ValueError(f"v, the gradient that arrives at {node!r}, is too large: {error}") from None


def within_range(sweep: Callable) -> Callable:
    """Refuse gradients that are too large: shares that are added may overflow, each of them finite."""

    @functools.wraps(sweep)
    def checked(output, cotangent=None):
        with np.errstate(over="ignore"):
            gradients = sweep(output, cotangent)
        for node, gradient in gradients.items():
            if not is_symbol(gradient):
                refuse(
                    ~np.isfinite(gradient), f"the gradient of {node!r}", np.asarray(gradient), "cotangent is too large"
                )
        return gradients

    return checked


def _finite(function: Callable, values: Sequence) -> Any:
    """What a function gives, if all of it is finite."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        result = function(*values)
    if isinstance(result, np.ndarray | np.generic | float):
        refuse(~np.isfinite(result), "the result", np.asarray(result), "expected a finite number")
    return result
