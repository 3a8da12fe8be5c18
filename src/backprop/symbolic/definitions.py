"""`let`: what names stand for."""

from .errors import DefinitionError, NameClash, ShapeError
from .expressions import Apply, Entry, Functional, Matrix, Symbol, shape_text, subexpressions, sympify
from .ranges import free_indices


class Definition:
    """The meaning of one name: a `body`, and the two `indices` if it was given entry by entry."""

    __slots__ = ("body", "indices", "written")

    def __init__(self, written, body, indices=None):
        self.written, self.body, self.indices = written, body, indices


def read_definitions(let):
    """`{name or name[i, j]: expression}` as ``{named matrix or symbol: Definition}``.

    Raises
    ------
    DefinitionError
        If the left side is not a name (or an entry with two different free indices), a name is defined twice, or
        definitions go round in a circle.
    ShapeError
        If the two sides have different shapes.
    """
    out = {}
    for left, right in dict(let or {}).items():
        left, right = sympify(left), sympify(right)
        name, indices = left, None
        if isinstance(left, Entry) and isinstance(left.matrix, Matrix):
            name, indices = left.matrix, left.args[1:]
            moving = [k for k in indices if isinstance(k, Symbol)]
            if len(set(moving)) < sum(d != sympify(1) for d in name.shape):
                raise DefinitionError(f"{left} defines one entry only: use a different index for each direction")
        if not isinstance(name, Matrix | Symbol):
            raise DefinitionError(f"a definition's left side is a name or an entry of one, not {left}")
        if isinstance(name, Symbol) and name.integer:
            raise DefinitionError(f"{name} is a dimension or an index, which is not defined by let")
        if name in out:
            raise DefinitionError(f"{name} is defined twice: as {out[name].body} and as {right}")
        loose = [k for k in free_indices(right) if k not in (indices or ())]
        if loose:
            raise DefinitionError(
                f"the definition of {left} has the free index {loose[0]}: sum over it, or define an entry that has it"
            )
        if left.shape != right.shape:
            if left.shape == () and right.shape == (sympify(1), sympify(1)):
                right = right[0, 0]
            else:
                raise ShapeError(
                    f"{left} has shape {shape_text(left.shape)}, but its definition {right} "
                    f"has shape {shape_text(right.shape)}"
                )
        out[name] = Definition(left, right, indices)
    _refuse_circles(out)
    return out


def _refuse_circles(definitions):
    done = set()

    def visit(name, path):
        if name in path:
            circle = " → ".join(str(x) for x in [*path[path.index(name) :], name])
            raise DefinitionError(f"the definitions go round in a circle: {circle}")
        if name not in done:
            for part in subexpressions(definitions[name].body):
                if part in definitions:
                    visit(part, [*path, name])
            done.add(name)

    for name in definitions:
        visit(name, [])


def refuse_clashes(expressions):
    """Refuse one name that stands for two different things.

    Raises
    ------
    NameClash
        For example for a matrix W and an index W, or for two matrices W of different shapes.
    """
    named = {}
    for e in expressions:
        for x in subexpressions(e):
            if isinstance(x, Apply) and x.function.known:
                continue
            if isinstance(x, Matrix | Symbol | Functional | Apply):
                name = x.function.name if isinstance(x, Apply) else x.name
                what = _what(x)
                other = named.setdefault(name, what)
                if other != what:
                    raise NameClash(f"the name {name} is used twice: for {other} and for {what}")


def _what(x):
    if isinstance(x, Matrix):
        return f"a matrix of shape {shape_text(x.shape)}"
    if isinstance(x, Functional):
        return f"a functional of {', '.join(shape_text(a.shape) for a in x.arguments)}"
    if isinstance(x, Apply):
        return "an undefined function"
    if x.integer:
        return "a dimension" if x.positive else "an index"
    return "a positive number" if x.positive else "a real number"
