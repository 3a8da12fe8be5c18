"""What an exhibit is, what a person would see in it, and how it trains."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from backprop.course import (
    Bug,
    Check,
    Problem,
    autodiff,
    break_it,
    duplicated_batch,
    finite_differences,
    proof,
    shapes,
)
from backprop.course.break_it import BreakItTable

# Two numbers are the same to the eye when they agree to this many parts of the larger one.
SAME = 1e-9
# The point at which the tables are computed, and from how many points an exhibit is trained.
SEED, DRAWS = 10, 15


@dataclass(frozen=True, eq=False)
class Exhibit:
    """A published bug, beside the gradient that was meant.

    Parameters
    ----------
    title : str
        What the tables call it: plain text with ``$…$``.
    loss : callable
        ``loss(**arrays) -> float``, the loss that was meant. It takes ``np=`` so that an autodiff library can trace it.
    draw : callable
        ``draw(rng) -> dict``: the arrays, at random.
    wrt : sequence of str
        The names of the arrays that are differentiated.
    right, published : callable
        ``gradient(**arrays) -> {"dW": …}``.
    batch : sequence of str
        The names of the arrays that hold one row a sample, if a mean over samples is taken.
    program : callable, optional
        The loss that the published program itself computes, where it is another one than was meant.
    predict : callable, optional
        ``predict(**arrays)``: the predictions, to look at after training.
    logits : str, optional
        The name of the array that goes into a softmax: the rows of its gradient must add up to zero.
    rate, steps : float, int
        How it is trained by gradient descent.

    Examples
    --------
    >>> from backprop.exhibits import EXHIBITS
    >>> sorted(EXHIBITS["one array compared"].problem.at)
    ['T', 'W', 'X', 'b']
    """

    title: str
    loss: Callable
    draw: Callable
    wrt: Sequence[str]
    right: Callable
    published: Callable
    batch: Sequence[str] = ()
    program: Callable | None = None
    predict: Callable | None = None
    logits: str | None = None
    rate: float = 0.1
    steps: int = 200

    @property
    def problem(self) -> Problem:
        """The loss that was meant, at the point that the tables are computed at."""
        return self.at(SEED)

    @property
    def watched(self) -> Problem:
        """The loss that a user of the published program sees, at the same point."""
        return self.at(SEED, watched=True)

    def at(self, seed: int, watched: bool = False) -> Problem:
        """The loss that was meant, or the one that is watched, at a point of its own for every seed."""
        loss = self.program if watched and self.program else self.loss
        return Problem(loss, self.draw(np.random.default_rng(seed)), wrt=self.wrt, batch=self.batch)


def eye(exhibit: Exhibit) -> Check:
    """Look at the arrays, as a person would, by four rules that a machine can apply.

    It is caught if a gradient matrix has rank 1, if all entries of a gradient vector are the same, if all predictions
    are the same after training, or if a gradient of logits has a row that does not add up to zero.
    """

    def accepts(bug):
        problem = exhibit.problem
        for name, gradient in problem.gradients(bug.gradient).items():
            if _looks_odd(np.broadcast_to(gradient, np.shape(problem.at[name])), name == exhibit.logits):
                return False
        return exhibit.predict is None or not _constant(exhibit.predict(**_trained(exhibit, problem, bug.gradient)))

    return Check("eye", accepts)


def _looks_odd(gradient, into_softmax) -> bool:
    if into_softmax and np.abs(gradient.sum(axis=-1)).max() > SAME * np.abs(gradient).max():
        return True
    if gradient.ndim == 2 and min(gradient.shape) > 1:
        return np.linalg.matrix_rank(gradient, tol=SAME * np.abs(gradient).max()) < 2
    return gradient.ndim == 1 and gradient.size > 1 and _constant(gradient)


def _constant(array) -> bool:
    # Predictions come to rest slowly: a thousandth of their size is what an eye sees.
    return bool(np.ptp(array) <= 1e-3 * np.abs(array).max())


def _trained(exhibit, problem, gradient) -> dict:
    at = dict(problem.at)
    # A wrong gradient may send a loss to infinity: that is part of what it does.
    with np.errstate(all="ignore"):
        for _ in range(exhibit.steps):
            moves = dataclasses.replace(problem, at=at).gradients(gradient)
            at |= {name: at[name] - exhibit.rate * moves[name] for name in problem.wrt}
    return at


class Training(NamedTuple):
    """Medians over many draws of the loss that was meant, and how often the watched loss fell."""

    start: float
    right: float
    published: float
    fell: int
    draws: int


def training(exhibit: Exhibit, draws: int = DRAWS) -> Training:
    """Train an exhibit from many random points, with the right gradient and with the published one.

    Examples
    --------
    >>> from backprop.exhibits import EXHIBITS
    >>> found = training(EXHIBITS["softmax twice"], draws=3)
    >>> found.right < found.published < found.start, found.fell
    (True, 3)
    """
    runs = [_run(exhibit, seed) for seed in range(draws)]
    start, right, published, fell = zip(*runs, strict=True)
    return Training(*(float(np.median(values)) for values in (start, right, published)), sum(fell), draws)


def _run(exhibit, seed):
    meant = exhibit.at(seed)
    ends = (_loss(meant, _end(exhibit, seed, published)) for published in (False, True))
    return _loss(meant, meant.at), *ends, _falls(exhibit, seed, published=True)


@functools.cache
def _end(exhibit, seed, published) -> dict:
    """Where training leads: asked for by the tables of the rooms and by the last one."""
    return _trained(exhibit, exhibit.at(seed), exhibit.published if published else exhibit.right)


def _falls(exhibit, seed, published) -> bool:
    problem = exhibit.at(seed, watched=published)
    return _loss(problem, _end(exhibit, seed, published)) < _loss(problem, problem.at)


def _loss(problem, at) -> float:
    """The loss at other values of the arrays; where it is no number any more, it is infinite."""
    with np.errstate(all="ignore"):
        return float(np.nan_to_num(problem.loss(**at), nan=np.inf))


@dataclass(frozen=True)
class TrainingTable:
    """One row an exhibit: what the loss that was meant does under the right and under the published gradient."""

    results: Mapping[str, Training]

    def _rows(self):
        for title, found in self.results.items():
            yield [title, *map(_two_digits, found[:3]), f"{found.fell} of {found.draws}"]

    def __str__(self):
        rows = [_HEADER, *self._rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
        )

    def _repr_mimebundle_(self, include=None, exclude=None):
        rows = [_HEADER, ["---", *["---:"] * 4], *self._rows()]
        return {"text/markdown": "\n".join(f"| {' | '.join(row)} |" for row in rows), "text/plain": str(self)}


_HEADER = ["median of the loss", "start", "right", "published", "fell in"]


def _two_digits(value: float) -> str:
    if abs(value) < 0.01:
        return "under 0.01"
    return f"{value:.2g}" if abs(value) < 10 else f"{value:.0f}"


def ratio(exhibit: Exhibit, name: str) -> float:
    """The length of the published gradient of one array, as a multiple of the right one's.

    Examples
    --------
    >>> from backprop.exhibits import EXHIBITS
    >>> round(ratio(EXHIBITS["one array compared"], "b"), 6)
    0.1
    """
    right, published = _both(exhibit, exhibit.problem)
    return float(np.linalg.norm(published[name]) / np.linalg.norm(right[name]))


def cosine(exhibit: Exhibit, draws: int = DRAWS) -> float:
    """The cosine of the angle between the right gradient and the published one, all arrays together: a median.

    Examples
    --------
    >>> from backprop.exhibits import EXHIBITS
    >>> round(cosine(EXHIBITS["mean in the loss, sum in the gradient"]), 6)
    1.0
    """
    return float(np.median([_cosine(exhibit, seed) for seed in range(draws)]))


def _cosine(exhibit, seed):
    both = _both(exhibit, exhibit.at(seed))
    right, published = (np.concatenate([array.ravel() for array in gradients.values()]) for gradients in both)
    return right @ published / np.linalg.norm(right) / np.linalg.norm(published)


def _both(exhibit, problem):
    right, published = (problem.gradients(gradient) for gradient in (exhibit.right, exhibit.published))
    return right, {name: np.broadcast_to(published[name], array.shape) for name, array in right.items()}


def museum_table(
    exhibits: Sequence[Exhibit], trace: Callable, proofs: Mapping[str, tuple[Callable, Callable]]
) -> BreakItTable:
    """Run seven checks on every exhibit, each at its own problem, and put the rows into one table.

    The falling loss is tried from fifteen random points, and caught where it rises from most.
    Where the published program computes another loss than was meant, the falling loss, the differences and the
    automatic derivative are asked about the program's own loss: it is the only one that such a check can call.

    Parameters
    ----------
    exhibits : sequence of Exhibit
    trace : callable
        ``trace(problem)`` returns a gradient function by another program.
    proofs : mapping of str to pair of callables
        By title: the derivation of the right formula, and the published formula as a step, which must be refused.
    """
    rows, names = {}, ()
    for exhibit in exhibits:
        right, wrong = proofs.get(exhibit.title, (None, None))
        table = break_it(
            correct=Bug(exhibit.right, right),
            wrong={exhibit.title: Bug(exhibit.published, wrong)},
            checks=[
                _each(exhibit, shapes),
                eye(exhibit),
                _usually_falls(exhibit),
                _each(exhibit, finite_differences),
                _each(exhibit, _duplicated),
                _each(exhibit, lambda problem: autodiff(problem, trace(problem))),
                proof(),
            ],
        )
        rows |= table.outcomes
        names = table.checks
    return BreakItTable(names, rows)


def _usually_falls(exhibit) -> Check:
    """Whether training lowers the watched loss from most random points: one point could be lucky."""

    def accepts(bug):
        return sum(_falls(exhibit, seed, bug.gradient is exhibit.published) for seed in range(DRAWS)) > DRAWS / 2

    return Check("the loss went down", accepts)


def _duplicated(problem):
    return duplicated_batch(problem) if problem.batch else Check("duplicated batch", lambda bug: None)


def _each(exhibit, make) -> Check:
    """A check that asks each gradient about the loss of its own program."""
    meant, watched = make(exhibit.problem), make(exhibit.watched)
    return Check(meant.name, lambda bug: (meant if bug.gradient is exhibit.right else watched).accepts(bug))
