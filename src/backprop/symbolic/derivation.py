"""Derivations: a start, and steps that are each refuted or established before they are shown."""

from dataclasses import dataclass
from enum import IntEnum

from . import records
from .deadline import Clock
from .definitions import read_definitions, refuse_clashes
from .diagnosis import what_is_wrong
from .errors import ExpressionError, OutOfTime, ShapeError
from .expressions import Expression, shape_text, sympify
from .hypotheses import read_hypotheses
from .inequalities import at_most
from .proof import Prover, needs_analysis
from .ranges import free_indices, index_ranges
from .refutation import Refuter

RELATIONS = ("=", "<=")


class Evidence(IntEnum):
    """What a step rests on; the stronger, the greater.

    IDENTICAL: both sides are written alike. PROVED: for all sizes and entries. EXPANDED: for all entries, at the
    listed sizes only. EVALUATED: at random points only, which is no proof.
    """

    EVALUATED = 1
    EXPANDED = 2
    PROVED = 3
    IDENTICAL = 4


@dataclass(frozen=True)
class Step:
    """One established step: the new expression, the author's reason, and what it rests on."""

    expression: Expression
    because: str
    evidence: Evidence
    detail: str
    relation: str = "="


class Refused(ValueError):
    """A step that is not established.

    Attributes
    ----------
    step : the step's number, from 1
    rung : "shapes", "refutation" or "proof"
    left, right : the two sides
    counterexample : sizes, index and both values, where there is one
    hint : what seems to be wrong, where the engine can tell
    """

    def __init__(self, step, because, rung, relation, left, right, why, counterexample=None, hint=None):
        self.step, self.because, self.rung, self.relation = step, because, rung, relation
        self.left, self.right, self.counterexample, self.hint = left, right, counterexample, hint
        lines = [f"step {step} is refused ({because}): {why}", f"  left:  {left}", f"  right: {right}"]
        if counterexample is not None:
            lines.append(f"  {counterexample}: left {counterexample.left}, right {counterexample.right}")
        if hint:
            lines.append(f"  {hint}")
        super().__init__("\n".join(lines))

    def _repr_mimebundle_(self, include=None, exclude=None):
        return records.of_refusal(self)


class Derivation:
    r"""A chain of steps from `start`, each established before it is accepted.

    Derivations never change: `then` returns a longer one.

    Parameters
    ----------
    start : expression
        Usually an unevaluated derivative, `Partial` or `Grad`.
    let : dict, optional
        What names stand for: ``{Z: X * W + ones(N) * b}``, or entry by entry ``{P[n, k]: …}``.
    given : dict or list, optional
        Hypotheses: ``{total(y[k], k): 1}``, or a list that may hold inequalities: ``[p > 0, Equation(a, b)]``.
    label : str, optional
        The equation's label in the book, such as ``"eq:linear-dW"``.
    proves : sequence of str, optional
        The ids of the formulas that the result proves.
    seconds : float
        How long one step may take.

    Raises
    ------
    ShapeError, NameClash, DefinitionError, HypothesisError, ExpressionError
        If the start, a definition or a hypothesis has no meaning.

    Examples
    --------
    >>> from backprop.symbolic import Derivation, Partial, dimensions, functional, indices, matrix, total
    >>> N, D, K = dimensions("N D K")
    >>> n, k, p, q = indices("n k p q")
    >>> X, W, Z = matrix("X", N, D), matrix("W", D, K), matrix("Z", N, K)
    >>> L = functional("L", Z)
    >>> print(
    ...     Derivation(Partial(L, W[p, q]), let={Z: X * W})
    ...     .then(total(Partial(L, Z[n, k]) * Partial(Z[n, k], W[p, q]), n, k), because="chain rule over every entry")
    ...     .then(total(X[n, p] * Partial(L, Z[n, q]), n), because="only column q survives")
    ... )
    ∂L/∂W[p,q]
      = Σ_n,k ∂L/∂Z[n,k] ∂Z[n,k]/∂W[p,q]    chain rule over every entry  (proved: normal form)
      = Σ_n X[n,p] ∂L/∂Z[n,q]    only column q survives  (proved: normal form)
      where Z = X W
    """

    def __init__(self, start, let=None, given=None, *, label=None, proves=(), seconds=20):
        self.start = sympify(start)
        self.let = read_definitions(let)
        self.given = read_hypotheses(given)
        self.label, self.proves, self.seconds = label, tuple([proves] if isinstance(proves, str) else proves), seconds
        self.steps = ()
        self._clock = Clock(seconds)
        try:
            self._check_names_and_ranges()
        except RecursionError:
            raise ExpressionError("the start, a definition or a hypothesis is nested too deeply") from None
        pairs = self.given.equations, self.given.inequalities
        self._refuter = Refuter(self.let, *pairs, self._clock.tick)
        self._prover = Prover(self.let, *pairs, self._clock.tick)

    def _context(self):
        """Every expression that definitions and hypotheses hold."""
        of_let = [x for name, d in self.let.items() for x in (d.written, d.body)]
        of_equations = [e for pair in self.given.equations for e in pair]
        return [*of_let, *of_equations, *(e for h in self.given.inequalities for e in (h.less, h.more))]

    def _check_names_and_ranges(self):
        everything = [self.start, *self._context()]
        refuse_clashes(everything)
        for e in everything:
            index_ranges(e)
        for d in self.let.values():
            index_ranges(d.written, d.body)

    @property
    def result(self):
        """The last expression."""
        return self.steps[-1].expression if self.steps else self.start

    @property
    def evidence(self):
        """What the weakest step rests on."""
        return min((s.evidence for s in self.steps), default=Evidence.IDENTICAL)

    @property
    def relation(self):
        """The relation between the start and the result: "<=" as soon as one step is an inequality."""
        return "<=" if any(s.relation == "<=" for s in self.steps) else "="

    def then(self, expression, because, accept=Evidence.PROVED, relation="="):
        """The derivation with one more step, if it is established.

        Parameters
        ----------
        expression : the new right side
        because : str
            The reason, plain text with ``$…$``.
        accept : Evidence
            The weakest evidence that the step may rest on.
        relation : "=" or "<="

        Raises
        ------
        Refused
            If the step is wrong, or cannot be established.
        OutOfTime
            If it takes longer than the derivation's `seconds`.
        """
        if relation not in RELATIONS:
            raise ExpressionError(f"a step's relation is '=' or '<=', not {relation!r}")
        accept = Evidence(accept)
        right = sympify(expression)
        self._clock.start()
        try:
            evidence, detail = self._establish(self.result, right, because, accept, relation)
        except OutOfTime as late:
            raise OutOfTime(f"step {len(self.steps) + 1} ({because}): {late}") from None
        except RecursionError:
            raise ExpressionError(f"step {len(self.steps) + 1}: the expression is nested too deeply") from None
        finally:
            self._clock.stop()
        longer = object.__new__(Derivation)
        longer.__dict__.update(self.__dict__)
        longer.steps = (*self.steps, Step(right, because, evidence, detail, relation))
        return longer

    # -- the ladder --------------------------------------------------------------------------------

    def _establish(self, left, right, because, accept, relation):
        def refuse(rung, why, counterexample=None, hint=None):
            step = len(self.steps) + 1
            return Refused(step, because, rung, relation, left, right, why, counterexample, hint)

        try:
            left, right = _alike(left, right)
            refuse_clashes([left, right, *self._context()])
            ranges = index_ranges(left, right)
        except ShapeError as clash:
            raise refuse(
                "shapes", f"the two sides do not fit: {clash}", hint=self._hint(left, right, relation)
            ) from None
        if left == right:
            return Evidence.IDENTICAL, "written alike"
        if relation == "<=" and left.is_matrix:
            raise refuse("shapes", "an inequality compares scalars, not matrices")
        ranges = self._complete_ranges(ranges, left, right)
        found = self._refuter.counterexample(left, right, ranges, relation)
        if found:
            hint = self._hint(left, right, relation)
            raise refuse("refutation", "the two sides differ", found, hint)
        self._prover.let_range(ranges)
        evidence, detail = self._prove(left, right, relation, accept)
        if evidence < accept:
            why = f"it is only {evidence.name.lower()} ({detail}), and {accept.name.lower()} was asked for"
            raise refuse("proof", why)
        return evidence, detail

    def _complete_ranges(self, ranges, *sides):
        """The ranges of all free indices; one that no entry shows is looked up in earlier lines and the definitions."""
        known = dict(ranges)
        for e in [self.start, *(s.expression for s in self.steps), *self._context()]:
            for k, size in index_ranges(e).items():
                known.setdefault(k, size)
        out = {}
        for k in free_indices(*sides):
            if k not in known:
                raise ExpressionError(f"nothing says which range the index {k} runs over")
            out[k] = known[k]
        return out

    def _hint(self, left, right, relation="="):
        """What seems to be wrong, where numbers can tell."""

        def survives(candidate):
            ranges = self._complete_ranges(index_ranges(left, candidate), left, candidate)
            return self._refuter.counterexample(left, candidate, ranges) is None

        return what_is_wrong(left, right, self.let, survives) if relation == "=" else None

    def _prove(self, left, right, relation, accept):
        if relation == "<=":
            rule = at_most(self._prover, left, right)
            return (Evidence.PROVED, rule) if rule else (Evidence.EVALUATED, "random points only")
        if self._prover.by_normal_form(left, right):
            return Evidence.PROVED, "normal form" + (", with SymPy's calculus" if self._uses_sympy(left, right) else "")
        if self._prover.by_cases(left, right):
            return Evidence.PROVED, "normal form, case by case"
        if self._prover.by_simplifier(left, right):
            return Evidence.PROVED, "SymPy's simplifier"
        if accept <= Evidence.EXPANDED and (sizes := self._prover.by_expansion(left, right)):
            return Evidence.EXPANDED, sizes
        return Evidence.EVALUATED, "random points only"

    def _uses_sympy(self, *sides):
        context = [*sides, *self._context()]
        return self._prover.algebra.asked_sympy and any(needs_analysis(e) for e in context)

    # -- showing -----------------------------------------------------------------------------------

    def __str__(self):
        return records.derivation_text(self)

    __repr__ = __str__

    def _repr_mimebundle_(self, include=None, exclude=None):
        return records.of_derivation(self)


def _alike(left, right):
    """Both sides as scalars where one is a scalar and the other has one entry."""
    one = sympify(1)
    if left.shape == (one, one) and not right.is_matrix:
        left = left[0, 0]
    if right.shape == (one, one) and not left.is_matrix:
        right = right[0, 0]
    if left.shape != right.shape:
        raise ShapeError(f"the left has shape {shape_text(left.shape)}, the right {shape_text(right.shape)}")
    return left, right


def refusal(step):
    """Run `step`, which must be refused, and return the refusal, which shows itself on a page without a traceback.

    Parameters
    ----------
    step : callable without arguments

    Raises
    ------
    AssertionError
        If the step is accepted: then the page would promise a refusal that does not happen.

    Examples
    --------
    >>> from backprop.symbolic import Derivation, dimensions, matrix, refusal
    >>> N = dimensions("N")
    >>> A, B = matrix("A", N, N), matrix("B", N, N)
    >>> refusal(lambda: Derivation((A * B).T).then(A.T * B.T, because="transpose of a product")).rung
    'refutation'
    """
    try:
        accepted = step()
    except Refused as refused:
        return refused.with_traceback(None)
    raise AssertionError(f"the step was accepted, but the page says that it is refused:\n{accepted}")
