"""Sums of products over symbolic ranges, and their normal form.

A polynomial is a sum of monomials with rational coefficients; a monomial is a product of atoms with rational
exponents. An atom is an entry, a symbol, a Kronecker delta, a function of a polynomial, or a *connected sum*:
factors tied together by the indices that are summed over. Every operation returns the normal form, by these rules:

- products are multiplied out, and a sum of sums is one sum: Σₙ(a + b) = Σₙ a + Σₙ b;
- a sum that begins after 0 is the sum from 0 less its first terms, and a short sum of known length is written out;
- a delta uses up a bound index: Σₐ δ(a, b) f(a) = f(b), where b lies in the range of a;
- a sum falls apart where its factors share no bound index: Σₙₖ aₙ bₖ = (Σₙ aₙ)(Σₖ bₖ), and Σₙ 1 = N;
- bound indices get canonical names, innermost first, so that sums that differ by names alone are the same atom;
- a power of a sum stays an atom when its exponent is not a positive whole number, cleared of common factors.

Two polynomials with the same normal form are equal for all sizes. The converse is not claimed.

Indices are texts: ``n`` is free, ``0`` is a literal, ``~3`` is bound and temporary, ``#1`` is bound and canonical,
``$…`` is the parameter of a functional's argument.
"""

from fractions import Fraction
from itertools import count, permutations
from math import isqrt

from .errors import ZeroDenominator

LARGEST_TRIAL_DIVISOR = 1000
LONGEST_EXPLICIT_SUM = 8  # sums over a range of known, short length are written out


def exact(value):
    """A rational number, as an int where it is whole (ints are faster)."""
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


class Atom:
    """A factor that the algebra does not look into: `kind`, `data`, and the indices free in it."""

    __slots__ = ("data", "depth", "indices", "kind", "order", "positive")

    def __init__(self, kind, data, indices, depth, order, positive):
        self.kind, self.data, self.indices, self.depth = kind, data, indices, depth
        self.order, self.positive = order, positive

    def __lt__(self, other):
        return self.order < other.order

    def __repr__(self):
        return f"{self.kind}{self.data}"


class Polynomial:
    """A sum of monomials: ``{((atom, exponent), …): coefficient}``, never with a zero coefficient."""

    __slots__ = ("_key", "terms")

    def __init__(self, terms):
        self.terms, self._key = terms, None

    @property
    def key(self):
        """A hashable form, the same for equal polynomials."""
        if self._key is None:
            self._key = tuple(sorted(self.terms.items(), key=lambda t: [(a.order, e) for a, e in t[0]]))
        return self._key

    def __hash__(self):
        return hash(self.key)

    def __eq__(self, other):
        return isinstance(other, Polynomial) and self.terms == other.terms

    @property
    def number(self):
        """The value if it is a plain number, else None."""
        if not self.terms:
            return 0
        return self.terms.get(()) if len(self.terms) == 1 else None

    @property
    def indices(self):
        """All indices free in it."""
        return frozenset().union(*(a.indices for m in self.terms for a, _ in m))

    def __repr__(self):
        return f"Polynomial({self.terms})"


def constant(value):
    """The polynomial of a number."""
    return Polynomial({(): exact(value)} if value else {})


def is_literal(index):
    """Whether an index is a written number."""
    return index.isdigit()


class Algebra:
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
        self._atoms, self._skeletons, self._renamed, self._products = {}, {}, {}, {}
        self._fresh = count(1)
        self.sizes = set()  # names that stand for whole numbers from 1
        self._signs = []  # hypotheses: (polynomial, wildcards, whether it is positive and not just not negative)
        self._rules = []  # hypotheses: (pattern atom, exponent, wildcards, value)

    # -- atoms -------------------------------------------------------------------------------------

    def atom(self, kind, data, indices=frozenset(), depth=0, skeleton="", positive=False):
        """The one atom of this kind and data."""
        found = self._atoms.get((kind, data))
        if found is None:
            order = (f"{kind} {skeleton}", len(self._atoms))
            found = self._atoms[kind, data] = Atom(kind, data, frozenset(indices), depth, order, positive)
        return found

    def of(self, atom):
        """An atom as a polynomial, with the hypotheses applied."""
        return self._apply_rules(((atom, 1),), 1)

    def symbol(self, name, positive=False):
        """A scalar, a dimension, or an index used as a number."""
        if is_literal(name):
            return constant(int(name))
        return self.of(self.atom("symbol", name, (name,), 0, name, positive or name in self.positive))

    def entry(self, name, i, j):
        """One entry of a named matrix."""
        indices = frozenset(k for k in (i, j) if not is_literal(k))
        return self.of(self.atom("entry", (name, i, j), indices, _depth(i, j), name, name in self.positive))

    def delta(self, i, j):
        """1 where the indices agree."""
        if i == j:
            return constant(1)
        if is_literal(i) and is_literal(j):
            return constant(0)
        i, j = sorted((i, j))
        indices = frozenset(k for k in (i, j) if not is_literal(k))
        return self.of(self.atom("delta", (i, j), indices, _depth(i, j)))

    def undefined(self, name, order, argument):
        """An undefined function, differentiated `order` times, at a polynomial."""
        return self.of(self._over("undefined", (name, order), argument, f"{name}{order}"))

    def functional(self, name, slots, arguments):
        """A derivative of an undefined functional.

        `slots` are the entries that it was differentiated by, in any order. Each argument is ``(row, column, entry)``:
        two fresh indices (or 0) and the argument's entry there, which they are abstracted from. The parameters of
        functionals inside others are numbered by depth, so that none captures another.
        """
        level = 1 + max(
            (a.data[2] for _, _, p in arguments for a in self.atoms_of(p) if a.kind == "functional"), default=0
        )
        abstracted, own = [], []
        for n, (i, j, inside) in enumerate(arguments):
            parameters = {k: f"${side}{n}.{level}" for k, side in ((i, "r"), (j, "c")) if k != "0"}
            sizes = tuple(None if k == "0" else self.ranges[k][1] for k in (i, j))
            abstracted.append((sizes, self.rename(inside, parameters)))
            own += parameters.values()
        slots = tuple(sorted(slots))
        used = {k for _, i, j in slots for k in (i, j) if not is_literal(k)}
        indices = used.union(*(p.indices for _, p in abstracted)) - set(own)
        depth = max([_depth(*sorted(used)), *(self._depth_of(p) for _, p in abstracted)])
        data = (name, slots, level, tuple(abstracted))
        return self.of(self.atom("functional", data, indices, depth, f"{name}{len(slots)}"))

    def open_functional(self, a):
        """The arguments of a functional, each with two fresh indices in place of its parameters."""
        opened = []
        for n, (sizes, inside) in enumerate(a.data[3]):
            fresh = ["0" if high is None else self.fresh(constant(0), high) for high in sizes]
            parameters = {f"${side}{n}.{a.data[2]}": k for side, k in zip("rc", fresh, strict=True) if k != "0"}
            opened.append((*fresh, self.rename(inside, parameters)))
        return opened

    def _over(self, kind, tag, argument, skeleton, positive=False):
        inside = " ".join(a.order[0] for m in argument.terms for a, _ in m)
        return self.atom(
            kind, (tag, argument), argument.indices, self._depth_of(argument), f"{skeleton} {inside}", positive
        )

    def _depth_of(self, poly):
        return max((a.depth for m in poly.terms for a, _ in m), default=0)

    # -- arithmetic --------------------------------------------------------------------------------

    def add(self, *polys):
        """The sum."""
        out = {}
        for p in polys:
            for m, c in p.terms.items():
                total = out.get(m, 0) + c
                if total:
                    out[m] = exact(total)
                else:
                    out.pop(m, None)
        return Polynomial(out)

    def scale(self, poly, factor):
        """A number times a polynomial."""
        return Polynomial({m: exact(c * factor) for m, c in poly.terms.items()} if factor else {})

    def subtract(self, a, b):
        """The difference."""
        return self.add(a, self.scale(b, -1))

    def multiply(self, *polys):
        """The product, multiplied out."""
        out = constant(1)
        for p in polys:
            if len(out.terms) == 1 and out.number is not None:
                out = self.scale(p, out.number)
                continue
            parts = []
            for m, c in out.terms.items():
                for n, d in p.terms.items():
                    parts.append(self.scale(self._multiply_monomials(m, n), c * d))
            out = self.add(*parts)
        return out

    def _multiply_monomials(self, m, n):
        if not m or not n:
            return Polynomial({m or n: 1})
        found = self._products.get((m, n))
        if found is None:
            self.tick()
            exponents = dict(m)
            for a, e in n:
                exponents[a] = exact(exponents.get(a, 0) + e)
            found = self._products[m, n] = self.monomial(exponents)
        return found

    def monomial(self, exponents):
        """The product of atoms with the given exponents, by the rules for each kind of atom."""
        plain, parts, coefficient = {}, [], 1
        for a, e in exponents.items():
            if a.kind in ("step", "delta") and e > 0:
                e = 1
            if a.kind == "base" and (e > 0 or a.data[1].number is not None):
                whole = e.numerator // e.denominator  # the floor
                if (number := a.data[1].number) is not None:
                    coefficient = coefficient * Fraction(number) ** whole
                elif whole:
                    parts.append(self.power(a.data[1], whole))
                e = exact(e - whole)
            if e:
                plain[a] = e
        for a, e in plain.items():
            if a.kind == "delta" and e > 0 and any(a.data[1] in f.indices for f in plain if f is not a):
                rest = self.multiply(*parts, *(self.of_power(f, k) for f, k in plain.items() if f is not a))
                renamed = self.rename(rest, {a.data[1]: a.data[0]})
                return self.scale(self.multiply(Polynomial({((a, 1),): 1}), renamed), coefficient)
        ordered = tuple(sorted(plain.items(), key=lambda f: f[0].order))
        out = self._divide_by_bases(ordered, exact(coefficient))
        return self.multiply(out, *parts) if parts else out

    @staticmethod
    def of_power(atom, exponent):
        """A power of an atom, as it stands."""
        return Polynomial({((atom, exponent),): 1})

    def _divide_by_bases(self, monomial, coefficient):
        """Rewrite lead·(lead + rest)⁻ᵏ as (lead + rest)⁻ᵏ⁺¹ - rest·(lead + rest)⁻ᵏ: one form for such fractions."""
        exponents = dict(monomial)
        for base, e in monomial:
            if base.kind != "base" or e > -1:
                continue
            lead, lead_coefficient, rest = self._leading(base.data[1])
            if lead and all(exponents.get(a, 0) * k > 0 and abs(exponents[a]) >= abs(k) for a, k in lead):
                left = dict(monomial)
                for a, k in lead:
                    left[a] = exact(left[a] - k)
                raised = self.monomial({**left, base: exact(e + 1)})
                others = self.multiply(self.monomial(left), rest)
                return self.scale(self.subtract(raised, others), Fraction(coefficient) / lead_coefficient)
        return self._apply_rules(monomial, coefficient)

    def _leading(self, poly):
        # The lexicographic order with the greatest atom first respects products, so the rewriting comes to an end.
        lead = max(poly.terms, key=lambda m: [(a.order, e) for a, e in reversed(m)])
        rest = Polynomial({m: c for m, c in poly.terms.items() if m != lead})
        return lead, poly.terms[lead], rest

    def power(self, poly, exponent):
        """A polynomial to a rational power."""
        exponent = exact(Fraction(exponent))
        if exponent == 0:
            return constant(1)
        if not poly.terms:
            if exponent < 0:
                raise ZeroDenominator("a denominator is zero")
            return poly
        if len(poly.terms) == 1:
            return self._power_of_monomial(*next(iter(poly.terms.items())), exponent)
        if isinstance(exponent, int) and exponent > 0:
            out = constant(1)
            for _ in range(exponent):
                out = self.multiply(out, poly)
            return out
        if isinstance(exponent, int):
            above, below = self.together(poly)
            if below:
                lifted = self.monomial({a: exact(-k * exponent) for a, k in below.items()})
                return self.multiply(self.power(above, exponent), lifted)
        content, coefficient, core = self._without_content(
            poly, _anything if isinstance(exponent, int) else _under_a_root
        )
        outside = self._power_of_monomial(content, coefficient, exponent)
        root = self._square_root(core) if exponent.denominator == 2 else None
        if root is not None:
            return self.multiply(outside, self._power_of_size(root, exact(2 * exponent)))
        base = self._over("base", "", core, "", self.is_positive(core))
        return self.multiply(outside, self.monomial({base: exponent}))

    def _power_of_monomial(self, monomial, coefficient, exponent):
        if isinstance(exponent, int):
            out = self.monomial({a: exact(e * exponent) for a, e in monomial})
            return self.scale(out, Fraction(coefficient) ** exponent)
        parts, others = [], []
        for a, e in monomial:
            if a.positive or (a.kind == "sum" and _not_negative(a)):
                parts.append(self.monomial({a: exact(e * exponent)}))
            elif _is_even(e) and exponent.denominator == 2:
                parts.append(self._power_of_size(Polynomial({((a, 1),): 1}), exact(e * exponent)))
            else:
                others.append((a, e))
        size = Fraction(abs(coefficient))
        for number, e in ((size.numerator, exponent), (size.denominator, -exponent)):
            for prime in _prime_factors(number):
                parts.append(self.monomial({self._over("base", "", constant(prime), str(prime), True): e}))
        if others or coefficient < 0:
            inside = Polynomial({tuple(others): -1 if coefficient < 0 else 1})
            parts.append(self.monomial({self._over("base", "", inside, ""): exponent}))
        return self.multiply(*parts)

    def _power_of_size(self, poly, exponent):
        """|poly| to a whole power."""
        out = self.power(poly, exponent)
        return out if exponent % 2 == 0 or self.is_not_negative(poly) else self.multiply(out, self.sign(poly))

    def _square_root(self, poly):
        """A polynomial whose square this is, found term by term from the leading one; None if there is none."""
        lead, coefficient, _ = self._leading(poly)
        if any(not _is_even(e) or e < 0 for _, e in lead) or not _is_square(coefficient):
            return None
        first = tuple((a, e // 2) for a, e in lead)
        root = Polynomial({first: exact(Fraction(isqrt(coefficient.numerator), isqrt(coefficient.denominator)))})
        for _ in range(len(poly.terms)):
            rest = self.subtract(poly, self.multiply(root, root))
            if not rest.terms:
                return root
            lead, coefficient, _ = self._leading(rest)
            quotient = {
                a: e - dict(first).get(a, 0) for a, e in {**dict.fromkeys(dict(first), 0), **dict(lead)}.items()
            }
            if any(not isinstance(e, int) or e < 0 for e in quotient.values()):
                return None
            term = self.monomial(quotient)
            root = self.add(root, self.scale(term, Fraction(coefficient) / (2 * root.terms[first])))
            if first not in root.terms:
                return None
        return None

    def _without_content(self, poly, taken):
        """The common factor of all terms, its coefficient, and what remains; `taken` says what may come out."""
        least = None
        for m in poly.terms:
            here = dict(m)
            least = here if least is None else {a: min(least.get(a, 0), here.get(a, 0)) for a in {**least, **here}}
        content = {a: out for a, e in least.items() if e and (out := taken(a, e))}
        content = tuple(sorted(content.items(), key=lambda f: f[0].order))
        first = self._leading(poly)[0]
        coefficient = poly.terms[first] if taken is _anything else abs(poly.terms[first])
        inverse = Polynomial({tuple((a, -e) for a, e in content): 1 / Fraction(coefficient)})
        return content, coefficient, self.multiply(poly, inverse)

    # -- functions ---------------------------------------------------------------------------------

    def exp(self, poly):
        """e to a polynomial, as a product over its terms: eᵃ⁺ᵇ = eᵃ eᵇ."""
        parts = []
        for m, c in poly.terms.items():
            if len(m) == 1 and m[0][0].kind == "log" and m[0][1] == 1:
                parts.append(self.power(m[0][0].data[1], c))
                continue
            unit = Polynomial({m: 1})
            parts.append(self.monomial({self._over("exp", "", unit, "", True): c}))
        return self.multiply(*parts)

    def log(self, poly):
        """The natural logarithm; of a product of positive factors it is the sum of theirs."""
        if poly.number == 1:
            return constant(0)
        if len(poly.terms) == 1:
            ((m, c),) = poly.terms.items()
            if c > 0 and m and _all_positive(m):
                parts = [self.scale(self._log_of_atom(a), e) for a, e in m]
                return self.add(*parts, self.log(constant(c)))
        if len(poly.terms) > 1:
            above, below = self.together(poly)
            if below and self.is_positive(above) and all(a.positive for a in below):
                logs = [self.scale(self._log_of_atom(a), -e) for a, e in below.items()]
                return self.add(self.log(above), *logs)
            content, coefficient, core = self._without_content(poly, _positive_factors)
            if content or coefficient != 1:
                outside = self.log(Polynomial({content: coefficient}))
                return self.add(outside, self.of(self._over("log", "", core, "")))
        return self.of(self._over("log", "", poly, ""))

    def _log_of_atom(self, a):
        if a.kind == "exp":
            return a.data[1]
        inside = a.data[1] if a.kind == "base" else Polynomial({((a, 1),): 1})
        return self.of(self._over("log", "", inside, ""))

    def step(self, poly):
        """1 where the polynomial is positive, else 0; a positive factor is dropped, and a step comes out."""
        if poly.number is not None:
            return constant(int(poly.number > 0))
        if self.is_positive(poly):
            return constant(1)
        if self.is_not_negative(self.scale(poly, -1)):
            return constant(0)
        common = [f for f in next(iter(poly.terms)) if f[0].kind == "step" and all(f in m for m in poly.terms)]
        if common:
            rest = Polynomial({tuple(f for f in m if f not in common): c for m, c in poly.terms.items()})
            return self.multiply(self.monomial(dict(common)), self.step(rest))
        _, _, core = self._without_content(poly, _positive_factors)
        return self.of(self._over("step", "", core, ""))

    def sign(self, poly):
        """-1, 0 or 1; of a product it is the product of the signs."""
        if len(poly.terms) != 1:
            return self.subtract(self.step(poly), self.step(self.scale(poly, -1)))
        ((monomial, coefficient),) = poly.terms.items()
        out = constant(1 if coefficient > 0 else -1)
        for a, e in monomial:
            unit = Polynomial({((a, 1),): 1})
            if not a.positive:
                both = self.subtract(self.step(unit), self.step(self.scale(unit, -1)))
                out = self.multiply(out, both, both) if _is_even(e) else self.multiply(out, both)
        return out

    def absolute(self, poly):
        """The polynomial without its sign."""
        if self.is_not_negative(poly):
            return poly
        if self.is_not_negative(self.scale(poly, -1)):
            return self.scale(poly, -1)
        if len(poly.terms) == 1:
            ((monomial, coefficient),) = poly.terms.items()
            parts = [self._size_of(a, e) for a, e in monomial]
            return self.scale(self.multiply(*parts), abs(coefficient))
        return self.multiply(poly, self.sign(poly))

    def _size_of(self, a, exponent):
        power = Polynomial({((a, exponent),): 1})
        if _not_negative(a) or _is_even(exponent):
            return power
        return self.multiply(power, self.sign(Polynomial({((a, 1),): 1})))

    def integral(self, low, high, variable, body):
        """An integral without a closed form; the ends are polynomials or the texts of infinities."""
        polys = [p for p in (low, high, body) if isinstance(p, Polynomial)]
        indices = frozenset().union(*(p.indices for p in polys)) - {variable}
        depth = max(map(self._depth_of, polys))
        return self.of(self.atom("integral", ((low, high, variable), body), indices, depth))

    def named(self, name, poly):
        """A function that has no rule here but its name."""
        return self.of(self._over("named", name, poly, name))

    # -- sums --------------------------------------------------------------------------------------

    def fresh(self, low, high):
        """A new bound index with its range."""
        index = f"~{next(self._fresh)}"
        self.ranges[index] = (low, high)
        return index

    def sum_over(self, poly, bound):
        """The sum of a polynomial over bound indices made by `fresh`."""
        for k in bound:
            low, high = (end.number for end in self.ranges[k])
            if low is not None and high is not None and high - low < LONGEST_EXPLICIT_SUM:
                rest = [b for b in bound if b != k]
                values = [self.rename(poly, {k: str(v)}) for v in range(int(low), int(high) + 1)]
                return self.sum_over(self.add(*values), rest)
            if low is not None and 0 < low < LONGEST_EXPLICIT_SUM:
                rest = [b for b in bound if b != k]
                whole = self.fresh(constant(0), self.ranges[k][1])
                missing = [self.rename(poly, {k: str(v)}) for v in range(int(low))]
                all_of_it = self.sum_over(self.rename(poly, {k: whole}), [*rest, whole])
                return self.subtract(all_of_it, self.sum_over(self.add(*missing), rest))
        return self.add(*(self.scale(self._sum_monomial(m, tuple(bound)), c) for m, c in poly.terms.items()))

    def _sum_monomial(self, monomial, bound):
        self.tick()
        if not bound:
            return Polynomial({monomial: 1})
        return self._contract(monomial, bound) or self._open_inner_sums(monomial, bound) or self._split(monomial, bound)

    def _contract(self, monomial, bound):
        for a, e in monomial:
            if a.kind != "delta" or e < 0:
                continue
            for k, other in (a.data, a.data[::-1]):
                if k in bound and self._within(other, k):
                    rest = Polynomial({tuple(f for f in monomial if f[0] is not a): 1})
                    return self.sum_over(self.rename(rest, {k: other}), [b for b in bound if b != k])
        return None

    def _within(self, index, k):
        """Whether every value of an index lies in the range of k."""
        low, high = self.ranges[k]
        if is_literal(index):
            value = int(index)
            return (
                low.number is not None
                and low.number <= value
                and (value <= high.number if high.number is not None else value == 0 == low.number)
            )
        return index in self.ranges and self.ranges[index] == (low, high)

    def _open_inner_sums(self, monomial, bound):
        for a, e in monomial:
            if a.kind == "sum" and isinstance(e, int) and e > 0 and a.indices & set(bound):
                rest = Polynomial({tuple(f for f in monomial if f[0] is not a): 1})
                opened, inner = [rest], []
                for _ in range(e):
                    names, body = self.open_sum(a)
                    inner += names
                    opened.append(body)
                return self.sum_over(self.multiply(*opened), [*bound, *inner])
        return None

    def open_sum(self, atom):
        """A connected sum's indices, made fresh, and its body."""
        ranges, body = atom.data
        names = [self.fresh(low, high) for _, low, high in ranges]
        return names, self.rename(body, {k: n for (k, _, _), n in zip(ranges, names, strict=True)})

    def _split(self, monomial, bound):
        groups, outside = _connected(monomial, bound)
        used = {k for names, _ in groups for k in names}
        parts = [Polynomial({outside: 1})]
        for k in bound:
            if k not in used:
                low, high = self.ranges[k]
                parts.append(self.add(high, self.scale(low, -1), constant(1)))
        parts += [self._connected_sum(names, factors) for names, factors in groups]
        return self.multiply(*parts)

    def _connected_sum(self, names, factors):
        """One connected sum; a part that cancels against a denominator or matches a hypothesis is summed first."""
        denominators = {a for a, e in factors if e < 0 and a.kind == "sum"}
        if len(names) > 1 and (self._rules or denominators):
            for k in names:
                inner = tuple(f for f in factors if k in f[0].indices)
                if len(inner) == len(factors):
                    continue
                coefficient, atom = self._sum_atom([k], inner)
                value = self.of(atom)
                if atom in denominators or value != self.of_power(atom, 1):
                    rest = Polynomial({tuple(f for f in factors if f not in inner): 1})
                    whole = self.multiply(rest, coefficient, value)
                    return self.sum_over(whole, [b for b in names if b != k])
        coefficient, atom = self._sum_atom(names, factors)
        return self.multiply(coefficient, self.of(atom))

    def _sum_atom(self, names, factors):
        """The connected sum under the least of its canonical names, and the number that comes out of it."""
        base = 1 + max(a.depth for a, _ in factors)
        best = None
        for order in self._candidate_orders(names, factors):
            mapping = {k: f"#{base + n}" for n, k in enumerate(order)}
            body = self.multiply(*(self.rename_atom(a, e, mapping) for a, e in factors))
            key = _order_of(body)
            if best is None or key < best[0]:
                best = key, body, tuple((mapping[k], *self.ranges[k]) for k in order)
        _, body, ranges = best
        coefficient = constant(1)
        if len(body.terms) == 1:
            ((m, c),) = body.terms.items()
            body, coefficient = Polynomial({m: 1}), constant(c)
        indices = frozenset(k for a, _ in factors for k in a.indices if k not in names)
        skeleton = " ".join(sorted(f"{a.order[0]}^{e}" for a, e in factors))
        positive = all(c > 0 and _all_positive(m) for m, c in body.terms.items())
        depth = max(base + len(names) - 1, self._depth_of(body))
        return coefficient, self.atom("sum", (ranges, body), indices, depth, skeleton, positive)

    def _candidate_orders(self, names, factors):
        """Orders of the bound indices that may give the least form: colours tell most indices apart."""
        if len(names) == 1:
            return [names]
        colours = self._refine({k: repr([_order_of(end) for end in self.ranges[k]]) for k in names}, factors)
        classes = {}
        for k in names:
            classes.setdefault(colours[k], []).append(k)
        orders = [[]]
        for c in sorted(classes):
            orders = [o + list(p) for o in orders for p in permutations(classes[c])]
        return orders

    def _refine(self, colours, factors):
        while True:
            self.tick()
            ranked = {c: n for n, c in enumerate(sorted(set(colours.values())))}
            names = {k: f"@{ranked[c]}" for k, c in colours.items()}
            refined = {}
            for k in colours:
                marked = [(self.rename_atom(a, 1, {**names, k: "@self"}), e) for a, e in factors if k in a.indices]
                refined[k] = repr((ranked[colours[k]], sorted((_order_of(p), e) for p, e in marked)))
            if len(set(refined.values())) == len(ranked):
                return {k: ranked[colours[k]] for k in colours}
            colours = refined

    # -- renaming indices --------------------------------------------------------------------------

    def rename(self, poly, mapping):
        """The polynomial with free indices renamed; bound ones have names of another kind and are not captured."""
        parts = []
        for m, c in poly.terms.items():
            if any(k in mapping for a, _ in m for k in a.indices):
                parts.append(self.scale(self.multiply(*(self.rename_atom(a, e, mapping) for a, e in m)), c))
            else:
                parts.append(Polynomial({m: c}))
        return self.add(*parts)

    def rename_atom(self, a, exponent, mapping):
        """A power of an atom with indices renamed."""
        here = tuple(sorted((k, mapping[k]) for k in a.indices if k in mapping))
        if not here:
            return Polynomial({((a, exponent),): 1})
        found = self._renamed.get((a, exponent, here))
        if found is None:
            renamed = self._rebuild(a, dict(here))
            found = self._renamed[a, exponent, here] = self.power(renamed, exponent) if exponent != 1 else renamed
        return found

    def _rebuild(self, a, mapping):
        at = lambda k: mapping.get(k, k)  # noqa: E731
        if a.kind == "symbol":
            return self.symbol(at(a.data), a.positive)
        if a.kind == "entry":
            name, i, j = a.data
            return self.entry(name, at(i), at(j))
        if a.kind == "delta":
            return self.delta(*map(at, a.data))
        if a.kind == "functional":
            slots = tuple((n, at(i), at(j)) for n, i, j in a.data[1])
            arguments = [(i, j, self.rename(p, mapping)) for i, j, p in self.open_functional(a)]
            return self.functional(a.data[0], slots, arguments)
        return self.map_inside(a, lambda p: self.rename(p, mapping))

    def map_inside(self, a, change):
        """The atom, as a polynomial, with `change` applied to the polynomial that it is made of."""
        if a.kind == "functional":
            return self.functional(*a.data[:2], [(i, j, change(p)) for i, j, p in self.open_functional(a)])
        tag, inside = a.data
        if a.kind == "undefined":
            return self.undefined(*tag, change(inside))
        if a.kind == "sum":
            names, body = self.open_sum(a)
            return self.sum_over(change(body), names)
        if a.kind == "integral":
            *ends, variable = tag
            return self.integral(
                *(change(p) if isinstance(p, Polynomial) else p for p in ends), variable, change(inside)
            )
        if a.kind == "base":
            return change(inside)
        if a.kind == "named":
            return self.named(tag, change(inside))
        return {"exp": self.exp, "log": self.log, "step": self.step}[a.kind](change(inside))

    # -- hypotheses --------------------------------------------------------------------------------

    def assume(self, pattern, exponent, wildcards, value):
        """From now on, `pattern` to the power `exponent` is `value`, whatever its wildcard indices are."""
        self._rules.append((pattern, exponent, tuple(wildcards), value))
        for memo in (self._renamed, self._products):
            memo.clear()

    def _apply_rules(self, monomial, coefficient):
        if self._rules:
            for a, e in monomial:
                for pattern, exponent, wildcards, value in self._rules:
                    whole = isinstance(e, int) and e >= exponent if e > 0 else isinstance(e, int) and exponent == 1
                    mapping = self._match(pattern, wildcards, a) if whole else None
                    if mapping is not None:
                        renamed = self.rename(value, mapping) if mapping else value
                        rest = {f: k for f, k in monomial if f is not a}
                        taken = e if exponent == 1 else exponent
                        factor = self.power(renamed, e) if exponent == 1 else renamed
                        if e != taken:
                            rest[a] = e - taken
                        return self.scale(self.multiply(self.monomial(rest), factor), coefficient)
        return Polynomial({monomial: exact(coefficient)} if coefficient else {})

    def _match(self, pattern, wildcards, a):
        """The values of the wildcards that make the pattern this atom, or None."""
        if a is pattern:
            return {}
        if a.order[0] != pattern.order[0] or not wildcards:
            return None
        rules, self._rules = self._rules, []
        memos, self._renamed, self._products = (self._renamed, self._products), {}, {}
        try:
            return self._search(pattern, wildcards, a)
        finally:
            self._rules = rules
            self._renamed, self._products = memos

    def _search(self, pattern, wildcards, a):
        targets = sorted(a.indices) + [k for k in _literals(a) if k not in a.indices]
        choices = [{}]
        for w in wildcards:
            choices = [{**c, w: t} for c in choices for t in targets]
        for c in choices:
            renamed = self.rename_atom(pattern, 1, c)
            if renamed == Polynomial({((a, 1),): 1}):
                return c
        return None

    # -- looking -----------------------------------------------------------------------------------

    def is_positive(self, poly):
        """Whether it is known to be positive: by its factors, by a hypothesis, or because sizes are at least 1."""
        if not poly.terms:
            return False
        if all(c > 0 and _all_positive(m) for m, c in poly.terms.items()):
            return True
        above_one = self._from_one(poly)
        if above_one is not None and above_one.terms.get((), 0) > 0 and min(above_one.terms.values()) > 0:
            return True
        return any(strict and self._same_sign(poly, p, wildcards) for p, wildcards, strict in self._signs)

    def is_not_negative(self, poly):
        """Whether it is known to be positive or zero."""
        if all(c > 0 and all(_not_negative(a) or _is_even(e) for a, e in m) for m, c in poly.terms.items()):
            return True
        above_one = self._from_one(poly)
        if above_one is not None and min(above_one.terms.values(), default=0) >= 0:
            return True
        return any(self._same_sign(poly, p, wildcards) for p, wildcards, _ in self._signs)

    def _from_one(self, poly):
        """A polynomial of sizes alone, in terms of how much each exceeds 1; None if it holds anything else."""
        sizes = [
            a.kind == "symbol" and a.data in self.sizes and isinstance(e, int) and e > 0
            for m in poly.terms
            for a, e in m
        ]
        if not sizes or not all(sizes):
            return None
        parts = []
        for m, c in poly.terms.items():
            shifted = [self.power(self.add(constant(1), Polynomial({((a, 1),): 1})), e) for a, e in m]
            parts.append(self.scale(self.multiply(*shifted), c))
        return self.add(*parts)

    def assume_sign(self, poly, wildcards, strict):
        """From now on the polynomial is positive (or not negative), whatever its wildcard indices are."""
        self._signs.append((poly, tuple(wildcards), strict))

    def _same_sign(self, poly, pattern, wildcards):
        """Whether a polynomial is a positive multiple of a pattern, or exceeds it by what is not negative."""
        signs, self._signs = self._signs, []
        try:
            choices = [{}]
            for w in wildcards:
                choices = [{**c, w: t} for c in choices for t in ["0", *sorted(poly.indices)]]
            core = self._without_content(poly, _positive_factors)[2]
            for known in (self.rename(pattern, c) for c in choices):
                if self.is_not_negative(self.subtract(poly, known)):
                    return True
                if known.terms and self._without_content(known, _positive_factors)[2] == core:
                    return True
            return False
        finally:
            self._signs = signs

    def atoms_of(self, poly):
        """All atoms, also those inside others, each once."""
        seen, waiting = {}, [poly]
        for p in waiting:
            for m in p.terms:
                for a, _ in m:
                    if a not in seen:
                        seen[a] = None
                        waiting += parts_of(a)
        return list(seen)

    def together(self, poly):
        """Numerator and denominators: the polynomial is ``numerator · Π base⁻ᵏ`` for the ``{base: k}`` returned."""
        below = {}
        for m in poly.terms:
            for a, e in m:
                if a.kind == "base" and e < 0:
                    below[a] = max(below.get(a, 0), -e)
        parts = []
        for m, c in poly.terms.items():
            exponents = dict(m)
            for a, e in below.items():
                exponents[a] = exact(exponents.get(a, 0) + e)
            parts.append(self.scale(self.monomial(exponents), c))
        return (self.add(*parts), below) if below else (poly, below)

    def clear_denominators(self, poly):
        """A polynomial that is zero exactly where this one is, free of powers of sums (which are not zero)."""
        for _ in range(8):
            least = {}
            for m in poly.terms:
                for a, e in m:
                    if a.kind == "base":
                        least[a] = min(least.get(a, 0), e)
            for a in [a for a in least if any(a not in dict(m) for m in poly.terms)]:
                least[a] = min(least[a], 0)
            shift = {a: e for a, e in least.items() if e}
            if not shift:
                return poly
            parts = []
            for m, c in poly.terms.items():
                exponents = dict(m)
                for a, e in shift.items():
                    exponents[a] = exact(exponents.get(a, 0) - e)
                parts.append(self.scale(self.monomial(exponents), c))
            poly = self.add(*parts)
        return poly


def _prime_factors(number):
    """The prime factors, so that the root of 8 is twice the root of 2; what is left of a large number stays whole."""
    out, p = [], 2
    while p * p <= number and p < LARGEST_TRIAL_DIVISOR:
        while number % p == 0:
            out.append(p)
            number //= p
        p += 1
    return [*out, number] if number > 1 else out


def parts_of(a):
    """The polynomials that an atom is made of."""
    if a.kind in ("symbol", "entry", "delta"):
        return []
    if a.kind == "functional":
        return [p for _, p in a.data[3]]
    if a.kind == "integral":
        return [p for p in (*a.data[0], a.data[1]) if isinstance(p, Polynomial)]
    return [a.data[1]]


def _depth(*indices):
    return max((int(k[1:]) for k in indices if k.startswith("#")), default=0)


def _literals(a):
    if a.kind == "entry":
        return [k for k in a.data[1:] if is_literal(k)]
    return ["0"]


def _all_positive(monomial):
    return all(a.positive for a, _ in monomial)


def _is_even(exponent):
    return isinstance(exponent, int) and exponent % 2 == 0


def _not_negative(a):
    """Whether an atom is positive or zero by what it is made of."""
    if a.positive or a.kind in ("step", "delta"):
        return True
    if a.kind != "sum":
        return False
    return all(c > 0 and all(_not_negative(b) or _is_even(e) for b, e in m) for m, c in a.data[1].terms.items())


def _is_square(value):
    return value > 0 and all(isqrt(n) ** 2 == n for n in (value.numerator, value.denominator))


def _anything(a, exponent):
    return exponent


def _positive_factors(a, exponent):
    return exponent if a.positive else 0


def _under_a_root(a, exponent):
    if a.positive or (a.kind == "sum" and _not_negative(a)):
        return exponent
    return exponent - exponent % 2 if isinstance(exponent, int) else 0


def _order_of(poly):
    return sorted(([(a.order, e) for a, e in m], c) for m, c in poly.terms.items())


def _connected(monomial, bound):
    """The factors grouped by shared bound indices, and the factors that have none."""
    groups, outside = [], []
    for f in monomial:
        here = [k for k in bound if k in f[0].indices]
        if not here:
            outside.append(f)
            continue
        touching = [g for g in groups if any(k in g[0] for k in here)]
        groups = [g for g in groups if g not in touching]
        names = list(dict.fromkeys([k for g in touching for k in g[0]] + here))
        groups.append((names, [x for g in touching for x in g[1]] + [f]))
    return groups, tuple(outside)
