"""The second rung: look for one world in which the two sides differ.

A world gives the dimensions small sizes (unequal in one, all alike in another) and the entries random fractions of
both signs. Every value of every free index is compared. One difference settles the matter: the step is wrong.
"""

import random
from dataclasses import dataclass
from itertools import product

import numpy as np

from .errors import ExpressionError, HypothesisError
from .evaluation import OutsideDomain, Values
from .expressions import Integral, Matrix, Number, Symbol, subexpressions
from .high_precision import HighPrecision, digits, draw, near, number_of, square_root
from .ranges import index_ranges

UNEQUAL = (2, 3, 4, 5)
ATTEMPTS = 40
WORLDS, MOST_WORLDS = 3, 8
MOST_MOVES = 40


@dataclass(frozen=True)
class Counterexample:
    """Where two sides differ: the sizes, the index, and both values as text."""

    sizes: dict
    index: object
    left: str
    right: str
    left_value: object = None
    right_value: object = None

    def __str__(self):
        sizes = ", ".join(f"{k} = {v}" for k, v in self.sizes.items())
        if isinstance(self.index, dict):
            index = ", ".join(f"{k} = {v}" for k, v in self.index.items())
        else:
            index = f"entry {self.index}"
        where = "; ".join(x for x in (sizes, index) if x)
        return f"at {where}" if where else "at a random point"


class Refuter:
    """Draws worlds for one derivation and compares two expressions in them.

    Parameters
    ----------
    definitions : dict from names to `Definition`
    equations : pairs of expressions that are equal by hypothesis
    inequalities : `Inequality` hypotheses
    """

    def __init__(self, definitions, equations=(), inequalities=(), tick=lambda: None, seed=0):
        self.definitions, self.equations, self.inequalities = definitions, list(equations), list(inequalities)
        self.tick, self.seed = tick, seed
        self._below_one, self._worlds = [], {}

    def counterexample(self, left, right, ranges, relation="="):
        """A world in which the relation fails, or None.

        Parameters
        ----------
        left, right : expressions of one shape
        ranges : dict from free indices to dimensions
        relation : "=" or "<="

        Raises
        ------
        HypothesisError
            If no world is found in which the hypotheses hold.
        """
        names = self._names(left, right, *ranges.values())
        signs, number, wanted = {}, 0, self._how_many(left, right, names, relation)
        while number < wanted:
            found, values = self._try_world(names, number, left, right, ranges, relation)
            if found:
                return found
            for where, seen in values.signs.items():
                signs.setdefault(where, set()).update(seen)
            number += 1
            if number == wanted and wanted < MOST_WORLDS and any(len(seen) < 2 for seen in signs.values()):
                wanted += 1  # a function with a kink has shown one of its sides only: look further
        return None

    def _pairs(self):
        return [*self.equations, *((h.less, h.more) for h in self.inequalities)]

    @staticmethod
    def _how_many(left, right, names, relation):
        """How many worlds to draw: integrals are dear, single numbers cheap, and a bound fails in few places."""
        if any(isinstance(x, Integral) for e in (left, right) for x in subexpressions(e)):
            return WORLDS - 1
        few_entries = not any(isinstance(name, Matrix) for name in names)
        return MOST_WORLDS if few_entries or relation == "<=" else WORLDS

    def _names(self, *expressions):
        """All symbols and matrices, in the order in which they appear: never in the order of a set."""
        hypotheses = [e for pair in self._pairs() for e in pair]
        found, waiting = {}, [*expressions, *hypotheses]
        for e in waiting:
            for leaf in subexpressions(e):
                if isinstance(leaf, Matrix | Symbol) and leaf not in found:
                    found[leaf] = None
                    if leaf in self.definitions:
                        waiting.append(self.definitions[leaf].body)
        return tuple(found)

    def _try_world(self, names, number, left, right, ranges, relation):
        for attempt in range(ATTEMPTS):
            self.tick()
            values = self._world(names, number, attempt)
            if values is None:
                continue
            try:
                return self._differ(values, left, right, ranges, relation), values
            except OutsideDomain as outside:
                self._keep_inside(outside.where)
        if not self.equations and not self.inequalities:
            raise ExpressionError(f"no point was found at which both {left} and {right} are defined")
        raise HypothesisError("no point was found at which all the hypotheses hold: " + self._hypotheses())

    def _hypotheses(self):
        return "; ".join([f"{a} = {b}" for a, b in self.equations] + [str(h) for h in self.inequalities])

    def _keep_inside(self, where):
        """Draw what a logarithm, a root or a denominator depends on between 0 and 1 from now on."""
        if not isinstance(where, str):
            names = [x for x in self._names(where) if x not in self.definitions and x not in self._below_one]
            self._below_one += names

    def _differ(self, values, left, right, ranges, relation):
        sizes = {k.name: v for k, v in values.leaves.items() if isinstance(v, int)}
        for at in product(*(range(values.size(d)) for d in ranges.values())):
            index = dict(zip(ranges, at, strict=True))
            a, b = values.of(left, index), values.of(right, index)
            pairs = [(None, a, b)] if not left.is_matrix else [(ij, v, b[ij]) for ij, v in np.ndenumerate(a)]
            for ij, x, y in pairs:
                if not near(x, y) and not (relation == "<=" and x < y):
                    shown = {k.name: v for k, v in index.items()} if ij is None else str(list(ij))
                    return Counterexample(sizes, shown, *digits(x, y), x, y)
        return None

    # -- worlds ------------------------------------------------------------------------------------

    def _world(self, names, number, attempt):
        """Sizes and entries in which the hypotheses hold, or None if this draw cannot be bent to them."""
        key = (names, number, attempt, len(self._below_one))
        if key not in self._worlds:
            rng = random.Random(f"{self.seed} {number} {attempt}")
            leaves = self._draw(names, number, attempt, rng)
            try:
                leaves = self._bend(leaves, number)
            except OutsideDomain:
                leaves = None
            self._worlds[key] = None if leaves is None else self._values(leaves, number)
        return self._worlds[key]

    def _values(self, leaves, number):
        return Values(HighPrecision(f"{self.seed} {number}"), leaves, self.definitions, self.tick)

    def _draw(self, names, number, attempt, rng):
        matrices = [m for m in names if isinstance(m, Matrix)]
        sized = dict.fromkeys(d for m in matrices for d in m.shape if isinstance(d, Symbol))
        sized |= dict.fromkeys(s for s in names if isinstance(s, Symbol) and s.integer and s.positive)
        leaves = dict(zip(sized, _sizes(len(sized), number), strict=True))
        size = Values(None, dict(leaves), {}).size
        for name in names:
            if name in leaves or name in self.definitions or (isinstance(name, Symbol) and name.integer):
                continue
            below_one = name in self._below_one
            positive = name in self._positive() or (isinstance(name, Symbol) and name.positive)
            shrink = (4 if below_one and attempt > 4 else 1) * (-1 if name in self._negative() else 1)
            positive = positive or name in self._negative()
            if isinstance(name, Symbol):
                leaves[name] = draw(rng, positive, below_one) / shrink
            else:
                shape = tuple(d.value.numerator if isinstance(d, Number) else size(d) for d in name.shape)
                leaves[name] = _tensor(rng, shape, positive, below_one) / shrink
        return leaves

    def _positive(self):
        return [getattr(h.more, "matrix", h.more) for h in self.inequalities if h.less == Number(0)]

    def _negative(self):
        return [getattr(h.less, "matrix", h.less) for h in self.inequalities if h.more == Number(0)]

    # -- hypotheses --------------------------------------------------------------------------------

    def _bend(self, leaves, number):
        """Change single entries until every hypothesis holds; None if that fails."""
        settled = set()
        waiting = sorted(self.equations, key=lambda pair: self._named_side(*pair) is not None)
        for a, b in waiting:
            leaves = self._bend_to(a, b, leaves, settled, number)
            if leaves is None:
                return None
        leaves = self._make_room(leaves, settled, number)
        values = self._values(leaves, number)
        for a, b in self.equations:
            if any(not near(x, y) for x, y in self._instances(values, a, b)):
                return None
        for h in self.inequalities:
            if any(not h.holds(x, y) for x, y in self._instances(values, h.less, h.more)):
                return None
        return leaves

    def _make_room(self, leaves, settled, number):
        """Move single numbers until the inequalities hold, each time the one that leaves the fewest broken."""
        for _ in range(MOST_MOVES):
            broken = self._broken(leaves, number)
            if not broken:
                return leaves
            h, index, cell = broken[0]
            moves = self._moves(h, index, cell, leaves, settled, number)
            ranked = [(len(self._broken(m, number)), n) for n, m in enumerate(moves)]
            if not ranked or min(ranked)[0] >= len(broken) + 1:
                return leaves
            leaves = moves[min(ranked)[1]]
        return leaves

    def _broken(self, leaves, number):
        """Every instance of an inequality that does not hold: the hypothesis, the index and the cell."""
        values = self._values(leaves, number)
        out = []
        for h in self.inequalities:
            for index in self._indices(values, h.less, h.more):
                less, more = np.broadcast_arrays(values.of(h.less, index), values.of(h.more, index))
                out += [(h, index, cell) for cell, x in np.ndenumerate(less) if not h.holds(x, more[cell])]
        return out

    def _moves(self, h, index, cell, leaves, settled, number):
        """Worlds in which one instance holds, each with one number moved."""

        def gap(trial):
            values = self._values(trial, number)
            less, more = np.broadcast_arrays(values.of(h.less, index), values.of(h.more, index))
            return more[cell] - less[cell]

        out = []
        for m, at in self._free_places([h.less, h.more], leaves):
            if m in settled or (m, at) in settled:
                continue
            now = leaves[m] if at is None else leaves[m][at]
            here, ahead, twice = (gap(_with(leaves, m, at, now + d)) for d in (0, 1, 2))
            if not near(ahead, here) and near(twice - ahead, ahead - here):
                out.append(_with(leaves, m, at, now + (abs(now) - here) / (ahead - here)))
        return out

    def _free_places(self, expressions, leaves):
        free = [m for e in expressions for m in self._names_of(e) if m in leaves and not isinstance(leaves[m], int)]
        return [
            (m, at) for m in dict.fromkeys(free) for at in (_places(leaves[m]) if isinstance(m, Matrix) else [None])
        ]

    def _named_side(self, a, b):
        for name, other in ((b, a), (a, b)):
            if isinstance(name, Matrix | Symbol) and name not in self.definitions and name not in self._names_of(other):
                return name, other
        return None

    def _names_of(self, e):
        return Refuter(self.definitions)._names(e)

    def _instances(self, values, a, b):
        for index in self._indices(values, a, b):
            x, y = values.of(a, index), values.of(b, index)
            if a.is_matrix or b.is_matrix:  # a number beside a matrix means every entry
                x, y = np.broadcast_arrays(x, y)
                yield from zip(x.flat, y.flat, strict=True)
            else:
                yield x, y

    def _indices(self, values, a, b):
        ranges = index_ranges(a, b)
        for at in product(*(range(values.size(d)) for d in ranges.values())):
            yield dict(zip(ranges, at, strict=True))

    def _bend_to(self, a, b, leaves, settled, number):
        named = self._named_side(a, b)
        if named and named[0] not in settled:
            settled.add(named[0])
            values = self._values(leaves, number)
            counted = isinstance(leaves.get(named[0]), int)
            return {**leaves, named[0]: values.size(named[1]) if counted else values.of(named[1])}
        places = self._free_places([a, b], leaves)
        for index in self._indices(self._values(leaves, number), a, b):
            cells = np.ndindex(*self._values(leaves, number).of(a, index).shape) if a.is_matrix else [None]
            for cell in cells:

                def residual(trial, index=index, cell=cell):
                    values = self._values(trial, number)
                    x, y = values.of(a, index), values.of(b, index)
                    return x - y if cell is None else x[cell] - y[cell]

                leaves = _solve(residual, leaves, places, settled)
                if leaves is None:
                    return None
        return leaves


def _solve(residual, leaves, places, settled):
    """Change one entry that is still free so that the residual vanishes."""
    if near(residual(leaves), 0):
        return leaves
    for m, at in places:
        if (m, at) in settled or m in settled:
            continue
        root = _root([residual(_with(leaves, m, at, v)) for v in range(4)], leaves[m] if at is None else leaves[m][at])
        if root is not None:
            settled.add((m, at))
            return _with(leaves, m, at, root)
    return None


def _root(at, now):
    """Where a polynomial of degree 1 or 2 vanishes, given its values at 0, 1, 2 and 3; None if it is not one."""
    first = at[1] - at[0]
    second = at[2] - 2 * at[1] + at[0]
    if not near(at[3] - 3 * at[2] + 3 * at[1] - at[0], 0):
        return None
    if near(second, 0):
        return None if near(first, 0) else -at[0] / first
    slope = first - second / 2
    below_root = slope**2 - 2 * second * at[0]
    if below_root < 0:
        return None
    # The sign of the entry that was drawn chooses the root, so that both kinds occur.
    return (-slope + (1 if now > 0 else -1) * square_root(below_root) * (1 if second > 0 else -1)) / second


def _with(leaves, m, at, value):
    value = number_of(value)
    if at is None:
        return {**leaves, m: value}
    array = leaves[m].copy()
    array[at] = value
    return {**leaves, m: array}


def _places(array):
    return list(np.ndindex(*array.shape))[::-1]


def _tensor(rng, shape, positive, below_one):
    """Random entries, none of them 0, with both signs in every tensor that has room for them."""
    out = np.empty(shape, dtype=object)
    places = list(np.ndindex(*shape))
    for at in places:
        out[at] = draw(rng, positive, below_one)
    if len(places) > 1 and not positive and not below_one and len({v > 0 for v in out.flat}) == 1:
        at = places[rng.randrange(len(places))]
        out[at] = -out[at]
    return out


def _sizes(count, number):
    """Sizes for so many dimensions: unequal first, then all alike, then unequal the other way round."""
    if number % 3 == 1:
        return [3 if count <= 3 else 2] * count
    unequal = [UNEQUAL[k % len(UNEQUAL)] for k in range(count)]
    return unequal if number % 3 == 0 else unequal[::-1]
