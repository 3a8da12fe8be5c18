"""The language: scalars, matrices, sums and derivatives, kept exactly as the author wrote them.

SymPy sorts the factors of a product, and it builds ``X*G`` without a word when the shapes of ``X`` and ``G``
clash. A page of a course can afford neither. So the expressions have classes of their own, which do two things
only: they keep the written order, and they refuse what has no meaning. They know no algebra; that is the prover's
work.

Every expression has a ``shape``: ``()`` for a scalar, ``(rows, columns)`` for a matrix. Expressions never change,
and two are equal when they are written alike.
"""

from .core import (
    INFINITY,
    ONE,
    PI,
    ZERO,
    Apply,
    Constant,
    Delta,
    Entry,
    Expression,
    Functional,
    Matrix,
    Number,
    Plus,
    Power,
    Quotient,
    Sum,
    Symbol,
    Times,
    Transpose,
    dimension,
    mentions,
    plus,
    scalar,
    shape_text,
    subexpressions,
    sympify,
    times,
)
from .derivatives import Grad, Integral, Jacobian, Limit, Partial
from .matrices import Diagonal, Divide, Hadamard, Identity, Inner, Norm, Ones, Trace, Zeros, length
from .traversal import rebuild, substitute

__all__ = [
    "INFINITY",
    "ONE",
    "PI",
    "ZERO",
    "Apply",
    "Constant",
    "Delta",
    "Diagonal",
    "Divide",
    "Entry",
    "Expression",
    "Functional",
    "Grad",
    "Hadamard",
    "Identity",
    "Inner",
    "Integral",
    "Jacobian",
    "Limit",
    "Matrix",
    "Norm",
    "Number",
    "Ones",
    "Partial",
    "Plus",
    "Power",
    "Quotient",
    "Sum",
    "Symbol",
    "Times",
    "Trace",
    "Transpose",
    "Zeros",
    "dimension",
    "length",
    "mentions",
    "plus",
    "rebuild",
    "scalar",
    "shape_text",
    "subexpressions",
    "substitute",
    "sympify",
    "times",
]
