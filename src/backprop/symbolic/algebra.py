"""Sums of products over symbolic ranges, and their normal form.

Every operation of an `Algebra` returns the normal form, by the rules that the modules of its parts state:
`arithmetic` multiplies out, `powers` keeps fractions in one form, `applications` splits exponentials and
logarithms, `sums` contracts deltas and splits sums, `naming` gives bound indices canonical names, `assumptions`
applies hypotheses.

Two polynomials with the same normal form are equal for all sizes. The converse is not claimed.
"""

from itertools import count

from .applications import Applications
from .arithmetic import Arithmetic
from .assumptions import Assumptions
from .atoms import Atom, constant, depth_of, is_literal
from .naming import Naming
from .powers import Powers
from .renaming import Renaming
from .sums import Sums


class Algebra(Arithmetic, Powers, Applications, Sums, Naming, Renaming, Assumptions):
    """The operations. One instance serves one derivation: atoms are shared and results remembered.

    Parameters
    ----------
    positive : names of symbols and matrices whose entries are positive by hypothesis
    tick : called now and then; raises when the time is up
    """

    def __init__(self, positive=(), tick=lambda: None):
        self.positive, self.tick = frozenset(positive), tick
        self.asked_sympy = False  # whether an integral or a limit came from SymPy
        self.ranges = {}  # index -> (low, high), both ends included
        self._atoms, self._renamed, self._products, self._divided = {}, {}, {}, {}
        self._without_rules = {}, {}, {}  # the same three, as long as the hypotheses are set aside
        self._fresh = count(1)
        self.sizes = set()  # names that stand for whole numbers from 1
        self._signs = []  # hypotheses: (polynomial, wildcards, whether it is positive and not just not negative)
        self._rules = []  # hypotheses: (pattern atom, exponent, wildcards, value)

    def atom(self, kind, data, indices, depth, skeleton="", positive=False):
        """The one atom of this kind and data."""
        found = self._atoms.get((kind, data))
        if found is None:
            order = (f"{kind} {skeleton}", len(self._atoms))
            found = self._atoms[kind, data] = Atom(kind, data, frozenset(indices), depth, order, positive)
        return found

    def of(self, atom):
        """An atom as a polynomial, with the hypotheses applied."""
        return self.apply_rules(((atom, 1),), 1)

    def symbol(self, name, positive=False):
        """A scalar, a dimension, or an index used as a number."""
        if is_literal(name):
            return constant(int(name))
        return self.of(self.atom("symbol", name, (name,), depth_of(name), name, positive or name in self.positive))

    def entry(self, name, i, j):
        """One entry of a named matrix."""
        indices = frozenset(k for k in (i, j) if not is_literal(k))
        return self.of(self.atom("entry", (name, i, j), indices, depth_of(i, j), name, name in self.positive))

    def delta(self, i, j):
        """1 where the indices agree."""
        if i == j:
            return constant(1)
        if is_literal(i) and is_literal(j):
            return constant(0)
        i, j = sorted((i, j), key=lambda k: (k[0], len(k), k))  # by kind, then by number: ~9 before ~10
        indices = frozenset(k for k in (i, j) if not is_literal(k))
        return self.of(self.atom("delta", (i, j), indices, depth_of(i, j)))

    def over(self, kind, tag, argument, skeleton, positive=False):
        """The atom of a function of a polynomial."""
        inside = " ".join(a.order[0] for m in argument.terms for a, _ in m)
        return self.atom(
            kind, (tag, argument), argument.indices, self.depth(argument), f"{skeleton} {inside}", positive
        )

    def depth(self, poly):
        """The greatest canonical name inside a polynomial."""
        return max((a.depth for m in poly.terms for a, _ in m), default=0)
