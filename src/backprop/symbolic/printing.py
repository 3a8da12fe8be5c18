"""How expressions are written: as LaTeX and as plain text, in the author's order.

One walk serves both; the two `Style`s differ in their marks alone. The printer is not part of what is proved: it
is tested by its own examples.
"""

import re
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

SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4

_GREEK = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "zeta",
    "eta",
    "theta",
    "iota",
    "kappa",
    "lambda",
    "mu",
    "nu",
    "xi",
    "pi",
    "rho",
    "sigma",
    "tau",
    "upsilon",
    "phi",
    "chi",
    "psi",
    "omega",
    "Gamma",
    "Delta",
    "Theta",
    "Lambda",
    "Xi",
    "Pi",
    "Sigma",
    "Phi",
    "Psi",
    "Omega",
]
_LETTERS = dict(zip(_GREEK, "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ", strict=True))


def latex(e):
    r"""An expression as LaTeX.

    Examples
    --------
    >>> from backprop.symbolic import dimensions, hadamard, indices, latex, matrix, total
    >>> N, K, M = dimensions("N K M")
    >>> n, p, q = indices("n p q")
    >>> X, G = matrix("X", N, K), matrix("G", N, M)
    >>> print(latex(total(X[n, p] * G[n, q], n)))
    \sum_{n} X_{np} G_{nq}
    >>> print(latex(X.T * hadamard(G, G)))
    X^{\top} \left(G \odot G\right)
    """
    return _LATEX.write(e)


def text(e):
    """An expression as plain text.

    Examples
    --------
    >>> from backprop.symbolic import dimensions, matrix, text
    >>> N, K = dimensions("N K")
    >>> X = matrix("X", N, K)
    >>> print(text(X.T * X / N))
    Xᵀ X / N
    """
    return _TEXT.write(e)


def name_latex(name, counter="_"):
    """A name as LaTeX: ``D_in`` with a subscript, Greek letters by name, a trailing number as `counter` says.

    Examples
    --------
    >>> print(name_latex("D_in"), name_latex("eta"), name_latex("Y_hat"), name_latex("W2", counter="^"))
    D_{\\mathrm{in}} \\eta \\hat{Y} W^{(2)}
    """
    if name.endswith("_hat"):
        return rf"\hat{{{name_latex(name[:-4])}}}"
    stem, _, below = name.partition("_")
    found = re.fullmatch(r"(\D+?)(\d+)", stem)
    if found and not below:
        stem, number = found.groups()
        return _word(stem) + (rf"^{{({number})}}" if counter == "^" else f"_{{{number}}}")
    return _word(stem) + (f"_{{{_subscript(below)}}}" if below else "")


def _subscript(word):
    return rf"\mathrm{{{word}}}" if len(word) > 1 and word.isalpha() and word not in _GREEK else _word(word)


def _word(word):
    if word in _GREEK:
        return "\\" + word
    return word if len(word) <= 2 or not word.isalpha() else rf"\mathrm{{{word}}}"


class _Writer:
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
            negated = _negated(t)
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
            negative = n > 0 and _negated(f) is not None
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


def _negated(e):
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
        top = _negated(e.args[0])
        return None if top is None else Quotient(top, e.args[1])
    return None


class _Latex(_Writer):
    minus, dot, odot, oslash = " - ", r"\cdot ", r" \odot ", r" \oslash "
    derivative_binding, log_binding, exp_binding = ATOM, PRODUCT, POWER
    constants: ClassVar = {"pi": r"\pi", "oo": r"\infty"}

    @staticmethod
    def parentheses(inside):
        return rf"\left({inside}\right)"

    def binding(self, e):
        if isinstance(e, Quotient) and not e.is_matrix:
            return PRODUCT
        if isinstance(e, Partial | Grad | Jacobian) and not _is_short(e.args[0]):
            return PRODUCT
        return super().binding(e)

    @staticmethod
    def name(e, counter):
        return e.latex or name_latex(e.name, counter)

    def fraction(self, top, below):
        negated = _negated(top)
        if negated is not None:
            return "-" + self.fraction(negated, below)
        return rf"\frac{{{self.write(top)}}}{{{self.write(below)}}}"

    def matrix_fraction(self, top, scalars, below):
        sign = ""
        if scalars and scalars[0] == Number(-1):
            sign, scalars, top = "-", scalars[1:], Times(*top.args[1:]) if len(top.args) > 2 else top.args[1]
        if not scalars:
            return rf"{sign}\frac{{1}}{{{self.write(below)}}} {self._operand_of_fraction(top)}"
        matrices = top.args[len(scalars) :]
        rest = matrices[0] if len(matrices) == 1 else Times(*matrices)
        above = self.write(scalars[0] if len(scalars) == 1 else Times(*scalars))
        return rf"{sign}\frac{{{above}}}{{{self.write(below)}}} {self._operand_of_fraction(rest)}"

    def _operand_of_fraction(self, e):
        return self.parentheses(self.write(e)) if isinstance(e, Plus | Hadamard | Divide | Quotient) else self.write(e)

    @staticmethod
    def number_fraction(v):
        sign = "-" if v < 0 else ""
        return rf"{sign}\frac{{{abs(v.numerator)}}}{{{v.denominator}}}"

    def sum_sign(self, indices):
        return rf"\sum_{{{','.join(map(self.write, indices))}}}"

    def sum_sign_with_range(self, k, low, high):
        return rf"\sum_{{{self.write(k)}={self.write(low)}}}^{{{self.write(high)}}}"

    def subscript(self, matrix, indices):
        stem = self.write(matrix)
        if not isinstance(matrix, Matrix):
            stem = self.parentheses(stem)
        elif "_" in stem:
            stem = f"{{{stem}}}"
        if not indices:
            return stem
        joined = ("" if all(len(k) == 1 for k in indices) else ",").join(indices)
        return f"{stem}_{{{joined}}}"

    @staticmethod
    def _raised(stem, above):
        return f"{{{stem}}}^{{{above}}}" if "^" in stem or "'" in stem else f"{stem}^{{{above}}}"

    def power(self, base, exponent):
        return self._raised(base, exponent) if not base.startswith(r"\left") else f"{base}^{{{exponent}}}"

    def transpose(self, e):
        stem = self.within(e, ATOM)
        return f"{stem}^{{\\top}}" if stem.startswith(r"\left(") else self._raised(stem, r"\top")

    @staticmethod
    def delta(i, j):
        return rf"\delta_{{{i}{j}}}" if len(i) == len(j) == 1 else rf"\delta_{{{i},{j}}}"

    def apply(self, e):
        f, x = e.function, self.write(e.argument)
        if f.known and f.name == "exp" and not e.is_matrix:
            return f"e^{{{x}}}"
        if f.known and f.name == "sqrt":
            return rf"\sqrt{{{x}}}"
        if f.known and f.name == "abs":
            return rf"\left\lvert {x} \right\rvert"
        if f.known and f.name == "step":
            return rf"\mathbf{{1}}\left[{x} > 0\right]"
        if f.known and f.name == "log" and isinstance(e.argument, Symbol | Entry):
            return rf"\ln {x}"
        return f.latex + "'" * f.order + self.parentheses(x)

    def ones(self, e):
        if e.cols == ONE:
            return r"\mathbf{1}"
        if e.rows == ONE:
            return r"\mathbf{1}^{\top}"
        return rf"\mathbf{{1}}_{{{self.write(e.rows)} \times {self.write(e.cols)}}}"

    @staticmethod
    def zeros(e):
        return r"\mathbf{0}"

    @staticmethod
    def operator(name):
        return rf"\operatorname{{{name}}}"

    @staticmethod
    def brackets(a, b):
        return rf"\left\langle {a}, {b} \right\rangle"

    @staticmethod
    def bars(inside):
        return rf"\left\lVert {inside} \right\rVert"

    def derivative(self, e, v):
        if _is_short(e):
            return rf"\frac{{\partial {_head(self, e)}}}{{\partial {self.write(v)}}}"
        inside = self.write(e)
        if not isinstance(e, Partial):
            inside = self.parentheses(inside)
        return rf"\frac{{\partial}}{{\partial {self.write(v)}}} {inside}"

    def integral(self, e):
        body, (x, a, b) = e.args
        return rf"\int_{{{self.write(a)}}}^{{{self.write(b)}}} {self.within(body, PRODUCT)} \, d{self.write(x)}"

    def limit(self, e):
        body, x, point, direction = e.args
        side = "" if direction == "+-" else f"^{{{direction}}}"
        return rf"\lim_{{{self.write(x)} \to {self.write(point)}{side}}} {self.within(body, PRODUCT)}"


class _Text(_Writer):
    minus, dot, odot, oslash = " − ", "· ", " ⊙ ", " ⊘ "
    derivative_binding, log_binding, exp_binding = ATOM, ATOM, ATOM
    constants: ClassVar = {"pi": "π", "oo": "∞"}

    @staticmethod
    def parentheses(inside):
        return f"({inside})"

    @staticmethod
    def name(e, counter):
        return _LETTERS.get(e.name, e.name)

    def fraction(self, top, below):
        return f"{self.within(top, PRODUCT)} / {self.within(below, POWER)}"

    def matrix_fraction(self, top, scalars, below):
        inside = self.write(top)
        if isinstance(top, Plus | Hadamard | Divide):
            inside = self.parentheses(inside)
        return f"{inside} / {self.within(below, POWER)}"

    @staticmethod
    def number_fraction(v):
        return f"{v.numerator}/{v.denominator}"

    def sum_sign(self, indices):
        return "Σ_" + ",".join(map(self.write, indices))

    def sum_sign_with_range(self, k, low, high):
        return f"Σ_({self.write(k)}={self.write(low)}..{self.write(high)})"

    def subscript(self, matrix, indices):
        stem = self.write(matrix) if isinstance(matrix, Matrix) else self.parentheses(self.write(matrix))
        return f"{stem}[{','.join(indices)}]" if indices else stem

    def power(self, base, exponent):
        short = exponent.isalnum()
        return base + {"2": "²", "3": "³"}.get(exponent, f"^{exponent if short else self.parentheses(exponent)}")

    def transpose(self, e):
        return self.within(e, ATOM) + "ᵀ"

    @staticmethod
    def delta(i, j):
        return f"δ[{i},{j}]"

    def apply(self, e):
        f, x = e.function, self.write(e.argument)
        if f.known and f.name == "abs":
            return f"|{x}|"
        if f.known and f.name == "step":
            return f"1[{x} > 0]"
        name = {"sigmoid": "σ", "log": "ln"}.get(f.name, f.name) if f.known else _LETTERS.get(f.name, f.name)
        return name + "′" * f.order + self.parentheses(x)

    @staticmethod
    def ones(e):
        return "𝟏ᵀ" if e.rows == ONE and e.cols != ONE else "𝟏"

    @staticmethod
    def zeros(e):
        return "𝟎"

    @staticmethod
    def operator(name):
        return name

    @staticmethod
    def brackets(a, b):
        return f"⟨{a}, {b}⟩"

    @staticmethod
    def bars(inside):
        return f"‖{inside}‖"

    def derivative(self, e, v):
        inside = _head(self, e) if _is_short(e) else self.parentheses(self.write(e))
        return f"∂{inside}/∂{self.write(v)}"

    def integral(self, e):
        body, (x, a, b) = e.args
        return f"∫_{self.within(a, ATOM)}^{self.within(b, ATOM)} {self.within(body, PRODUCT)} d{self.write(x)}"

    def limit(self, e):
        body, x, point, direction = e.args
        side = "" if direction == "+-" else direction
        return f"lim_({self.write(x)}→{self.write(point)}{side}) {self.within(body, PRODUCT)}"


def _is_short(e):
    return isinstance(e, Symbol | Matrix | Functional) or (isinstance(e, Entry) and isinstance(e.matrix, Matrix))


def _head(writer, e):
    return writer.name(e, "_") if isinstance(e, Functional) else writer.write(e)


_LATEX, _TEXT = _Latex(), _Text()
