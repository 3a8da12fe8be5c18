"""The derivations of chapters 1 to 8's exercises, in numbers: what the start is worth, and every line that is refused.

The engine says that a line is wrong. Here it is wrong in the way that its name says. The numbers are those of dual
numbers and of stand-ins for f and L that share nothing with the engine, see `corpus.numbers`.
"""

import inspect
from typing import Any, NamedTuple

import numpy as np
import pytest
from corpus.answers import GRADIENTS, exercises_of, modules_of, of_each_mistake
from corpus.hypotheses import meet
from corpus.numbers import World, free_indices, index_sizes, real

from backprop.exercises._derivations import way
from backprop.gradcheck import central_difference
from backprop.symbolic import Derivation, Grad, Partial, Refused, hadamard, scalars, sigmoid, softplus, total

MODULES, EXERCISES = modules_of(GRADIENTS), exercises_of(GRADIENTS)
DERIVED = {}


class Refuses(NamedTuple):
    """The engine refuses this line, at this step."""

    step: int
    line: Any


class Holds(NamedTuple):
    """So many steps hold, and this is what the last line is worth. Something else is wrong."""

    steps: int
    line: Any


class Worth(NamedTuple):
    """What the symbols mean on the page, what the start is worth, and what becomes of each mistake.

    Lines are arrays, with an axis for each index in `order`, and then for each that only the line itself leaves free.
    `shown` are entries that show how far an index runs, where the line does not.
    """

    meant: dict
    truth: Any
    mistakes: dict
    order: tuple = ()
    shown: tuple = ()


def derived(name, let="LAYER", given=None, below_one=False):
    """Register a function of the chapter's symbols and of `value`, which computes an expression in a random world."""

    def register(road):
        DERIVED[name] = (let, given, below_one, road)

    return register


def worth(name):
    """`value`, and what the registered function says with it."""
    let, given, below_one, road = DERIVED[name]
    e = MODULES[name.partition(".")[0]]
    let = getattr(e, let) if let else {}
    world = World(np.random.default_rng(1), let, below_one=below_one)
    meet(world, getattr(e, given) if given else {})

    def value(expression, order=(), shown=()):
        free = [*order, *sorted(free_indices(expression) - set(order), key=str)]
        sizes = index_sizes(world, expression, *shown, *let, *let.values())
        shape = [sizes[k] for k in free]
        lines = [world.value(expression, dict(zip(free, place, strict=True))) for place in np.ndindex(*shape)]
        numbers = np.vectorize(lambda v: float(real(v)), otypes=[float])(lines)
        return numbers.reshape(shape + list(numbers.shape[1:]))

    return value, road(e, value)


@derived("linear_layer.STORED_DERIVATION", let="stored")
def _(e, value):
    X, V, b, dZ = map(value, (e.X, e.S, e.b, Grad(e.L, e.Z)))
    truth = dZ.T @ X
    return Worth(
        meant={e.Z: X @ V.T + b},
        truth=truth,
        mistakes={
            "averaged over the batch": Refuses(2, truth / len(X)),
            "one sample only": Refuses(1, np.einsum("iq,ip->qpi", dZ, X)),
            "in one leap": Holds(1, truth),
            "stopped at the delta": Holds(2, truth),
        },
        order=(e.q, e.p),
        shown=(e.S[e.q, e.p],),
    )


@derived("matrix_form.INPUT_DERIVATION")
def _(e, value):
    W, b, x, slope = map(value, (e.W, e.b, e.x, e.f_prime(e.z)))
    dz, da = value(Grad(e.L, e.z)), value(Grad(e.L, e.a))
    np.testing.assert_allclose(dz, da * slope, rtol=1e-9)
    truth = W.T @ dz
    return Worth(
        meant={e.z: W @ x + b, e.a: value(e.f(e.z))},
        truth=truth[:, 0],
        mistakes={
            "the slope forgotten": Refuses(1, (W.T @ da)[:, 0]),
            "the slope at the wrong place": Refuses(1, (W.T @ (da * value(e.f_prime(e.a))))[:, 0]),
            "stopped at the pre-activation": Holds(2, truth[:, 0]),
            "in one leap": Holds(1, truth[:, 0]),
            "the whole column": Holds(0, truth),
            "one path only": Refuses(1, (W * dz).T),
        },
        order=(e.p,),
        shown=(e.z[e.q],),
    )


@derived("activations_and_losses.LOGIT_DERIVATION", let="ONE_LOGIT", below_one=True)
def _(e, value):
    y, z = value(e.y), value(e.z)
    p = 1 / (1 + np.exp(-z))
    return Worth(
        meant={e.ell: -(y * np.log(p) + (1 - y) * np.log(1 - p))},
        truth=p - y,
        mistakes={
            "the sign": Refuses(1, y - p),
            "the derivative of σ once too often": Refuses(1, (p - y) * np.exp(-z) / (1 + np.exp(-z)) ** 2),
            "in one leap": Holds(1, p - y),
            "one leap, said twice": Holds(2, p - y),
            "another loss": Holds(2, p - y),
            "not there yet": Holds(2, p - y),
        },
    )


@derived("softmax_cross_entropy.TEMPERATURE", let="WARM", given="LABELS", below_one=True)
def _(e, value):
    y, z, tau = value(e.y)[:, 0], value(e.z)[:, 0], value(e.tau)
    p = np.exp(z / tau) / np.exp(z / tau).sum()
    np.testing.assert_allclose(y.sum(), 1, rtol=1e-9)
    truth = (p - y) / tau
    return Worth(
        meant={e.p: p[:, np.newaxis], e.ell: -y @ np.log(p)},
        truth=truth,
        mistakes={
            "the temperature forgotten": Refuses(2, truth * tau),
            "multiplied by it": Refuses(2, truth * tau**2),
            # y/p times the derivative of a class's own probability.
            "the diagonal only": Refuses(2, -y / p * (p - p**2) / tau),
            "in one leap": Holds(1, truth),
            "half way": Holds(2, truth),
        },
        order=(e.q,),
    )


@derived("hidden_layers.INDUCTION")
def _(e, value):
    A, W, b, slope = map(value, (e.A, e.W, e.b, e.f_prime(e.Z)))
    dA, dZ_up = value(Grad(e.L, e.A)), value(Grad(e.L, e.Z_up))
    truth = dZ_up @ W.T * slope
    return Worth(
        meant={e.A: value(e.f(e.Z)), e.Z_up: A @ W + b},
        truth=truth,
        mistakes={
            "the slope at A": Refuses(1, dA * value(e.f_prime(e.A))),
            "the slope lost on the way": Refuses(2, dA),
            "in one leap": Holds(1, truth),
            "half way": Holds(2, truth),
        },
    )


@derived("delta_recursion.SKIP_DERIVATION", let="SKIP")
def _(e, value):
    W, b, x, slope, da = map(value, (e.W, e.b, e.x, e.f_prime(e.z), Grad(e.L, e.a)))
    through = W.T @ (da * slope)
    truth = da + through
    return Worth(
        meant={e.z: W @ x + b, e.a: value(e.f(e.z)) + x},
        truth=truth,
        mistakes={
            "the skip forgotten": Refuses(1, through),
            "the skip alone": Refuses(1, da),
            "the slope on both roads": Refuses(1, da * slope + through),
            "stopped at the pre-activation": Holds(2, truth),
            "in one leap": Holds(1, truth),
            "one entry": Holds(0, truth[:, 0]),
        },
    )


@derived("conventions.BIAS_IN_COLUMNS", let="COLUMNS", given="RESIDUAL")
def _(e, value):
    A, W, b, R = map(value, (e.A, e.W, e.b, e.R))
    np.testing.assert_allclose(R, value(Grad(e.S, e.Z)), rtol=1e-9)
    n_out, m = R.shape
    truth = R.sum(axis=1) / m
    return Worth(
        meant={e.Z: W @ A + b, e.L: value(e.S) / m},
        truth=truth,
        mistakes={
            "not divided": Refuses(1, truth * m),
            "divided by the outputs": Refuses(1, truth * m / n_out),
            "nothing derived": Holds(0, truth),
            "in one leap": Holds(1, truth),
            "half way": Holds(2, truth),
        },
        order=(e.q,),
    )


@pytest.mark.parametrize("name", DERIVED)
def test_the_start_is_worth_what_the_page_s_own_network_has_for_a_gradient(name):
    value, told = worth(name)
    derivation = EXERCISES[name].reference()
    for symbol, meant in told.meant.items():
        np.testing.assert_allclose(value(symbol), meant, rtol=1e-9)
    for line in (derivation.start, derivation.result):
        np.testing.assert_allclose(value(line, told.order), told.truth, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", DERIVED)
def test_a_line_that_is_refused_is_wrong_as_its_name_says(name):
    value, told = worth(name)
    for mistake, expected in of_each_mistake(EXERCISES[name], told.mistakes).items():
        try:
            derivation = EXERCISES[name].wrong[mistake].answer()
            found, line = Holds(len(derivation.steps), None), derivation.result
        except Refused as refused:
            found, line = Refuses(refused.step, None), refused.right
        assert found == expected._replace(line=None), mistake
        order = told.order if free_indices(line) >= set(told.order) else ()
        np.testing.assert_allclose(
            value(line, order, told.shown), expected.line, rtol=1e-9, atol=1e-12, err_msg=mistake
        )


def test_every_derivation_is_here():
    derivations = {name for name, e in EXERCISES.items() if e.judge.__qualname__.startswith("derives.")}
    assert derivations == {*DERIVED, "gradient_checking.BEST_STEP"}


@pytest.mark.parametrize(
    ("name", "way_there"),
    [
        (
            "linear_layer.STORED_DERIVATION",
            lambda e: e._stored(e._CHAIN_RULE, total(e.X[e.i, e.p] * Partial(e.L, e.Z[e.i, e.q]), e.i)),
        ),
        (
            "matrix_form.INPUT_DERIVATION",
            lambda e: e._input(
                total(e.W[e.q, e.p] * Partial(e.L, e.z[e.q]), e.q),
                total(e.W[e.q, e.p] * e.f_prime(e.z[e.q]) * Partial(e.L, e.a[e.q]), e.q),
            ),
        ),
        (
            "activations_and_losses.LOGIT_DERIVATION",
            lambda e: e._logit(Partial(softplus(e.z) - e.y * e.z, e.z), -e.y + sigmoid(e.z)),
        ),
        (
            "softmax_cross_entropy.TEMPERATURE",
            lambda e: e._warm(e._CHAIN, -e.y[e.q] / e.tau + e.p[e.q] / e.tau),
        ),
        (
            "hidden_layers.INDUCTION",
            lambda e: e._down(e._THROUGH_F, hadamard(e.f_prime(e.Z), Grad(e.L, e.Z_up) * e.W.T)),
        ),
        (
            "delta_recursion.SKIP_DERIVATION",
            lambda e: e._skip(
                e.W.T * Grad(e.L, e.z) + Grad(e.L, e.a),
                e.W.T * hadamard(e.f_prime(e.z), Grad(e.L, e.a)) + Grad(e.L, e.a),
            ),
        ),
        ("conventions.BIAS_IN_COLUMNS", lambda e: e._bias(e._CHAIN, total(e.R[e.q, e.i] / e.m, e.i))),
    ],
)
def test_an_end_that_is_written_in_another_order_is_as_right(name, way_there):
    feedback = EXERCISES[name].feedback(way_there(MODULES[name.partition(".")[0]]))
    assert feedback.passed, feedback.message


# -- the derivation whose answer is a definition -----------------------------------------------------------------------


def bound(step, u, size, second):
    """The error of a one-sided difference: of rounding, and of the curvature."""
    return 2 * u * size / step + step / 2 * second


def test_the_best_step_is_where_the_bound_is_lowest_and_the_wrong_ones_are_wrong_as_they_say():
    e, exercise = MODULES["gradient_checking"], EXERCISES["gradient_checking.BEST_STEP"]
    answers = of_each_mistake(exercise, {name: wrong.answer for name, wrong in exercise.wrong.items()})
    world = World(np.random.default_rng(0))
    step, *rest = (world.value(x) for x in (e.step, e.u, e.size, e.second))
    assert np.isclose(world.value(e.BOUND), bound(step, *rest))
    best = world.value(exercise.reference().let[e.step].body)
    assert bound(best, *rest) < min(bound(best * 1.001, *rest), bound(best / 1.001, *rest))
    for mistake, wrong in {"the factor forgotten": best / 2, "squared, not rooted": best**2}.items():
        assert np.isclose(world.value(inspect.getclosurevars(answers[mistake]).nonlocals["value"]), wrong)
        with pytest.raises(Refused, match=r"step 1 is refused.*\n.*\n.*right: 0\n"):
            answers[mistake]()
    slope = central_difference(lambda step: bound(step, *rest), step)
    assert np.isclose(world.value(answers["the slope, but no step"]().result), slope, rtol=1e-7)
    elsewhere = answers["the wrong start"]()
    assert elsewhere.start == e.BOUND
    assert np.isclose(world.value(elsewhere.result), bound(best, *rest))


# -- the judge of a way ------------------------------------------------------------------------------------------------

X, Y = scalars("x y")


def ends_elsewhere(derivation):
    return "" if derivation.result == Y + X else ", to no end"


@pytest.mark.parametrize(
    ("unfinished", "answer", "words"),
    [
        (None, lambda: "x", "Return the Derivation itself, not str."),
        (None, lambda: Derivation(X * Y), "Every step holds, but start from x + y."),
        (None, lambda: Derivation(X + Y), "Nothing is derived yet. Add a step."),
        (None, lambda: Derivation(X + Y).then(X - Y, because="a try"), "A step of yours is refused. step 1 is refused"),
        (ends_elsewhere, lambda: Derivation(X + Y).then(X + Y, because="a try"), "Every step holds, to no end"),
        (ends_elsewhere, lambda: Derivation(X + Y).then(Y + X, because="a try"), "Every step is established"),
        (None, lambda: Derivation(X + Y).then(Y + X, because="a try"), "Every step is established"),
    ],
)
def test_one_step_is_a_way_where_no_steps_are_asked_for(unfinished, answer, words):
    feedback = way(X + Y, "x + y", unfinished=unfinished)(answer)
    assert feedback.message.startswith(words)
    assert feedback.passed == (words == "Every step is established")


def test_a_way_that_shows_its_steps_must_still_reach_the_goal():
    judge = way(X + Y, "x + y", steps="this, then that", goal=X - Y)
    answer = Derivation(X + Y).then(Y + X, because="a try").then(Y + X + 0, because="a try")
    assert judge(lambda: answer).message.startswith("Every step holds, but the last one is not the goal yet. step 3 is")
    assert (
        judge(lambda: Derivation(X + Y)).message == "Nothing is derived yet. Take at least two steps: this, then that."
    )
