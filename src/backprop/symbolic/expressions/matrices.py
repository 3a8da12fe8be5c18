"""Matrices, entry by entry products, and the numbers made from whole matrices."""

from ..errors import ShapeError
from .core import ONE, Expression, dimension, require_matrix, shape_text, sympify


class _EntryByEntry(Expression):
    __slots__ = ()
    _word = "combine"

    def __init__(self, *factors):
        for f in factors:
            require_matrix(f, self._word)
            if f.shape != factors[0].shape:
                raise ShapeError(
                    f"cannot {self._word} {factors[0]} ({shape_text(factors[0].shape)}) and {f} "
                    f"({shape_text(f.shape)}) entry by entry: expected equal shapes"
                )
        super().__init__(*factors, shape=factors[0].shape)


class Hadamard(_EntryByEntry):
    """The product entry by entry, ⊙."""

    __slots__ = ()
    _word = "multiply"


class Divide(_EntryByEntry):
    """The quotient entry by entry, ⊘."""

    __slots__ = ()
    _word = "divide"


class Ones(Expression):
    """A matrix of ones, **1**."""

    __slots__ = ()

    def __init__(self, rows, cols):
        super().__init__(dimension(rows), dimension(cols), shape=(dimension(rows), dimension(cols)))


class Zeros(Ones):
    """A matrix of zeros."""

    __slots__ = ()


class Identity(Expression):
    """The identity matrix."""

    __slots__ = ()

    def __init__(self, size):
        super().__init__(dimension(size), shape=(dimension(size), dimension(size)))


def length(vector, wanted_for):
    """The number of entries of a row or a column."""
    require_matrix(vector, wanted_for)
    if ONE not in vector.shape:
        raise ShapeError(f"{wanted_for}: expected a row or a column, but {vector} has shape {shape_text(vector.shape)}")
    return vector.cols if vector.rows == ONE else vector.rows


class Diagonal(Expression):
    """The square matrix with the entries of a vector on its diagonal."""

    __slots__ = ()

    def __init__(self, vector):
        n = length(vector, "diag")
        super().__init__(vector, shape=(n, n))


class Trace(Expression):
    """The sum of the diagonal entries."""

    __slots__ = ()

    def __init__(self, matrix):
        matrix = require_matrix(sympify(matrix), "trace")
        if matrix.rows != matrix.cols:
            raise ShapeError(f"trace: expected a square matrix, but {matrix} has shape {shape_text(matrix.shape)}")
        super().__init__(matrix)


class Inner(Expression):
    """⟨A, B⟩, the sum of the products of entries in the same place."""

    __slots__ = ()

    def __init__(self, a, b):
        Hadamard(a, b)
        super().__init__(a, b)


class Norm(Expression):
    """The root of the sum of the squared entries (the Frobenius norm of a matrix)."""

    __slots__ = ()

    def __init__(self, matrix):
        super().__init__(require_matrix(sympify(matrix), "norm"))
