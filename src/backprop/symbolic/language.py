"""Words for writing expressions as on paper."""

from .errors import ExpressionError
from .expressions import (
    Delta,
    Diagonal,
    Divide,
    Hadamard,
    Identity,
    Inner,
    Matrix,
    Norm,
    Number,
    Ones,
    Sum,
    Symbol,
    Trace,
    Zeros,
    length,
    sympify,
)
from .ranges import natural_limits, plus_one


def _names(names):
    found = names.replace(",", " ").split()
    if not found:
        raise ExpressionError("no name was given")
    return found


def _one_or_all(things):
    return things[0] if len(things) == 1 else tuple(things)


def dimensions(names):
    """Symbols for sizes, which are positive whole numbers: ``N, D_in = dimensions("N D_in")``."""
    return _one_or_all([Symbol(n, positive=True, integer=True) for n in _names(names)])


def indices(names):
    """Symbols for indices, which count from 0: ``n, i = indices("n i")``."""
    return _one_or_all([Symbol(n, integer=True) for n in _names(names)])


def scalars(names, positive=False):
    """Symbols for real numbers: ``z = scalars("z")``, ``s = scalars("s", positive=True)``."""
    return _one_or_all([Symbol(n, positive=positive) for n in _names(names)])


def symbol(name, latex=None, positive=False):
    """One real number, with LaTeX of its own: ``symbol("loss", r"\\mathcal{L}")``."""
    return Symbol(name, latex, positive=positive)


def matrix(name, rows, cols, latex=None):
    """A matrix by name: ``X = matrix("X", N, D_in)``; its entries are ``X[n, i]``."""
    return Matrix(name, rows, cols, latex)


def row(name, cols, latex=None):
    """A vector that is one row; its entries are ``b[j]``."""
    return Matrix(name, 1, cols, latex)


def column(name, rows, latex=None):
    """A vector that is one column; its entries are ``z[i]``."""
    return Matrix(name, rows, 1, latex)


def ones(rows, cols=1):
    """The column of `rows` ones, or a matrix of ones."""
    return Ones(sympify(rows), sympify(cols))


def zeros(rows, cols=1):
    """The column of `rows` zeros, or a matrix of zeros."""
    return Zeros(sympify(rows), sympify(cols))


def identity(size):
    """The identity matrix."""
    return Identity(sympify(size))


def diag(vector):
    """The square matrix with a vector's entries on its diagonal."""
    return Diagonal(sympify(vector))


def delta(i, j):
    """The Kronecker delta δ: 1 where i = j, otherwise 0."""
    return Delta(sympify(i), sympify(j))


def total(body, *indices):
    """Σ over one or more indices, each over its whole range.

    Parameters
    ----------
    body : scalar expression
    *indices : an index, whose range is read off the entries of `body`
        Or ``(k, N)`` for 0 … N - 1, or ``(k, low, high)``.

    Raises
    ------
    ShapeError
        If a range is not given and cannot be read off.

    Examples
    --------
    >>> from backprop.symbolic import dimensions, indices, matrix, total
    >>> N, K = dimensions("N K")
    >>> n, k = indices("n k")
    >>> X = matrix("X", N, K)
    >>> total(X[n, k], n), total(X[n, k], (n, N), (k, K))
    (Σ_n X[n,k], Σ_n,k X[n,k])
    """
    body = sympify(body)
    limits = []
    for k in indices:
        if not isinstance(k, tuple):
            limits.append(natural_limits(body, sympify(k)))
        elif len(k) == 2:
            limits.append((sympify(k[0]), Number(0), plus_one(sympify(k[1]), -1)))
        else:
            limits.append(tuple(sympify(x) for x in k))
    return Sum(body, *limits)


def trace(matrix):
    """The sum of the diagonal entries of a square matrix."""
    return Trace(matrix)


def hadamard(*factors):
    """The product entry by entry, A ⊙ B."""
    return Hadamard(*(sympify(f) for f in factors))


def divide(a, b):
    """The quotient entry by entry, A ⊘ B."""
    return Divide(sympify(a), sympify(b))


def inner(a, b):
    """⟨A, B⟩ = Σ A[i, j] B[i, j]."""
    return Inner(sympify(a), sympify(b))


def outer(u, v):
    """The outer product u vᵀ of two vectors, whether they are rows or columns."""
    u, v = sympify(u), sympify(v)
    length(u, "outer"), length(v, "outer")
    return (u if u.cols == Number(1) else u.T) * (v if v.rows == Number(1) else v.T)


def norm(a):
    """‖A‖, the root of the sum of the squared entries."""
    return Norm(a)
