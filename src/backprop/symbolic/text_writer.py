"""Expressions as plain text, with the letters and signs that Unicode has."""

from typing import ClassVar

from .expressions import ONE, Divide, Hadamard, Matrix, Plus
from .latex_writer import GREEK
from .writer import ATOM, POWER, PRODUCT, Writer, head, is_short

LETTERS = dict(zip(GREEK, "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ", strict=True))


class TextWriter(Writer):
    """The marks of plain text."""

    minus, dot, odot, oslash = " − ", "· ", " ⊙ ", " ⊘ "
    derivative_binding, log_binding, exp_binding = ATOM, ATOM, ATOM
    constants: ClassVar = {"pi": "π", "oo": "∞"}

    @staticmethod
    def parentheses(inside):
        return f"({inside})"

    @staticmethod
    def name(e, counter):
        return LETTERS.get(e.name, e.name)

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
        name = {"sigmoid": "σ", "log": "ln"}.get(f.name, f.name) if f.known else LETTERS.get(f.name, f.name)
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
        inside = head(self, e) if is_short(e) else self.parentheses(self.write(e))
        return f"∂{inside}/∂{self.write(v)}"

    def integral(self, e):
        body, (x, a, b) = e.args
        return f"∫_{self.within(a, ATOM)}^{self.within(b, ATOM)} {self.within(body, PRODUCT)} d{self.write(x)}"

    def limit(self, e):
        body, x, point, direction = e.args
        side = "" if direction == "+-" else direction
        return f"lim_({self.write(x)}→{self.write(point)}{side}) {self.within(body, PRODUCT)}"
