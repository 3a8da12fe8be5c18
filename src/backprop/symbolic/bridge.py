"""From checked formulas to numbers: values on NumPy arrays, and formulas as functions of arrays."""

from itertools import product

import numpy as np

from .errors import ExpressionError, ShapeError
from .evaluation import Values
from .expressions import Matrix, Number, Symbol, shape_text, subexpressions, sympify
from .ranges import free_indices, index_ranges


def evaluate(formula, arrays, *, order=None):
    """The value of a formula, or of a derivation's result, on given arrays.

    Parameters
    ----------
    formula : expression or Derivation
        Of a derivation it is the result, with the derivation's definitions.
    arrays : dict
        From names (text, or the named matrices and symbols) to arrays and numbers. A row or a column may be given as a
        one-dimensional array. Sizes are read off the shapes.
    order : sequence of indices, optional
        The axes of the result where the formula has free indices; by default the order in which they appear.

    Returns
    -------
    float or numpy.ndarray
        A two-dimensional array for a matrix, one axis for each free index otherwise.

    Raises
    ------
    ExpressionError
        If a name has no value, or an array is given for an unknown name.
    ShapeError
        If an array's shape does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from backprop.symbolic import dimensions, evaluate, matrix
    >>> N, K = dimensions("N K")
    >>> evaluate(matrix("X", N, K).T * matrix("G", N, K), {"X": np.eye(2), "G": [[1, 2, 3], [4, 5, 6]]})
    Traceback (most recent call last):
        ...
    backprop.symbolic.errors.ShapeError: G has shape (2, 3), but K is 2 elsewhere: expected (2, 2)
    >>> evaluate(matrix("X", N, K).T * matrix("G", N, K), {"X": np.eye(2), "G": [[1, 2], [4, 5]]})
    array([[1., 2.],
           [4., 5.]])
    """
    e = sympify(getattr(formula, "result", formula))
    definitions = getattr(formula, "let", {})
    values = Values(Floats(), _leaves(e, definitions, arrays), definitions)
    ranges = index_ranges(e, *(d.body for d in definitions.values()))
    free = list(map(sympify, order)) if order is not None else free_indices(e)
    if set(free) != set(free_indices(e)):
        raise ExpressionError(f"order: expected the free indices {free_indices(e)}, got {free}")
    if not free:
        out = values.of(e)
        return np.array(out) if e.is_matrix else float(out)
    if e.is_matrix:
        raise ExpressionError(f"{e} is a matrix with the free indices {free}: give one of its entries")
    missing = [k for k in free if k not in ranges]
    if missing:
        raise ExpressionError(f"nothing says which range the index {missing[0]} runs over")
    sizes = [values.size(ranges[k]) for k in free]
    out = np.empty(sizes)
    for at in product(*map(range, sizes)):
        out[at] = values.of(e, dict(zip(free, at, strict=True)))
    return out


def as_function(formula, *names, order=None):
    """A formula, or a derivation's result, as a function of arrays.

    Parameters
    ----------
    formula : expression or Derivation
    *names : the named matrices and symbols, in the order of the function's arguments
    order : as in `evaluate`

    Examples
    --------
    >>> from backprop.symbolic import as_function, dimensions, matrix
    >>> N, K = dimensions("N K")
    >>> X, G = matrix("X", N, K), matrix("G", N, K)
    >>> as_function(X.T * G, X, G)([[1.0], [2.0]], [[3.0], [4.0]])
    array([[11.]])
    """

    def function(*arrays):
        if len(arrays) != len(names):
            raise TypeError(f"expected {len(names)} arrays ({', '.join(map(str, names))}), got {len(arrays)}")
        return evaluate(formula, dict(zip(names, arrays, strict=True)), order=order)

    return function


def _leaves(e, definitions, arrays):
    known = {}
    for x in [e, *(y for d in definitions.values() for y in (d.written, d.body))]:
        known |= {leaf.name: leaf for leaf in subexpressions(x) if isinstance(leaf, Matrix | Symbol)}
    leaves, sizes = {}, {}
    for name, value in arrays.items():
        leaf = known.get(name if isinstance(name, str) else name.name)
        if leaf is None:
            raise ExpressionError(f"arrays: {name} does not occur in {e}; expected some of {', '.join(known)}")
        leaves[leaf] = _value(leaf, value, sizes)
    return {**leaves, **sizes}


def _value(leaf, value, sizes):
    array = np.asarray(value)
    if array.dtype.kind not in "fiubc":
        raise TypeError(f"{leaf.name} has the type {array.dtype}: expected numbers")
    if isinstance(leaf, Symbol):
        if array.shape:
            raise ShapeError(f"{leaf.name} is a number, but an array of shape {array.shape} was given")
        return int(array) if leaf.integer else _computed_with(array)[()]
    if array.ndim == 1 and Number(1) in leaf.shape:
        array = array[:, None] if leaf.cols == Number(1) else array[None, :]
    if array.ndim != 2:
        raise ShapeError(f"{leaf.name} has shape {array.shape}: expected two axes, {shape_text(leaf.shape)}")
    expected = []
    for d, n in zip(leaf.shape, array.shape, strict=True):
        expected.append(d.value.numerator if isinstance(d, Number) else sizes.setdefault(d, n))
    if tuple(expected) != array.shape:
        clash = next(d for d, n, m in zip(leaf.shape, array.shape, expected, strict=True) if n != m)
        raise ShapeError(
            f"{leaf.name} has shape {array.shape}, but {clash} is {expected[leaf.shape.index(clash)]} elsewhere: "
            f"expected {tuple(expected)}"
        )
    return _computed_with(array)


def _computed_with(array):
    """The array in double precision: NumPy's whole numbers overflow, its truth values do not add up."""
    return array.astype(complex if array.dtype.kind == "c" else float)


class Floats:
    """Ordinary floating-point numbers. Derivatives that are left in a formula are centred differences."""

    h = 1e-5
    deepest = 2  # of the 16 digits, a second difference leaves 6

    @staticmethod
    def rational(value):
        """A fraction, or a whole number, rounded."""
        return value.numerator / value.denominator

    @staticmethod
    def pi():
        """π."""
        return np.pi

    @staticmethod
    def infinity():
        """∞."""
        return np.inf

    nearest = staticmethod(round)
    near = staticmethod(np.isclose)
    root = staticmethod(np.sqrt)

    @staticmethod
    def array(rows, shape):
        """A two-dimensional array."""
        return np.array(rows).reshape(shape)

    @staticmethod
    def dot(a, b):
        """The matrix product."""
        return a @ b

    @staticmethod
    def map(f, array):
        """A function that works on whole arrays."""
        return f(array)

    @staticmethod
    def function(f, x, where):
        """A known function."""
        if not f.known:
            raise ExpressionError(f"{f} is undefined and has no value: replace it by a known function")
        return _KNOWN[f.name](x)

    @staticmethod
    def functional(name, values):
        """An undefined functional has no value."""
        raise ExpressionError(
            f"the functional {name} is undefined and has no value: give its gradient a name in `given`"
        )

    @staticmethod
    def integral(f, a, b, depth):
        """Integrals have no value here."""
        raise ExpressionError("integrals are not evaluated on arrays")

    @staticmethod
    def limit(f, point, direction):
        """Limits have no value here."""
        raise ExpressionError("limits are not evaluated on arrays")


_KNOWN = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "sigmoid": lambda x: 0.5 * (1 + np.tanh(0.5 * x)),
    "softplus": lambda x: np.logaddexp(0, x),
    "relu": lambda x: np.where(x > 0, x, 0.0),
    "step": lambda x: np.where(x > 0, 1.0, 0.0),
    "abs": np.abs,
    "sign": np.sign,
}
