"""The rungs that prove: normal form, SymPy's simplifier, and expansion at explicit sizes."""

from itertools import product

from .algebra import Algebra
from .atoms import Polynomial
from .cases import zero_in_all_cases
from .expressions import Entry, Integral, Limit, Matrix, Number, Symbol, subexpressions, substitute
from .lowering import Lowering
from .ranges import free_indices, index_ranges


class Prover:
    """Proves equations under definitions and hypotheses.

    Parameters
    ----------
    definitions : dict from names to `Definition`
    equations : pairs of expressions that are equal by hypothesis
    inequalities : `Inequality` hypotheses
    """

    def __init__(self, definitions, equations=(), inequalities=(), tick=lambda: None):
        self.definitions, self.equations, self.inequalities, self.tick = definitions, equations, inequalities, tick
        positive = [name.name for h in inequalities if (name := positive_name(h)) is not None]
        self.algebra = Algebra(positive, tick)
        self.lowering = Lowering(self.algebra, definitions)
        self._assumed = False

    def let_range(self, ranges):
        """Tell the algebra which range each free index runs over."""
        self.algebra.ranges |= {k.name: self._natural(size) for k, size in ranges.items()}

    def _natural(self, size):
        """The range from 0 to a size less 1."""
        one = self.lowering.scalar(Number(1))
        return Polynomial({}), self.algebra.subtract(self.lowering.scalar(size), one)

    def _ranges_of(self, names, *expressions):
        """The range of each of these free indices by its name, as the entries of the expressions tell; else None."""
        sizes = index_ranges(*expressions)
        return {k.name: self._natural(sizes[k]) if k in sizes else None for k in names}

    def difference(self, left, right):
        """The normal form of left - right; of matrices, at an entry (i, j) that stands for any."""
        self._assume()
        a, b = self.normal(left), self.normal(right)
        return self.algebra.subtract(a, b)

    def normal(self, e):
        """The normal form of a scalar, or of a matrix's entry at two indices that stand for any."""
        self._assume()
        if not e.is_matrix:
            return self.lowering.scalar(e)
        return self.lowering.entry(e, *self.any_entry(e), {}, frozenset())

    def any_entry(self, e):
        """Two free indices over the rows and the columns; the index 0 where there is only one."""
        out = []
        for name, d in zip(("row", "column"), e.shape, strict=True):
            if d == Number(1):
                out.append("0")
                continue
            index = f"any {name} of {d}"
            self.algebra.ranges[index] = self._natural(d)
            out.append(index)
        return out

    def _assume(self):
        if not self._assumed:
            self._assumed = True
            for a, b in self.equations:
                self.lowering.assume(a, b, self._ranges_of(free_indices(a), a, b))
            for h in self.inequalities:
                self.lowering.assume_inequality(h, self._ranges_of(free_indices(h.less, h.more), h.less, h.more))

    def matches(self, difference, less, more):
        """Whether a normal form is that of ``more - less`` for some value of the hypothesis's free indices."""
        self._assume()
        wildcards = self._ranges_of(free_indices(less, more), less, more)
        at = list(self.any_entry(less if less.is_matrix else more)) if less.is_matrix or more.is_matrix else ()
        sides = [
            self.lowering.entry(e, *at, {}, frozenset()) if e.is_matrix else self.lowering.scalar(e)
            for e in (less, more)
        ]
        pattern = self.algebra.subtract(sides[1], sides[0])
        wildcards |= {k: self.algebra.ranges[k] for k in at if k != "0"}
        choices = self.algebra.choices(wildcards, ["0", *sorted(difference.indices)])
        return any(self.algebra.rename(pattern, c) == difference for c in choices)

    def by_normal_form(self, left, right):
        """Whether both sides have the same normal form."""
        return is_zero(self.algebra, self.difference(left, right))

    def by_cases(self, left, right):
        """Whether both sides agree on each side of every kink, and at it."""
        return zero_in_all_cases(self.algebra, self.difference(left, right), lambda p: is_zero(self.algebra, p))

    def by_simplifier(self, left, right):
        """Whether SymPy simplifies the difference to zero, with entries and sums as unknowns."""
        from .simplifier import simplifies_to_zero

        return simplifies_to_zero(self.difference(left, right), self.tick)

    def by_expansion(self, left, right):
        """The sizes at which both sides agree with every sum written out, as text; None if they differ somewhere."""
        dimensions = self._dimensions(left, right)
        sizes = _expanded_sizes(len(dimensions))
        if not dimensions or not all(self._agree_at(dict(zip(dimensions, n, strict=True)), left, right) for n in sizes):
            return None
        return f"{_tuple(dimensions)} = {', '.join(map(_tuple, sizes))}"

    def _agree_at(self, sizes, left, right):
        sized = {d: Number(n) for d, n in sizes.items()}
        write = lambda e: substitute(e, sized)  # noqa: E731
        definitions = {
            write(k): type(d)(write(d.written), write(d.body), d.indices) for k, d in self.definitions.items()
        }
        equations = [(write(x), write(y)) for x, y in self.equations]
        inequalities = [type(h)(write(h.less), write(h.more), h.strict) for h in self.inequalities]
        there = Prover(definitions, equations, inequalities, self.tick)
        left, right = write(left), write(right)
        return there.by_normal_form(left, right) or there.by_simplifier(left, right)

    def _dimensions(self, *expressions):
        whole = [*expressions, *(x for d in self.definitions.values() for x in (d.written, d.body))]
        leaves = [x for e in whole for x in subexpressions(e) if isinstance(x, Symbol) and x.integer and x.positive]
        return list(dict.fromkeys(leaves))


def _tuple(parts):
    """(1, 2), or a single part as it is."""
    written = ", ".join(map(str, parts))
    return f"({written})" if len(parts) > 1 else written


def _expanded_sizes(count):
    """Sizes to write out: all combinations of 1, 2, 3 for one or two dimensions, otherwise equal and mixed ones."""
    if count <= 2:
        return list(product((1, 2, 3), repeat=count))
    mixed = [tuple((k + shift) % 3 + 1 for k in range(count)) for shift in range(3)]
    return [(n,) * count for n in (1, 2, 3)] + mixed


def positive_name(h):
    """The name whose every entry an inequality makes positive, or None."""
    named = h.more
    if isinstance(named, Entry):
        moving = [k for k in named.args[1:] if isinstance(k, Symbol)]
        whole = len(set(moving)) == sum(d != Number(1) for d in named.matrix.shape)
        named = named.matrix if whole else None
    return named if h.strict and h.less == Number(0) and isinstance(named, Matrix | Symbol) else None


def is_zero(algebra, poly):
    """Whether a normal form is zero, once its denominators are cleared."""
    return not poly.terms or not algebra.clear_denominators(poly).terms


def needs_analysis(e):
    """Whether an expression holds an integral or a limit, which SymPy helps to work out."""
    return any(isinstance(x, Integral | Limit) for x in subexpressions(e))
