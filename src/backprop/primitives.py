"""The primitives of automatic differentiation: what a program is made of, and the proved rule of each.

Nothing here knows which way a derivative is carried. `reverse_mode` and `forward_mode` read the same table.
"""

import contextlib
import operator
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from backprop import activations
from backprop._arguments import shown


class Primitive(NamedTuple):
    """A function that is never looked into, and the two products with each of its Jacobians.

    With c = function(x₁, x₂, …) and the Jacobian Jᵢ = ∂c/∂xᵢ, ``vjps[i](v, c, x₁, x₂, …)`` is Jᵢᵀ v in the shape of xᵢ,
    and ``jvps[i](u, c, x₁, x₂, …)`` is Jᵢ u in the shape of c. It is one rule, read in two directions:
    ⟨v, Jᵢ u⟩ = ⟨Jᵢᵀ v, u⟩.
    """

    function: Callable
    vjps: tuple[Callable, ...]
    jvps: tuple[Callable, ...]


def _elementwise(function: Callable, *products: Callable) -> Primitive:
    """A diagonal Jacobian is its own transpose, so one product serves both directions.

    What the function has broadcast to the shape of c is summed on the way back.
    """

    def vjp(i):
        return lambda v, c, *x: _summed_to(np.shape(x[i]), products[i](v, c, *x))

    def jvp(i):
        return lambda u, c, *x: np.broadcast_to(products[i](u, c, *x), np.shape(c))

    return Primitive(function, *(tuple(product(i) for i in range(len(products))) for product in (vjp, jvp)))


def _summed_to(shape: tuple[int, ...], gradient: np.ndarray) -> np.ndarray:
    """Copies of one entry share its gradient: add up along every axis that broadcasting has added or stretched."""
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    return gradient.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


def _matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if np.ndim(a) != 2 or np.ndim(b) != 2:
        raise ValueError(f"@ was given shapes {np.shape(a)} and {np.shape(b)}: expected two matrices")
    return a @ b


PRIMITIVES = {
    "add": _elementwise(operator.add, lambda v, c, a, b: v, lambda v, c, a, b: v),
    "subtract": _elementwise(operator.sub, lambda v, c, a, b: v, lambda v, c, a, b: -v),
    "multiply": _elementwise(operator.mul, lambda v, c, a, b: v * b, lambda v, c, a, b: v * a),
    "divide": _elementwise(operator.truediv, lambda v, c, a, b: v / b, lambda v, c, a, b: -v * c / b),
    "exp": _elementwise(np.exp, lambda v, c, a: v * c),
    "log": _elementwise(np.log, lambda v, c, a: v / a),
    "tanh": _elementwise(activations.tanh, lambda v, c, a: v * (1.0 - c * c)),
    "sigmoid": _elementwise(activations.sigmoid, lambda v, c, a: v * (c * (1.0 - c))),
    "relu": _elementwise(activations.relu, lambda v, c, a: v * (a > 0)),
    "matmul": Primitive(
        _matmul,
        vjps=(lambda v, c, a, b: v @ b.T, lambda v, c, a, b: a.T @ v),
        jvps=(lambda u, c, a, b: u @ b, lambda u, c, a, b: a @ u),
    ),
    "transpose": Primitive(
        np.transpose,
        vjps=(lambda v, c, a: v.T,),
        jvps=(lambda u, c, a: u.T,),
    ),
    "total": Primitive(
        np.sum,
        vjps=(lambda v, c, a: np.full_like(a, v),),
        jvps=(lambda u, c, a: u.sum(),),
    ),
    "log_softmax": Primitive(
        activations.log_softmax,
        vjps=(lambda v, c, a: v - np.exp(c) * v.sum(axis=-1, keepdims=True),),
        jvps=(lambda u, c, a: u - (np.exp(c) * u).sum(axis=-1, keepdims=True),),
    ),
}


@contextlib.contextmanager
def replaced(**others: Primitive) -> Iterator[None]:
    """Use other primitives under these names while a block runs: wrong rules, rules that count, rules on symbols.

    Raises
    ------
    ValueError
        A name that `PRIMITIVES` does not have.
    TypeError
        Something that is no `Primitive`.

    Examples
    --------
    >>> zero = PRIMITIVES["exp"]._replace(function=lambda a: 0.0)
    >>> with replaced(exp=zero):
    ...     PRIMITIVES["exp"].function(1.0)
    0.0
    """
    if unknown := [name for name in others if name not in PRIMITIVES]:
        raise ValueError(f"others names {', '.join(unknown)}: expected names of {', '.join(PRIMITIVES)}")
    for name, other in others.items():
        if not isinstance(other, Primitive):
            raise TypeError(f"{name} is {shown(other)}: expected a Primitive")
    kept = {name: PRIMITIVES[name] for name in others}
    PRIMITIVES.update(others)
    try:
        yield
    finally:
        PRIMITIVES.update(kept)
