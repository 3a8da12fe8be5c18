"""How an expression is walked through when it is written, and where parentheses are needed.

`latex_writer` and `text_writer` fill in the marks. The printer is not part of what is proved: it is tested by its own
examples.
"""

from typing import ClassVar

from .expressions import (
    ONE,
    Apply,
    Constant,
    Delta,
    Diagonal,
    Divide,
    Entry,
    Functional,
    Grad,
    Hadamard,
    Identity,
    Inner,
    Integral,
    Jacobian,
    Limit,
    Matrix,
    Norm,
    Number,
    Ones,
    Partial,
    Plus,
    Power,
    Quotient,
    Sum,
    Symbol,
    Times,
    Trace,
    Transpose,
    Zeros,
)
from .ranges import is_natural

SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4  # how tightly a written form holds together


class Writer:
    """Writes expressions; a subclass says what the marks look like."""

    def write(self, e):
        return self._RULES[type(e)](self, e)

    def within(self, e, level):
        """`e`, in parentheses if it binds less tightly than `level`."""
        out = self.write(e)
        return self.parentheses(out) if self.binding(e) < level else out

    def binding(self, e):
        """How tightly the written form holds together."""
        if isinstance(e, Plus):
            return SUM
        if isinstance(e, Number):
            return SUM if e.value < 0 else ATOM if e.value.denominator == 1 else PRODUCT
        if isinstance(e, Times | Sum | Hadamard | Divide | Integral | Limit):
            return PRODUCT
        if isinstance(e, Quotient):
            return PRODUCT
        if isinstance(e, Partial | Grad | Jacobian):
            return self.derivative_binding
        if isinstance(e, Power | Transpose):
            return POWER
        if isinstance(e, Apply) and e.function.name == "exp" and not e.is_matrix:
            return self.exp_binding
        if isinstance(e, Apply) and e.function.name == "log":
            return self.log_binding
        return ATOM

    def _plus(self, e):
        out = self.write(e.args[0])
        for t in e.args[1:]:
            negated = after_minus(t)
            if negated is None:
                out += " + " + self.write(t)
            else:
                written = self.within(negated, PRODUCT)
                out += self.minus + (self.parentheses(written) if written.startswith("-") else written)
        return out

    def _times(self, e):
        factors = list(e.args)
        sign = ""
        if factors[0] == Number(-1):
            sign, factors = "-", factors[1:]
        out = []
        for n, f in enumerate(factors):
            last = n == len(factors) - 1
            loose = isinstance(f, Sum | Integral | Limit) and not last
            grouped = isinstance(f, Times | Hadamard | Divide) and f.is_matrix
            negative = (n > 0 or sign) and after_minus(f) is not None
            written = self.within(f, PRODUCT)
            alone = len(factors) == 1 and not sign
            if (loose or grouped or negative) and not alone and self.binding(f) >= PRODUCT:
                written = self.parentheses(written)
            if n > 0 and written[0].isdigit():
                written = self.dot + written
            out.append(written)
        return sign + " ".join(out)

    def _quotient(self, e):
        top, below = e.args
        if not top.is_matrix:
            return self.fraction(top, below)
        scalars = [f for f in top.args if not f.is_matrix] if isinstance(top, Times) else []
        leading = isinstance(top, Times) and all(not f.is_matrix for f in top.args[: len(scalars)])
        return self.matrix_fraction(top, scalars if leading else [], below)

    def _sum(self, e):
        plain = [is_natural(limit, e.body) for limit in e.limits]
        body = self.within(e.body, PRODUCT)
        if all(plain):
            return self.sum_sign([k for k, _, _ in e.limits]) + " " + body
        return " ".join([*(self.sum_sign_with_range(*limit) for limit in e.limits), body])

    def _hadamard(self, e):
        return self.odot.join(self._operand(f) for f in e.args)

    def _divide(self, e):
        return self.oslash.join(self._operand(f) for f in e.args)

    def _operand(self, f):
        loose = isinstance(f, Times | Plus | Hadamard | Divide | Quotient)
        return self.parentheses(self.write(f)) if loose else self.write(f)

    def _number(self, e):
        v = e.value
        return str(v.numerator) if v.denominator == 1 else self.number_fraction(v)

    def _entry(self, e):
        indices = [k for k, d in zip(e.args[1:], e.matrix.shape, strict=True) if d != ONE]
        return self.subscript(e.matrix, [self.write(k) for k in indices])

    def _ones(self, e):
        return self.ones(e)

    _RULES: ClassVar = {
        Plus: _plus,
        Times: _times,
        Quotient: _quotient,
        Sum: _sum,
        Hadamard: _hadamard,
        Divide: _divide,
        Number: _number,
        Entry: _entry,
        Ones: _ones,
        Symbol: lambda self, e: self.name(e, "_"),
        Matrix: lambda self, e: self.name(e, "^"),
        Constant: lambda self, e: self.constants[e.name],
        Power: lambda self, e: self.power(self.within(e.args[0], ATOM), self.write(e.args[1])),
        Delta: lambda self, e: self.delta(*(self.write(k) for k in e.args)),
        Apply: lambda self, e: self.apply(e),
        Functional: lambda self, e: self.name(e, "_") + self.parentheses(", ".join(map(self.write, e.arguments))),
        Transpose: lambda self, e: self.transpose(e.args[0]),
        Zeros: lambda self, e: self.zeros(e),
        Identity: lambda self, e: "I",
        Diagonal: lambda self, e: self.operator("diag") + self.parentheses(self.write(e.args[0])),
        Trace: lambda self, e: self.operator("tr") + self.parentheses(self.write(e.args[0])),
        Inner: lambda self, e: self.brackets(*(self.write(a) for a in e.args)),
        Norm: lambda self, e: self.bars(self.write(e.args[0])),
        Partial: lambda self, e: self.derivative(*e.args),
        Grad: lambda self, e: self.derivative(*e.args),
        Jacobian: lambda self, e: self.derivative(*e.args),
        Integral: lambda self, e: self.integral(e),
        Limit: lambda self, e: self.limit(e),
    }


def after_minus(e):
    """What is subtracted when `e` is written after a minus, or None."""
    if isinstance(e, Number) and e.value < 0:
        return Number(-e.value)
    if isinstance(e, Times):
        first, *rest = e.args
        if first == Number(-1):
            return rest[0] if len(rest) == 1 else Times(*rest)
        if isinstance(first, Number) and first.value < 0:
            return Times(Number(-first.value), *rest)
    if isinstance(e, Quotient):
        top = after_minus(e.args[0])
        return None if top is None else Quotient(top, e.args[1])
    return None


def is_short(e):
    return isinstance(e, Symbol | Matrix | Functional) or (isinstance(e, Entry) and isinstance(e.matrix, Matrix))


def head(writer, e):
    return writer.name(e, "_") if isinstance(e, Functional) else writer.write(e)
