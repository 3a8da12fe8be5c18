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
    """Symbols for sizes, which are whole numbers from 1.

    Parameters
    ----------
    names : str
        Names with spaces or commas between them.

    Returns
    -------
    Symbol, or a tuple of them

    Raises
    ------
    ExpressionError
        If no name is given.

    Examples
    --------
    >>> from backprop.symbolic import dimensions, matrix
    >>> N, D_in = dimensions("N D_in")
    >>> matrix("X", N, D_in).shape
    (N, D_in)
    """
    return _one_or_all([Symbol(n, positive=True, integer=True) for n in _names(names)])


def indices(names):
    """Symbols for indices, which count from 0.

    Parameters
    ----------
    names : str
        Names with spaces or commas between them.

    Examples
    --------
    >>> from backprop.symbolic import dimensions, indices, matrix
    >>> N, K = dimensions("N K")
    >>> n, k = indices("n k")
    >>> matrix("X", N, K)[n, k]
    X[n,k]
    """
    return _one_or_all([Symbol(n, integer=True) for n in _names(names)])


def scalars(names, positive=False):
    """Symbols for real numbers.

    Parameters
    ----------
    names : str
        Names with spaces or commas between them.
    positive : bool
        Whether they stand for positive numbers only.

    Examples
    --------
    >>> from backprop.symbolic import Derivation, scalars, sqrt
    >>> s = scalars("s", positive=True)
    >>> Derivation(sqrt(s**2)).then(s, because="s is positive").steps[0].detail
    'normal form'
    """
    return _one_or_all([Symbol(n, positive=positive) for n in _names(names)])


def symbol(name, latex=None, positive=False):
    r"""One symbol for a real number, with LaTeX of its own.

    Parameters
    ----------
    name : str
    latex : str, optional
    positive : bool

    Examples
    --------
    >>> from backprop.symbolic import latex, symbol
    >>> print(latex(symbol("loss", r"\mathcal{L}")))
    \mathcal{L}
    """
    return Symbol(name, latex, positive=positive)


def matrix(name, rows, cols, latex=None):
    r"""A matrix of real entries, by name.

    Parameters
    ----------
    name : str
    rows, cols : dimensions or whole numbers
    latex : str, optional
        By default a trailing number is a layer: ``W2`` is written W⁽²⁾.

    Raises
    ------
    ShapeError
        If a size is neither a dimension nor a positive whole number.

    Examples
    --------
    >>> from backprop.symbolic import dimensions, latex, matrix
    >>> N, K = dimensions("N K")
    >>> W2 = matrix("W2", N, K)
    >>> W2.shape, W2.T.shape
    ((N, K), (K, N))
    >>> print(latex(W2))
    W^{(2)}
    """
    return Matrix(name, rows, cols, latex)


def row(name, cols, latex=None):
    """A vector that is one row; its entries take one index: ``b[j]``.

    Examples
    --------
    >>> from backprop.symbolic import dimensions, indices, row
    >>> row("b", dimensions("K"))[indices("j")]
    b[j]
    """
    return Matrix(name, 1, cols, latex)


def column(name, rows, latex=None):
    """A vector that is one column; its entries take one index: ``z[i]``.

    Examples
    --------
    >>> from backprop.symbolic import column, dimensions
    >>> z = column("z", dimensions("K"))
    >>> z.shape, (z * z.T).shape
    ((K, 1), (K, K))
    """
    return Matrix(name, rows, 1, latex)


def ones(rows, cols=1):
    """The column of `rows` ones, or a matrix of ones.

    Examples
    --------
    >>> from backprop.symbolic import dimensions, ones, row
    >>> N, K = dimensions("N K")
    >>> ones(N) * row("b", K), (ones(N) * row("b", K)).shape
    (𝟏 b, (N, K))
    """
    return Ones(sympify(rows), sympify(cols))


def zeros(rows, cols=1):
    """The column of `rows` zeros, or a matrix of zeros.

    Examples
    --------
    >>> from backprop.symbolic import dimensions, zeros
    >>> N, K = dimensions("N K")
    >>> zeros(N, K).shape
    (N, K)
    """
    return Zeros(sympify(rows), sympify(cols))


def identity(size):
    """The identity matrix, with the entries δ[i, j].

    Examples
    --------
    >>> from backprop.symbolic import Derivation, dimensions, identity, matrix
    >>> N, K = dimensions("N K")
    >>> X = matrix("X", N, K)
    >>> Derivation(X * identity(K)).then(X, because="the identity changes nothing").evidence.name
    'PROVED'
    """
    return Identity(sympify(size))


def diag(vector):
    """The square matrix with a vector's entries on its diagonal.

    Raises
    ------
    ShapeError
        If it is given neither a row nor a column.

    Examples
    --------
    >>> from backprop.symbolic import column, diag, dimensions
    >>> p = column("p", dimensions("K"))
    >>> diag(p) - p * p.T
    diag(p) − p pᵀ
    """
    return Diagonal(sympify(vector))


def delta(i, j):
    """The Kronecker delta δ[i, j]: 1 where i = j, otherwise 0.

    Raises
    ------
    ExpressionError
        If it is given anything but indices and whole numbers.

    Examples
    --------
    >>> from backprop.symbolic import Derivation, column, delta, dimensions, indices, total
    >>> z, (i, j) = column("z", dimensions("K")), indices("i j")
    >>> Derivation(total(delta(i, j) * z[i], i)).then(z[j], because="only i = j is left").evidence.name
    'PROVED'
    """
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
    """The sum of the diagonal entries of a square matrix.

    Raises
    ------
    ShapeError
        If the matrix is not square.

    Examples
    --------
    >>> from backprop.symbolic import Derivation, dimensions, inner, matrix, trace
    >>> N, K = dimensions("N K")
    >>> A, B = matrix("A", N, K), matrix("B", N, K)
    >>> Derivation(trace(A.T * B)).then(inner(A, B), because="entry by entry").evidence.name
    'PROVED'
    """
    return Trace(matrix)


def hadamard(*factors):
    """The product entry by entry, A ⊙ B.

    Raises
    ------
    ShapeError
        If the shapes differ.

    Examples
    --------
    >>> from backprop.symbolic import dimensions, hadamard, matrix
    >>> N, K = dimensions("N K")
    >>> hadamard(matrix("G", N, K), matrix("Z", N, K))
    G ⊙ Z
    """
    return Hadamard(*(sympify(f) for f in factors))


def divide(a, b):
    """The quotient entry by entry, A ⊘ B.

    Raises
    ------
    ShapeError
        If the shapes differ.

    Examples
    --------
    >>> from backprop.symbolic import dimensions, divide, matrix
    >>> N, K = dimensions("N K")
    >>> divide(matrix("A", N, K), matrix("B", N, K))
    A ⊘ B
    """
    return Divide(sympify(a), sympify(b))


def inner(a, b):
    """⟨A, B⟩ = Σᵢⱼ A[i, j] B[i, j].

    Raises
    ------
    ShapeError
        If the shapes differ.

    Examples
    --------
    >>> from backprop.symbolic import Derivation, dimensions, inner, matrix
    >>> N, D, K = dimensions("N D K")
    >>> G, X, W = matrix("G", N, K), matrix("X", N, D), matrix("W", D, K)
    >>> Derivation(inner(G, X * W)).then(inner(X.T * G, W), because="X moves across").evidence.name
    'PROVED'
    """
    return Inner(sympify(a), sympify(b))


def outer(u, v):
    """The outer product u vᵀ of two vectors, whether they are rows or columns.

    Raises
    ------
    ShapeError
        If one of them is neither.

    Examples
    --------
    >>> from backprop.symbolic import column, dimensions, outer, row
    >>> D, K = dimensions("D K")
    >>> outer(column("x", D), row("d", K)), outer(column("x", D), row("d", K)).shape
    (x d, (D, K))
    """
    u, v = sympify(u), sympify(v)
    length(u, "outer"), length(v, "outer")
    return (u if u.cols == Number(1) else u.T) * (v if v.rows == Number(1) else v.T)


def norm(a):
    """‖A‖, the root of the sum of the squared entries (the Frobenius norm of a matrix).

    Examples
    --------
    >>> from backprop.symbolic import Derivation, Grad, dimensions, matrix, norm
    >>> N, K = dimensions("N K")
    >>> A, Y = matrix("A", N, K), matrix("Y", N, K)
    >>> Derivation(Grad(norm(A - Y) ** 2 / 2, A)).then(A - Y, because="half squared error").evidence.name
    'PROVED'
    """
    return Norm(a)
