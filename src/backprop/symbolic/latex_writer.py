"""Expressions as LaTeX."""

import re
from typing import ClassVar

from .expressions import (
    ONE,
    Divide,
    Entry,
    Grad,
    Hadamard,
    Jacobian,
    Matrix,
    Number,
    Partial,
    Plus,
    Quotient,
    Symbol,
    Times,
)
from .writer import ATOM, POWER, PRODUCT, Writer, after_minus, head, is_short

GREEK = (  # one name a letter, in the order of the alphabet
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu"),
    *("nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"),
    *("Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega"),
)


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
    return rf"\mathrm{{{word}}}" if len(word) > 1 and word.isalpha() and word not in GREEK else _word(word)


def _word(word):
    if word in GREEK:
        return "\\" + word
    return word if len(word) <= 2 or not word.isalpha() else rf"\mathrm{{{word}}}"


class LatexWriter(Writer):
    """The marks of LaTeX, as KaTeX and MathJax know them."""

    minus, dot, odot, oslash = " - ", r"\cdot ", r" \odot ", r" \oslash "
    derivative_binding, log_binding, exp_binding = ATOM, PRODUCT, POWER
    constants: ClassVar = {"pi": r"\pi", "oo": r"\infty"}

    @staticmethod
    def parentheses(inside):
        return rf"\left({inside}\right)"

    def binding(self, e):
        if isinstance(e, Quotient) and not e.is_matrix:
            return PRODUCT
        if isinstance(e, Partial | Grad | Jacobian) and not is_short(e.args[0]):
            return PRODUCT
        return super().binding(e)

    @staticmethod
    def name(e, counter):
        return e.latex or name_latex(e.name, counter)

    def fraction(self, top, below):
        negated = after_minus(top)
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
        if is_short(e):
            return rf"\frac{{\partial {head(self, e)}}}{{\partial {self.write(v)}}}"
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
