"""Functions of polynomials: exponentials, logarithms, steps, and what has no rule but its name."""

from .atoms import Polynomial, all_positive, atom_not_negative, constant, depth_of, is_even, is_literal
from .errors import ZeroDenominator
from .powers import positive_factors


class Applications:
    """Known functions by their rules, undefined ones and functionals by name."""

    def exp(self, poly):
        """e to a polynomial, as a product over its terms: eᵃ⁺ᵇ = eᵃ eᵇ."""
        parts = []
        for m, c in poly.terms.items():
            if len(m) == 1 and m[0][0].kind == "log" and m[0][1] == 1:
                parts.append(self.power(m[0][0].data[1], c))
                continue
            unit = Polynomial({m: 1})
            parts.append(self.monomial({self.over("exp", "", unit, "", True): c}))
        return self.multiply(*parts)

    def log(self, poly):
        """The natural logarithm; of a product of positive factors it is the sum of theirs."""
        if not poly.terms:
            raise ZeroDenominator("the logarithm of zero")
        if poly.number == 1:
            return constant(0)
        if len(poly.terms) == 1:
            ((m, c),) = poly.terms.items()
            if c > 0 and m and all_positive(m):
                parts = [self.scale(self._log_of_atom(a), e) for a, e in m]
                return self.add(*parts, self.log(constant(c)))
        if len(poly.terms) > 1:
            above, below = self.together(poly)
            if below and self.is_positive(above) and all(a.positive for a in below):
                logs = [self.scale(self._log_of_atom(a), -e) for a, e in below.items()]
                return self.add(self.log(above), *logs)
            content, coefficient, core = self.without_content(poly, positive_factors)
            if content or coefficient != 1:
                outside = self.log(Polynomial({content: coefficient}))
                return self.add(outside, self.of(self.over("log", "", core, "")))
        return self.of(self.over("log", "", poly, ""))

    def _log_of_atom(self, a):
        if a.kind == "exp":
            return a.data[1]
        inside = a.data[1] if a.kind == "base" else Polynomial({((a, 1),): 1})
        return self.of(self.over("log", "", inside, ""))

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
        _, _, core = self.without_content(poly, positive_factors)
        return self.of(self.over("step", "", core, ""))

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
                out = self.multiply(out, both, both) if is_even(e) else self.multiply(out, both)
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
        if atom_not_negative(a) or is_even(exponent):
            return power
        return self.multiply(power, self.sign(Polynomial({((a, 1),): 1})))

    def integral(self, low, high, variable, body):
        """An integral without a closed form; the ends are polynomials or the texts of infinities."""
        polys = [p for p in (low, high, body) if isinstance(p, Polynomial)]
        indices = frozenset().union(*(p.indices for p in polys)) - {variable}
        depth = max(map(self.depth, polys))
        return self.of(self.atom("integral", ((low, high, variable), body), indices, depth))

    def named(self, name, poly):
        """A function that has no rule here but its name."""
        return self.of(self.over("named", name, poly, name))

    def undefined(self, name, order, argument):
        """An undefined function, differentiated `order` times, at a polynomial."""
        return self.of(self.over("undefined", (name, order), argument, f"{name}{order}"))

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
        depth = max([depth_of(*sorted(used)), *(self.depth(p) for _, p in abstracted)])
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
