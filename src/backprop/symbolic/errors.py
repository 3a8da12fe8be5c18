"""The ways in which the engine says no, each with its own name."""


class ExpressionError(ValueError):
    """Something was written that the language has no meaning for."""


class ZeroDenominator(ExpressionError):
    """A denominator is zero, so the expression means nothing."""


class ShapeError(ExpressionError):
    """Shapes or index ranges clash."""


class NameClash(ExpressionError):
    """One name stands for two different things."""


class DefinitionError(ExpressionError):
    """A `let` that defines nothing, defines twice, or goes round in a circle."""


class HypothesisError(ExpressionError):
    """A `given` that cannot be met, or that the engine cannot use."""


class OutOfTime(RuntimeError):
    """A step used up the seconds that its author allowed."""
