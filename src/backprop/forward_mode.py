"""Forward-mode automatic differentiation: dual numbers, which carry a derivative along and remember nothing.

The same programs and the same rules as in `reverse_mode`, read in the other direction.
"""

from collections.abc import Callable, Sequence

import numpy as np

from backprop._arguments import function as callable_
from backprop._arguments import sequence
from backprop._arrays import to_array
from backprop.primitives import PRIMITIVES
from backprop.reverse_mode import Traced


class Dual(Traced):
    """A value, and how it moves when the variables move along their tangents."""

    def __init__(self, value, tangent):
        self.value, self.tangent = value, tangent

    @classmethod
    def made_by(cls, primitive: str, value, operands: tuple, values: list) -> "Dual":
        moves = zip(operands, PRIMITIVES[primitive].jvps, strict=True)
        shares = [jvp(x.tangent, value, *values) for x, jvp in moves if isinstance(x, Dual)]
        return cls(value, sum(shares[1:], start=shares[0]))


def jvp(function: Callable, values: Sequence, tangents: Sequence) -> tuple[np.ndarray, np.ndarray]:
    """The value of a function, and its derivative along one direction: the Jacobian times the tangents.

    Parameters
    ----------
    function : callable
        Of as many arguments as there are values; written with operators and the functions of `reverse_mode`.
    values : sequence of arrays
    tangents : sequence of arrays, the shapes of the values
        The direction. A partial derivative is the derivative along a direction with a single 1.

    Returns
    -------
    value, tangent : arrays of one shape

    Raises
    ------
    ValueError
        Another number of tangents, a tangent of another shape, NaN or ±inf; a value or a derivative that is not finite.
    TypeError
        A dtype other than float32, float64, integers and bool; values or tangents that are no sequence; a function that
        is none, or does not use its arguments.

    Notes
    -----
    Wengert (1964). One sweep gives one column of the Jacobian, whatever the number of outputs.

    Examples
    --------
    >>> value, tangent = jvp(lambda x, y: x * y, [3.0, 5.0], [1.0, 0.0])
    >>> float(value), float(tangent)
    (15.0, 5.0)
    """
    function = callable_("function", function)
    values, tangents = (
        sequence("values", values, "a list of arrays"),
        sequence("tangents", tangents, "a list of arrays"),
    )
    if len(values) != len(tangents):
        raise ValueError(f"tangents holds {len(tangents)} arrays, but there are {len(values)} values")
    duals = []
    for i, (value, tangent) in enumerate(zip(values, tangents, strict=True)):
        value, tangent = to_array(f"values[{i}]", value), to_array(f"tangents[{i}]", tangent)
        if tangent.shape != value.shape:
            raise ValueError(f"tangents[{i}] has shape {tangent.shape}, but values[{i}] has {value.shape}")
        duals.append(Dual(value, tangent))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        result = function(*duals)
    if not isinstance(result, Dual):
        raise TypeError(f"function returned a {type(result).__name__}: expected a value computed from its arguments")
    if not np.isfinite(result.tangent).all():
        raise ValueError("the derivative is beyond the range of the numbers: expected smaller values and tangents")
    return result.value, result.tangent
