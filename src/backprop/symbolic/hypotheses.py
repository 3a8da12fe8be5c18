"""`given`: what is assumed."""

from dataclasses import dataclass

from .errors import HypothesisError, ShapeError
from .expressions import Expression, Number, shape_text, sympify


@dataclass(frozen=True)
class Equation:
    """Two expressions that are equal by hypothesis, for every value of their free indices."""

    left: Expression
    right: Expression


@dataclass(frozen=True)
class Inequality:
    """``less < more`` (or ``<=`` where not strict), by hypothesis; written ``p > 0`` or ``a <= b``.

    A matrix on one side and a number on the other mean every entry.
    """

    less: Expression
    more: Expression
    strict: bool = True

    def __post_init__(self):
        if self.less.shape != self.more.shape and () not in (self.less.shape, self.more.shape):
            raise ShapeError(
                f"cannot compare {self.less} ({shape_text(self.less.shape)}) with {self.more} "
                f"({shape_text(self.more.shape)})"
            )

    def holds(self, less, more):
        """Whether two numbers are in this relation."""
        return less < more or (not self.strict and less == more)

    def __str__(self):
        return f"{self.less} {'<' if self.strict else '≤'} {self.more}"

    def __bool__(self):
        raise TypeError("an inequality is a hypothesis, neither true nor false here")


@dataclass(frozen=True)
class Hypotheses:
    """All of them: pairs of equal expressions, and the inequalities."""

    equations: tuple = ()
    inequalities: tuple = ()
    written: tuple = ()


def read_hypotheses(given):
    """A dict of equations, or a list of equations, pairs and inequalities, as `Hypotheses`.

    Raises
    ------
    HypothesisError
        If an entry is none of these, or contradicts itself.
    ShapeError
        If the two sides of an equation have different shapes.
    """
    items = list(given.items()) if isinstance(given, dict) else list(given or [])
    equations, inequalities, written = [], [], []
    for item in items:
        if isinstance(item, Inequality):
            inequalities.append(item)
            written.append(item)
            both = item.less, item.more
            if all(isinstance(x, Number) for x in both) and not item.holds(*(x.value for x in both)):
                raise HypothesisError(f"the hypothesis {item} cannot be met")
            continue
        if isinstance(item, Equation):
            item = (item.left, item.right)
        if not (isinstance(item, tuple) and len(item) == 2):
            raise HypothesisError(
                f"a hypothesis is an equation (left, right) or an inequality such as p > 0, not {item!r}"
            )
        left, right = (sympify(x) for x in item)
        if left.shape != right.shape:
            raise ShapeError(
                f"the hypothesis {left} = {right} has shape {shape_text(left.shape)} on the left, "
                f"but {shape_text(right.shape)} on the right"
            )
        if isinstance(left, Number) and isinstance(right, Number) and left != right:
            raise HypothesisError(f"the hypothesis {left} = {right} cannot be met")
        equations.append((left, right))
        written.append(Equation(left, right))
    return Hypotheses(tuple(equations), tuple(inequalities), tuple(written))
