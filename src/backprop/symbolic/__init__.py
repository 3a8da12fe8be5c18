"""Derivations in which every step is checked before it is shown.

An author writes a derivation as a person would, for symbolic dimensions. Each step is first attacked with numbers;
only if that fails is it proved, and the proof holds for all sizes. A step that is not established is refused.

Examples
--------
>>> from backprop.symbolic import Derivation, Grad, dimensions, functional, matrix, ones, row
>>> N, D, K = dimensions("N D K")
>>> X, W, b, Z = matrix("X", N, D), matrix("W", D, K), row("b", K), matrix("Z", N, K)
>>> L = functional("L", Z)
>>> gradient = Derivation(Grad(L, W), let={Z: X * W + ones(N) * b}).then(X.T * Grad(L, Z), because="chain rule")
>>> gradient.evidence.name
'PROVED'
"""

from .bridge import as_function, evaluate
from .derivation import Derivation, Evidence, Refused, Step, refusal
from .errors import DefinitionError, ExpressionError, HypothesisError, NameClash, OutOfTime, ShapeError
from .expressions import (
    INFINITY,
    PI,
    Expression,
    Grad,
    Integral,
    Jacobian,
    Limit,
    Partial,
    Sum,
)
from .functions import (
    absolute,
    cos,
    cosh,
    elementwise,
    exp,
    functional,
    log,
    maximum,
    relu,
    sigmoid,
    sign,
    sin,
    sinh,
    softplus,
    sqrt,
    step,
    tanh,
)
from .language import (
    column,
    delta,
    diag,
    dimensions,
    divide,
    hadamard,
    identity,
    indices,
    inner,
    matrix,
    norm,
    ones,
    outer,
    row,
    scalars,
    symbol,
    total,
    trace,
    zeros,
)
from .printing import latex, text

__all__ = [
    "INFINITY",
    "PI",
    "DefinitionError",
    "Derivation",
    "Evidence",
    "Expression",
    "ExpressionError",
    "Grad",
    "HypothesisError",
    "Integral",
    "Jacobian",
    "Limit",
    "NameClash",
    "OutOfTime",
    "Partial",
    "Refused",
    "ShapeError",
    "Step",
    "Sum",
    "absolute",
    "as_function",
    "column",
    "cos",
    "cosh",
    "delta",
    "diag",
    "dimensions",
    "divide",
    "elementwise",
    "evaluate",
    "exp",
    "functional",
    "hadamard",
    "identity",
    "indices",
    "inner",
    "latex",
    "log",
    "matrix",
    "maximum",
    "norm",
    "ones",
    "outer",
    "refusal",
    "relu",
    "row",
    "scalars",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "softplus",
    "sqrt",
    "step",
    "symbol",
    "tanh",
    "text",
    "total",
    "trace",
    "zeros",
]
