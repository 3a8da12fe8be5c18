"""One true identity of the course: its start, its lines, and how numbers that meet its hypotheses are drawn."""

from collections.abc import Callable
from dataclasses import dataclass, field

from backprop.symbolic import Derivation, Expression, dimensions
from backprop.symbolic.expressions import Symbol, subexpressions, substitute, sympify

SQUARE = dimensions("D")


@dataclass(frozen=True)
class Line:
    """One line of a derivation: the expression, and its relation to the line above."""

    expression: Expression
    relation: str = "="


def at_most(expression):
    """A line that is at least as large as the one above."""
    return Line(sympify(expression), "<=")


@dataclass(frozen=True)
class Identity:
    """A derivation that the course makes, as data.

    `draw` says how the names that hypotheses restrict are drawn for an independent evaluation: from the name to a
    function of the random generator and of what `numbers.World` knows so far.
    """

    name: str
    proves: tuple[str, ...]
    start: Expression
    lines: tuple[Line, ...]
    let: dict = field(default_factory=dict)
    given: dict | list = field(default_factory=dict)
    draw: dict[Expression, Callable] = field(default_factory=dict)

    def begin(self):
        """The derivation before its first step."""
        return Derivation(self.start, let=self.let, given=self.given, label=f"eq:{self.name}", proves=self.proves)

    def prefixes(self):
        """Pairs of a derivation and the line that comes next in it."""
        derivation = self.begin()
        for line in self.lines:
            yield derivation, line
            derivation = derivation.then(line.expression, because=self.name, relation=line.relation)

    def derive(self):
        """The whole derivation, every step established."""
        derivation = self.begin()
        for line in self.lines:
            derivation = derivation.then(line.expression, because=self.name, relation=line.relation)
        return derivation


def identity(name, proves, start, *lines, let=None, given=None, draw=None):
    """An `Identity`; `proves` is a text of formula ids, and lines without a relation of their own are equations."""
    lines = tuple(line if isinstance(line, Line) else Line(sympify(line)) for line in lines)
    given = {} if given is None else given
    return Identity(name, tuple(proves.split()), sympify(start), lines, let or {}, given, draw or {})


def in_a_square_world(identity):
    """The identity with one dimension in place of all of them, so that shapes cannot help; None if it has only one."""
    everything = [identity.start, *(line.expression for line in identity.lines), *identity.let, *identity.let.values()]
    parts = [x for e in everything for x in subexpressions(sympify(e))]
    sizes = {x: SQUARE for x in parts if isinstance(x, Symbol) and x.integer and x.positive}
    if len(sizes) < 2:
        return None

    def square(e):
        return substitute(sympify(e), sizes)

    def drawn(draw):
        return lambda rng, world: draw(rng, _SquareView(world, square))

    given = identity.given
    if isinstance(given, dict):
        given = {square(a): square(b) for a, b in given.items()}
    else:
        given = [
            type(h)(square(h.less), square(h.more), h.strict)
            if hasattr(h, "less")
            else type(h)(square(h.left), square(h.right))
            for h in given
        ]
    return Identity(
        f"{identity.name}-square",
        identity.proves,
        square(identity.start),
        tuple(Line(square(line.expression), line.relation) for line in identity.lines),
        {square(a): square(b) for a, b in identity.let.items()},
        given,
        {square(name): drawn(draw) for name, draw in identity.draw.items()},
    )


class _SquareView:
    """A world in which expressions are read with one dimension in place of all."""

    def __init__(self, world, square):
        self.world, self.square = world, square

    def value(self, e, at=None):
        return self.world.value(self.square(e), at)

    def size(self, dimension):
        return self.world.size(SQUARE)
