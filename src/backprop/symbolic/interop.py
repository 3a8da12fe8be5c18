"""To SymPy and back.

An author may hand SymPy's own objects to the engine: they are read once, and from then on the engine's classes
hold them. The other way, an expression of ours is one opaque atom to SymPy, so that SymPy cannot reorder it.
"""

from fractions import Fraction

import sympy
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.diagonal import DiagMatrix
from sympy.matrices.expressions.matexpr import MatrixElement

from . import expressions as ours
from . import functions
from .errors import ExpressionError, ShapeError


class Written(sympy.AtomicExpr):
    """An expression of ours inside one of SymPy's."""

    def __new__(cls, expression):
        out = super().__new__(cls)
        out.expression = expression
        return out

    def _hashable_content(self):
        return (self.expression,)

    @property
    def free_symbols(self):
        """As SymPy symbols, so that SymPy does not take a summand for a constant."""
        leaves = (x for x in ours.subexpressions(self.expression) if isinstance(x, ours.Symbol))
        return {sympy.Symbol(x.name, integer=x.integer or None, positive=x.positive or None) for x in leaves}

    def _sympystr(self, printer):
        return str(self.expression)


class WrittenMatrix(sympy.MatrixExpr):
    """A matrix expression of ours inside one of SymPy's; its operators lead back to ours."""

    _op_priority = 1000.0

    def __new__(cls, expression):
        out = super().__new__(cls, sympy.Symbol(f"written {expression}"))
        out.expression = expression
        return out

    def _hashable_content(self):
        return (self.expression,)

    @property
    def shape(self):
        """The shape, in SymPy's symbols."""
        return tuple(map(to_sympy, self.expression.shape))

    def _entry(self, i, j, **_):
        return to_sympy(self.expression[from_sympy(i), from_sympy(j)])

    def __radd__(self, other):
        return ours.sympify(other) + self.expression

    def __rsub__(self, other):
        return ours.sympify(other) - self.expression

    def __rmul__(self, other):
        return ours.sympify(other) * self.expression

    __rmatmul__ = __rmul__


def to_sympy(expression):
    """Our expression as an atom of SymPy's; numbers and symbols become SymPy's own."""
    if isinstance(expression, ours.Number):
        return sympy.Rational(expression.value.numerator, expression.value.denominator)
    if isinstance(expression, ours.Symbol):
        kind = {"integer": expression.integer or None, "positive": expression.positive or None}
        return sympy.Symbol(expression.name, real=None if expression.integer else True, **kind)
    return WrittenMatrix(expression) if expression.is_matrix else Written(expression)


def from_sympy(value):
    """SymPy's expression as ours.

    Raises
    ------
    ExpressionError
        If it holds something that the language does not know, or a float.
    ShapeError
        If matrices do not conform, which SymPy may not have noticed.
    """
    return _read(sympy.sympify(value), {})


def _read(e, meanings):
    if isinstance(e, Written | WrittenMatrix):
        return (
            ours.substitute(e.expression, {ours.sympify(k): v for k, v in meanings.items()})
            if meanings
            else e.expression
        )
    if e in meanings:
        return meanings[e]
    if isinstance(e, sympy.Rational):
        return ours.Number(Fraction(int(e.p), int(e.q)))
    if isinstance(e, sympy.Float):
        raise ExpressionError(f"{e} is a float and not exact: use a Rational")
    if isinstance(e, sympy.Symbol):
        return ours.Symbol(e.name, positive=bool(e.is_positive), integer=bool(e.is_integer))
    if isinstance(e, sympy.Sum):
        return _sum(e, meanings)
    for kind, rule in _RULES.items():
        if isinstance(e, kind):
            return rule(e, lambda part: _read(part, meanings))
    if e in _CONSTANTS:
        return _CONSTANTS[e]
    if isinstance(e, sympy.Function) and type(e).__name__ in _FUNCTIONS and len(e.args) == 1:
        return functions.KNOWN[_FUNCTIONS[type(e).__name__]](_read(e.args[0], meanings))
    raise ExpressionError(f"{e} ({type(e).__name__}) is outside the language of derivations")


def _matrix(e, read):
    for d in e.shape:
        if isinstance(d, sympy.Symbol) and not (d.is_integer and d.is_positive):
            raise ShapeError(f"the dimension {d} of {e.name}: expected symbols('{d}', integer=True, positive=True)")
    return ours.Matrix(e.name, *map(read, e.shape))


def _product(e, read):
    out = None
    for factor in e.args:
        value = read(factor)
        out = value if out is None else ours.times(out, value)
    return out


def _sum_of_terms(e, read):
    terms = [read(t) for t in e.args]
    out = terms[0]
    for t in terms[1:]:
        out = ours.plus(out, t)
    return out


def _power(e, read):
    if e.base == sympy.E:
        return functions.exp(read(e.exp))
    if e.exp == sympy.Rational(1, 2):
        return functions.sqrt(read(e.base))
    if e.exp.could_extract_minus_sign():
        return ours.Quotient(ours.ONE, read(e.base ** (-e.exp)))
    return ours.Power(read(e.base), read(e.exp))


def _applied(e, read):
    (variable,) = e.function.variables  # a Lambda, which SymPy makes of whatever it is given
    body = _read(e.function.expr, {})
    if isinstance(body, ours.Apply) and body.argument == _read(variable, {}):
        return ours.Apply(body.function, read(e.expr))
    raise ExpressionError(f"{e.function} is not a single known function: apply functions one at a time")


def _maximum(e, read):
    parts = list(e.args)
    if len(parts) != 2:
        raise ExpressionError(f"{e}: a maximum of two is in the language, not of {len(parts)}")
    a, b = parts if parts[0] == 0 else parts[::-1]
    return functions.maximum(read(a), read(b))


def _heaviside(e, read):
    """A step; SymPy's has a value of its own at 0, which is 1/2 where it is not given."""
    x, at_zero = map(read, e.args)
    above = functions.step(x)
    return above if at_zero == ours.Number(0) else above + at_zero * (1 - above - functions.step(-x))


def _sum(e, meanings):
    """A sum; SymPy's own bound indices (dummies) get names that nothing else in the sum has."""
    inner, taken = dict(meanings), {s.name for s in e.atoms(sympy.Symbol) if not isinstance(s, sympy.Dummy)}
    taken |= {k.name for k in meanings.values()}
    limits = []
    for k, low, high in e.limits:
        name = k.name
        if isinstance(k, sympy.Dummy):
            name = next(n for n in (f"{'ijkl'[c % 4]}{c // 4 or ''}" for c in range(1000)) if n not in taken)
        taken.add(name)
        inner[k] = ours.Symbol(name, integer=True)
        limits.append((inner[k], _read(low, meanings), _read(high, meanings)))
    return ours.Sum(_read(e.function, inner), *limits)


def _integral(e, read):
    limits = [tuple(map(read, limit)) for limit in e.limits]
    if len(limits) != 1 or len(limits[0]) != 3:
        raise ExpressionError(f"{e}: an integral is over one variable with two ends")
    return ours.Integral(read(e.function), limits[0])


def _infinite(sign):
    return ours.INFINITY if sign > 0 else -ours.INFINITY


_CONSTANTS = {
    sympy.pi: ours.PI,
    sympy.oo: _infinite(1),
    -sympy.oo: _infinite(-1),
    sympy.E: functions.exp(ours.ONE),
}
_FUNCTIONS = {name: name for name in ("exp", "log", "sin", "cos", "sinh", "cosh", "tanh", "sign")} | {"Abs": "abs"}
_RULES = {
    sympy.MatrixSymbol: _matrix,
    MatrixElement: lambda e, read: read(e.parent)[read(e.i), read(e.j)],
    sympy.Transpose: lambda e, read: read(e.arg).T,
    sympy.HadamardProduct: lambda e, read: ours.Hadamard(*map(read, e.args)),
    sympy.OneMatrix: lambda e, read: ours.Ones(*map(read, e.shape)),
    sympy.ZeroMatrix: lambda e, read: ours.Zeros(*map(read, e.shape)),
    sympy.Identity: lambda e, read: ours.Identity(read(e.shape[0])),
    DiagMatrix: lambda e, read: ours.Diagonal(read(e.args[0])),
    ElementwiseApplyFunction: _applied,
    sympy.Trace: lambda e, read: ours.Trace(read(e.arg)),
    sympy.MatAdd: _sum_of_terms,
    sympy.MatMul: _product,
    sympy.Add: _sum_of_terms,
    sympy.Mul: _product,
    sympy.exp: lambda e, read: functions.exp(read(e.args[0])),
    sympy.Pow: _power,
    sympy.KroneckerDelta: lambda e, read: ours.Delta(*map(read, e.args[:2])),
    sympy.Integral: _integral,
    sympy.Limit: lambda e, read: ours.Limit(*map(read, e.args[:3]), str(e.args[3])),
    sympy.Max: _maximum,
    sympy.Heaviside: _heaviside,
}
