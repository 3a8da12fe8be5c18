"""Exercises of chapter 8: gradient checking."""

import numpy as np

from backprop.course import Exercise, Wrong, computes, named, recalls
from backprop.course.exercise import Feedback
from backprop.exercises._derivations import way
from backprop.symbolic import Derivation, Partial, sqrt, symbol
from backprop.symbolic.expressions import sympify

# -- 1. recall: what a check costs ------------------------------------------------------------------------------------


def evaluations(method, size):
    """How many evaluations of the loss does a check of so many parameters take?

    method: "forward", "centred", "complex", "ten directions" (by the complex step).
    """
    return ...


def evaluations_solution(method, size):
    # One-sided differences share one evaluation, that of the loss at θ itself. A direction moves all entries at once.
    return {"forward": size + 1, "centred": 2 * size, "complex": size, "ten directions": 10}[method]


def _costs(forward=lambda size: size + 1, centred=lambda size: 2 * size, directions=lambda size: 10):
    return lambda method, size: {
        "forward": forward(size), "centred": centred(size), "complex": size, "ten directions": directions(size)
    }[method]  # fmt: skip


EVALUATIONS_MISTAKES = {
    "A centred difference takes the loss on both sides of θ.": _costs(centred=lambda size: size),
    "The loss at θ is the same for every entry: once is enough.": _costs(forward=lambda size: 2 * size),
    "The loss at θ itself is missing from the one-sided differences.": _costs(forward=lambda size: size),
    "One step along a direction moves all entries at once.": _costs(directions=lambda size: 10 * size),
}

EVALUATIONS = Exercise(
    id="check-evaluations",
    stub=evaluations,
    reference=evaluations_solution,
    judge=recalls(
        evaluations_solution,
        cases=[{"method": method, "size": 17} for method in ("centred", "forward", "complex", "ten directions")]
        + [{"method": "forward", "size": 2410}],
        mistakes=EVALUATIONS_MISTAKES,
    ),
    wrong=named(EVALUATIONS_MISTAKES),
)

# -- 2. predict: one wrong entry among many ---------------------------------------------------------------------------


def error_of_one_sign(count):
    """The relative error of a gradient of so many entries, all of the same size, one of which has the wrong sign."""
    return ...


def error_of_one_sign_solution(count):
    # With entries of size 1 the difference is a single 2, and each of the two norms is √count.
    return 2 / (np.sqrt(count) + np.sqrt(count))


ONE_SIGN_MISTAKES = {
    "That is the share of wrong entries. A relative error compares lengths.": lambda count: 1 / count,
    "Only one length stands below the line of this fraction.": lambda count: 2 / count**0.5,
    "That is what comes out if every sign is wrong.": lambda count: 1.0,
    "These are squares of lengths: the roots are missing.": lambda count: 4 / (2 * count),
}

ONE_SIGN = Exercise(
    id="check-one-sign",
    stub=error_of_one_sign,
    reference=error_of_one_sign_solution,
    judge=recalls(
        error_of_one_sign_solution, cases=[{"count": 4}, {"count": 100}, {"count": 10_000}], mistakes=ONE_SIGN_MISTAKES
    ),
    wrong=named(ONE_SIGN_MISTAKES),
)

# -- 3. implement: the slope along a direction ------------------------------------------------------------------------


def slope_along(f, theta, v, h=1e-5):
    """The derivative of f at theta along v, by a centred difference: two evaluations of f."""
    return ...


def slope_along_solution(f, theta, v, h=1e-5):
    # One number t moves along the line θ + t v. At t = 0 its slope is ⟨∇f, v⟩.
    return (f(theta + h * v) - f(theta - h * v)) / (2 * h)


def _one_side(f, theta, v, h=1e-5):
    return (f(theta + h * v) - f(theta)) / h


def _not_halved(f, theta, v, h=1e-5):
    return (f(theta + h * v) - f(theta - h * v)) / h


def _length_lost(f, theta, v, h=1e-5):
    return slope_along_solution(f, theta, v / np.linalg.norm(v), h)


def _the_same_everywhere(f, theta, v, h=1e-5):
    return (f(theta + h) - f(theta - h)) / (2 * h)


def _quadratic_and_more(rng):
    A = rng.normal(size=(4, 3))
    return {
        "f": lambda t: float((A * t + t**2).sum()),
        "theta": rng.normal(size=(4, 3)),
        "v": rng.normal(size=(4, 3)),
        "h": 0.125,
    }


SLOPE_ALONG_MISTAKES = {
    "This is one-sided: its error is of order h. Go to both sides.": _one_side,
    "The two points are 2h apart. Divide by that.": _not_halved,
    "You made v a unit vector. The slope along v is asked for, as long as v is.": _length_lost,
    "This moves every entry by h. How far it moves, and where to, is what v says.": _the_same_everywhere,
}

SLOPE_ALONG = Exercise(
    id="check-slope-along",
    stub=slope_along,
    reference=slope_along_solution,
    judge=computes(slope_along_solution, inputs=_quadratic_and_more, name="slope", mistakes=SLOPE_ALONG_MISTAKES),
    wrong=named(SLOPE_ALONG_MISTAKES),
)

# -- 4. derive: the best step of a one-sided difference ---------------------------------------------------------------

step = symbol("h", positive=True)
u = symbol("u", positive=True)
size = symbol("L", r"\lvert L \rvert", positive=True)
second = symbol("L2", r"\lvert L'' \rvert", positive=True)
BOUND = 2 * u * size / step + step * second / 2


def best_step():
    """A Derivation from Partial(BOUND, step) to 0, with the best step in `let`."""
    return ...


def best_step_solution():
    # The slope of the bound is |L″|/2 − 2u|L|/h². It is zero where h² = 4u|L|/|L″|.
    return Derivation(Partial(BOUND, step), let={step: 2 * sqrt(u * size / second)}).then(
        0, because="the bound is level at its lowest point"
    )


def _what_is_left(derivation):
    level = derivation.result == sympify(0)
    return "" if level else ". Say which step makes the slope zero: let={exercises.step: …}, and end in 0."


def _with_step(value):
    return lambda: Derivation(Partial(BOUND, step), let={step: value}).then(0, because="a try")


BEST_STEP = Exercise(
    id="check-best-step",
    stub=best_step,
    reference=best_step_solution,
    judge=way(
        Partial(BOUND, step),
        "Partial(exercises.BOUND, exercises.step)",
        unfinished=_what_is_left,
    ),
    wrong={
        "the factor forgotten": Wrong(_with_step(sqrt(u * size / second)), says="A step of yours is refused"),
        "squared, not rooted": Wrong(_with_step(4 * u * size / second), says="A step of yours is refused"),
        "the slope, but no step": Wrong(
            lambda: Derivation(Partial(BOUND, step)).then(second / 2 - 2 * u * size / step**2, because="by h"),
            says="Say which step",
        ),
        "the wrong start": Wrong(
            lambda: Derivation(BOUND, let={step: 2 * sqrt(u * size / second)}).then(
                2 * sqrt(u * size * second), because="the value there"
            ),
            says="start from",
        ),
    },
)

# -- 5. decide: a kink or a bug ---------------------------------------------------------------------------------------


def kink_or_bug(analytic, below, above):
    """ "right", "kink" or "bug", from a gradient's entry and the slopes below and above, taken over a tiny step.

    Two numbers count as equal where they differ by less than 1e-3.
    """
    return ...


def kink_or_bug_solution(analytic, below, above):
    def equal(a, b):
        return abs(a - b) < 1e-3

    # A kink excuses a gradient that is one of the two slopes. It does not excuse any other number.
    if not (equal(analytic, below) or equal(analytic, above)):
        return "bug"
    return "right" if equal(below, above) else "kink"


def _by_the_mean(analytic, below, above):
    return "right" if abs(analytic - (below + above) / 2) < 1e-3 else "bug"


def _every_kink_excuses(analytic, below, above):
    if abs(below - above) >= 1e-3:
        return "kink"
    return "right" if abs(analytic - below) < 1e-3 else "bug"


def _one_side_only(analytic, below, above):
    if abs(below - above) < 1e-3:
        return "right" if abs(analytic - below) < 1e-3 else "bug"
    return "kink" if abs(analytic - above) < 1e-3 else "bug"


KINK_OR_BUG_MISTAKES = {
    "This compares with the mean of the two slopes. In a corner that is the slope of neither side.": _by_the_mean,
    "Here a kink excuses every number. How many does it excuse?": _every_kink_excuses,
    "This compares with one side only.": _one_side_only,
}

KINK_OR_BUG = Exercise(
    id="check-kink-or-bug",
    stub=kink_or_bug,
    reference=kink_or_bug_solution,
    judge=recalls(
        kink_or_bug_solution,
        cases=[
            {"analytic": 0.5, "below": 0.5, "above": 0.5},
            {"analytic": 0.7, "below": 0.5, "above": 0.5},
            {"analytic": 0.9, "below": 0.5, "above": 0.9},
            {"analytic": 0.5, "below": 0.5, "above": 0.9},
            {"analytic": 0.8, "below": 0.5, "above": 0.9},
            {"analytic": 0.7, "below": 0.5, "above": 0.9},
        ],
        mistakes=KINK_OR_BUG_MISTAKES,
    ),
    wrong=named(KINK_OR_BUG_MISTAKES),
)

# -- 6. debug: a checker that is wrong --------------------------------------------------------------------------------


def repaired_gradient(f, theta, h=1e-5):
    """Centred differences of f for every entry of theta, an array of any shape."""
    return ...


def repaired_gradient_solution(f, theta, h=1e-5):
    # zeros_like of integers is an array of integers: every slope would be cut to a whole number. So float64 first.
    theta = np.array(theta, dtype=np.float64)
    gradient = np.zeros_like(theta)
    for j in np.ndindex(theta.shape):
        here = theta[j]
        theta[j] = here + h
        above = f(theta)
        # From here, below θ. "theta[j] -= h" only went back to θ itself.
        theta[j] = here - h
        below = f(theta)
        theta[j] = here
        gradient[j] = (above - below) / (2 * h)
    return gradient


def _differences(f, theta, h, dtype, back, put_back=True):
    theta = np.array(theta, dtype=dtype)
    gradient = np.zeros_like(theta)
    for j in np.ndindex(theta.shape):
        moved = theta.astype(np.float64)
        moved[j] += h
        above = f(moved)
        moved[j] -= back * h
        gradient[j] = (above - f(moved)) / (2 * h)
        if not put_back:
            theta = moved
    return gradient


def _as_found(f, theta, h=1e-5):
    gradient = np.zeros_like(theta)
    for j in np.ndindex(theta.shape):
        theta[j] += h
        above = f(theta)
        theta[j] -= h
        below = f(theta)
        gradient[j] = (above - below) / (2 * h)
    return gradient


def _both_faults(f, theta, h=1e-5):
    return _differences(f, theta, h, None, 1)


def _sides_only(f, theta, h=1e-5):
    return _differences(f, theta, h, None, 2)


def _floats_only(f, theta, h=1e-5):
    return _differences(f, theta, h, np.float64, 1)


def _never_back(f, theta, h=1e-5):
    return _differences(f, theta, h, np.float64, 2, put_back=False)


def _integers(rng):
    A = rng.normal(size=(3, 2))
    return {
        "f": lambda t: float((A * t**2 + np.prod(t)).sum()),
        "theta": rng.permutation([1, 2, 3, -1, -2, 4]).reshape(3, 2),
        "h": 2.0**-6,
    }


REPAIRED_GRADIENT_MISTAKES = {
    "Both faults are still there. Where is the second point, and what is the dtype of the result?": _both_faults,
    "Both sides are right now. But zeros_like of integers holds integers.": _sides_only,
    "Fractions survive now. But the second point is θ itself, not θ − h.": _floats_only,
    "Every entry stays where its last move left it. Put it back before you go on.": _never_back,
}

REPAIRED_GRADIENT = Exercise(
    id="check-repaired-gradient",
    stub=repaired_gradient,
    reference=repaired_gradient_solution,
    judge=computes(repaired_gradient_solution, inputs=_integers, name="gradient", mistakes=REPAIRED_GRADIENT_MISTAKES),
    wrong={"as found": Wrong(_as_found, says="changes its argument theta"), **named(REPAIRED_GRADIENT_MISTAKES)},
)

# -- 7. locate: find the wrong entry with few evaluations -------------------------------------------------------------


def wrong_entry(f, gradient, theta):
    """The index of the one wrong entry of a gradient of 64 entries, with at most 12 evaluations of f."""
    return ...


def wrong_entry_solution(f, gradient, theta, h=1e-5):
    suspects = np.arange(theta.size)
    while len(suspects) > 1:
        # Move one half of the suspects, all by the same step. If the slope is not the sum of their entries, it is here.
        half, rest = np.split(suspects, 2)
        v = np.zeros(theta.size)
        v[half] = 1
        slope = (f(theta + h * v) - f(theta - h * v)) / (2 * h)
        suspects = half if abs(slope - gradient[half].sum()) > 1e-6 else rest
    return int(suspects[0])


def _one_by_one(f, gradient, theta, h=1e-5):
    for j in range(theta.size):
        v = np.zeros(theta.size)
        v[j] = h
        if abs((f(theta + v) - f(theta - v)) / (2 * h) - gradient[j]) > 1e-6:
            return j
    return 0


def _wrong_half(f, gradient, theta, h=1e-5):
    suspects = np.arange(theta.size)
    while len(suspects) > 1:
        half, rest = np.split(suspects, 2)
        v = np.zeros(theta.size)
        v[half] = h
        slope = (f(theta + v) - f(theta - v)) / (2 * h)
        suspects = rest if abs(slope - gradient[half].sum()) > 1e-6 else half
    return int(suspects[0])


def _judge_wrong_entry(answer):
    for seed, wrong in enumerate((5, 63, 32)):
        rng = np.random.default_rng(seed)
        theta, calls = rng.normal(size=64), []
        gradient = 3 * theta**2
        gradient[wrong] += 0.5

        def f(t, calls=calls):
            calls.append(1)
            return float((t**3).sum())

        try:
            found = answer(f, gradient.copy(), theta.copy())
        except Exception as error:
            return Feedback(False, f"Your function stopped with {type(error).__name__}: {error}.")
        if found is None or found is ...:
            return Feedback(False, "Nothing written yet. Replace the … by your answer and run the check again.")
        if len(calls) > 12:
            return Feedback(False, f"You evaluated f {len(calls)} times. Halve the suspects with every slope.")
        if found != wrong:
            return Feedback(False, f"Entry {wrong} is wrong in this one, and your answer is {found!r}.")
    return Feedback(True, "Three gradients, three culprits, six slopes each.")


WRONG_ENTRY = Exercise(
    id="check-wrong-entry",
    stub=wrong_entry,
    reference=wrong_entry_solution,
    judge=_judge_wrong_entry,
    wrong={
        "one entry after the other": Wrong(_one_by_one, says="128 times"),
        "into the wrong half": Wrong(_wrong_half, says="your answer is"),
        "the largest entry": Wrong(
            lambda f, gradient, theta: int(np.argmax(np.abs(gradient))), says="is wrong in this"
        ),
        "one slope for all": Wrong(lambda f, gradient, theta: f(theta + gradient), says="your answer is"),
    },
)
