"""What chapters 1 to 8 call the right number or word is right, and the wrong ones are wrong in the way they say.

The right ones are counted by a program that does what the exercise speaks of; all of them are worked out by hand, too.
"""

import inspect
import itertools

import autograd
import numpy as np
import pytest
from corpus.answers import GRADIENTS, exercises_of, modules_of, of_each_mistake

from backprop.activations import sigmoid_derivative, softmax
from backprop.gradcheck import central_difference, complex_step, directional_check, relative_error
from backprop.layers import linear_backward, linear_forward
from backprop.losses import mean_squared_error, softmax_cross_entropy
from backprop.network import MLP

MODULES, EXERCISES = modules_of(GRADIENTS), exercises_of(GRADIENTS)
RECALLED = {}


def recalled(name, *by_hand):
    """Register a function of an answer's arguments that returns the truth, and cases that were worked out by hand.

    A case is the arguments, the truth, and what each mistake answers.
    """

    def register(road):
        RECALLED[name] = (road, by_hand)

    return register


@recalled(
    "linear_layer.ENTRIES_MOVED",
    # Row i of Z: 4 entries. Z has 5 · 4.
    ({"m": 5, "n_in": 3, "n_out": 4}, 4, {"one for every sample": 5, "one for every input": 3, "all of Z": 20}),
)
def _(m, n_in, n_out):
    rng = np.random.default_rng(0)
    X, W, b = rng.normal(size=(m, n_in)), rng.normal(size=(n_in, n_out)), np.zeros(n_out)
    moved = X.copy()
    moved[1, 2] += 1
    return np.count_nonzero(linear_forward(X, W, b) != linear_forward(moved, W, b))


@recalled(
    "matrix_form.PATHS",
    # 3 + 5 and 2 · 3 · 5
    ({"n_in": 2, "n_1": 3, "n_2": 5}, 15, {"These are added": 8, "the last layer's units": 5, "from all inputs": 30}),
)
def _(n_in, n_1, n_2):
    # The product of adjacency matrices counts the walks.
    return (np.ones((n_in, n_1)) @ np.ones((n_1, n_2)) @ np.ones((n_2, 1)))[0, 0]


@recalled(
    "matrix_form.DEPTH_UNTIL",
    # 0.75¹⁶ = 0.01002 and 0.75¹⁷ = 0.0075. 1/4³ = 0.0156 and 1/4⁴ = 0.0039. 3⁻⁴ = 1/81 = 0.0123 and 3⁻⁵ = 0.0041: the
    # smallest k with 3ᵏ below it does not exist, and the formula says the first one above on the way down.
    (
        {"norm": 3.0, "tolerance": 0.01},
        17,
        {"One too few": 16, "The weights are missing": 4, "The slopes are missing": -4},
    ),
)
def _(norm, tolerance):
    bound, layers = 1.0, 0
    while bound >= tolerance:
        bound, layers = bound * norm * sigmoid_derivative(0), layers + 1
    return layers


@recalled(
    "activations_and_losses.LIBRARY_LOSS",
    # 6/3, 6/5, 6/15, 6 · 3, 6/2
    (
        {"loss": 6.0, "m": 5, "n_out": 3},
        2.0,
        {"Over the samples": 1.2, "Divided by every size": 0.4, "Multiplied": 18.0, "the half of note 004": 3.0},
    ),
)
def _(loss, m, n_out):
    error = np.random.default_rng(0).normal(size=(m, n_out))
    error *= np.sqrt(loss / mean_squared_error(error, 0 * error)[0])
    return np.mean(error**2)


@recalled(
    "softmax_cross_entropy.MEAN_PROBABILITY",
    # 6/8, 1/8, 6/64
    (
        {"n": 6, "m": 8},
        0.75,
        {"the sum over the samples": 6, "one sample's share": 0.125, "A mean of 1": 1, "Divided by m twice": 0.09375},
    ),
)
def _(n, m):
    # Two classes, and no inputs: bisect for the bias at which its gradient is zero.
    Y, low, high = np.repeat(np.eye(2), [n, m - n], axis=0), -30.0, 30.0
    for _ in range(80):
        b = (low + high) / 2
        _, dZ = softmax_cross_entropy(np.tile([b, 0.0], (m, 1)), Y)
        low, high = (low, b) if dZ.sum(axis=0)[0] > 0 else (b, high)
    return softmax([[b, 0.0]])[0, 0]


@recalled(
    "softmax_cross_entropy.TRAVELLING_FACTOR",
    # 6/2⁴, 6/2, 6/2³, (6/2)⁴
    (
        {"c": 6, "kappa": 0.5, "N": 4},
        0.375,
        {"the factor of the theorem": 3, "with which dZ arrives": 0.75, "at every layer": 81, "the start alone": 6},
    ),
)
def _(c, kappa, N):
    rng = np.random.default_rng(0)
    A, W = rng.normal(size=(N, 4, 3)), rng.normal(size=(N, 3, 3))
    true = rng.normal(size=(4, 3))
    arrived = c * true
    for l in reversed(range(N)):
        right, its_own = linear_backward(true, A[l], W[l]), linear_backward(arrived, A[l], W[l])
        true, arrived = right.dX, kappa * its_own.dX
    return np.median(kappa * its_own.dW / right.dW)


@recalled(
    "hidden_layers.NONZERO_ENTRIES",
    # 2 · 4 entries of z by 2 · 3 of W are 48; A has 3 · 4; W has 2 · 3
    (
        {"n_out": 2, "n_in": 3, "m": 4},
        24,
        {"all entries": 48, "as many as A has": 12, "as many as W has": 6},
    ),
)
def _(n_out, n_in, m):
    A = np.random.default_rng(0).normal(size=(n_in, m))
    return np.count_nonzero(autograd.jacobian(lambda W: W @ A)(np.ones((n_out, n_in))))


@recalled(
    "hidden_layers.ZERO_GRADIENTS",
    # Layers 1, 2, 3 and 4 of 6: below 3 are 2.
    ({"N": 6, "d": 3}, 4, {"One is missing": 3, "These are the layers below": 2, "all of them": 6}),
)
def _(N, d):
    # All else is positive, so that no other unit is dead.
    rng = np.random.default_rng(0)
    biases = [np.full(3, -1e6 if layer == d else 1.0) for layer in range(1, N + 1)]
    network = MLP(rng.uniform(1, 2, size=(N, 3, 3)), biases, loss="mean_squared_error")
    _, gradients = network.loss_and_gradients(rng.uniform(1, 2, size=(4, 3)), np.zeros((4, 3)))
    return sum(not dW.any() for dW in gradients.dW)


@recalled(
    "delta_recursion.DELTA_LENGTH",
    # sizes[1], sizes[2], sizes[3], and 5 · 4
    (
        {"sizes": [7, 5, 4, 2], "c": 2},
        5,
        {"the usual delta": 4, "the layer above": 2, "how many weights": 20},
    ),
)
def _(sizes, c):
    network = MLP(
        list(map(np.ones, itertools.pairwise(sizes))), list(map(np.ones, sizes[1:])), loss="mean_squared_error"
    )
    _, gradients = network.loss_and_gradients(np.ones((1, sizes[0])), np.ones((1, sizes[-1])))
    return [gradients.dX, *gradients.dA][c - 1].size


@recalled(
    "delta_recursion.CHECK_COST",
    # 2 · 3 + 3 · 2 = 12 weights and 3 + 2 = 5 biases; a pass is 4 · 12 = 48. 2 · 17 · 48, 17 · 48, 2 · 12 · 48,
    # 2 · 17 · 12, and 2 · 48.
    (
        {"sizes": [2, 3, 2], "m": 4},
        1632,
        {"one pass for each parameter": 816, "The biases": 1152, "for one sample": 408, "a backward pass costs": 96},
    ),
)
def _(sizes, m):
    weights, biases = [np.ones(shape) for shape in itertools.pairwise(sizes)], [np.ones(n) for n in sizes[1:]]
    count = 0

    def loss(_):
        nonlocal count
        count += sum(1 for W in weights for _ in itertools.product(range(m), *map(range, W.shape)))
        return 0.0

    for parameter in weights + biases:
        central_difference(loss, parameter)
    return count


# By the ratios: what doubles, what is divided.
KINDS = {"true gradients": (1, 0), "per sample": (0, 1), "divided twice": (1, 1), "sum": (0, 0)}


@recalled(
    "conventions.WHAT_KIND",
    *(
        ({"dW_ratio": dW, "dZ_ratio": dZ}, truth, dict(zip(("dW alone", "a true dZ", "never said"), said, strict=True)))
        for dW, dZ, truth, *said in (
            (1.0, 0.5, "true gradients", "true gradients", "per sample", "true gradients"),
            (1.0, 1.0, "per sample", "true gradients", "true gradients", "per sample"),
            (0.5, 0.5, "divided twice", "divided twice", "per sample", "divided twice"),
            (2.0, 1.0, "sum", "sum", "true gradients", "divided twice"),
        )
    ),
)
def _(dW_ratio, dZ_ratio):
    X, T, W = (np.random.default_rng(0).normal(size=size) for size in ((4, 3), (4, 2), (3, 2)))
    found = []
    for kind, (in_dZ, in_dW) in KINDS.items():

        def run(X, T, in_dZ=in_dZ, in_dW=in_dW):
            dZ = 2 * (X @ W - T) / len(X) ** in_dZ
            return X.T @ dZ / len(X) ** in_dW, dZ[0]

        once, twice = run(X, T), run(np.repeat(X, 2, axis=0), np.repeat(T, 2, axis=0))
        if all(np.allclose(b, r * a) for a, b, r in zip(once, twice, (dW_ratio, dZ_ratio), strict=True)):
            found.append(kind)
    return "".join(found)


@recalled(
    "gradient_checking.EVALUATIONS",
    # 17 + 1, 2 · 17, 17, 10; and 10 · 17
    *(
        (
            {"method": method, "size": 17},
            truth,
            dict.fromkeys(("on both sides", "once is enough", "is missing", "moves all entries"), truth) | said,
        )
        for method, truth, said in (
            ("forward", 18, {"once is enough": 34, "is missing": 17}),
            ("centred", 34, {"on both sides": 17}),
            ("complex", 17, {}),
            ("ten directions", 10, {"moves all entries": 170}),
        )
    ),
)
def _(method, size):
    count, theta = 0, np.zeros(size)

    def loss(theta):
        nonlocal count
        count += 1
        return theta.sum()

    if method == "forward":
        at_theta = loss(theta)
        for step in np.eye(size):
            _ = loss(theta + step) - at_theta
    elif method == "ten directions":
        directional_check(loss, np.ones(size), theta, np.random.default_rng(0), method="complex")
    else:
        {"centred": central_difference, "complex": complex_step}[method](loss, theta)
    return count


@recalled(
    "gradient_checking.ONE_SIGN",
    # Of 100 entries of size 1: the difference is 2, each length 10. 2/20, 1/100, 2/10, and 4/200.
    (
        {"count": 100},
        0.1,
        {"the share of wrong": 0.01, "Only one length": 0.2, "every sign is wrong": 1.0, "the roots are missing": 0.02},
    ),
)
def _(count):
    right = np.full(count, 3.0)
    return relative_error(np.where(np.arange(count) == 1, -right, right), right)


# The entry, the slopes below and above; the verdict; and what is said by comparing with the mean of both slopes, by
# excusing every number at a kink, and by looking above only.
VERDICTS = {
    (0.5, 0.5, 0.5): ("right", "right", "right", "right"),
    (0.7, 0.5, 0.5): ("bug", "bug", "bug", "bug"),
    (0.9, 0.5, 0.9): ("kink", "bug", "kink", "kink"),
    (0.5, 0.5, 0.9): ("kink", "bug", "kink", "bug"),
    (0.8, 0.5, 0.9): ("bug", "bug", "kink", "bug"),
    (0.7, 0.5, 0.9): ("bug", "right", "kink", "bug"),
    # Equal is what differs by less than a thousandth.
    (0.5004, 0.5, 0.4998): ("right", "right", "right", "right"),
    (0.5012, 0.5, 0.5): ("bug", "bug", "bug", "bug"),
    (0.5, 0.5, 0.5012): ("kink", "right", "kink", "bug"),
}


@recalled(
    "gradient_checking.KINK_OR_BUG",
    *(
        (
            dict(zip(("analytic", "below", "above"), numbers, strict=True)),
            truth,
            dict(zip(("the mean of the two slopes", "excuses every number", "one side only"), said, strict=True)),
        )
        for numbers, (truth, *said) in VERDICTS.items()
    ),
)
def _(analytic, below, above):
    return VERDICTS[analytic, below, above][0]


def same(value, expected):
    """Equal, numbers up to rounding."""
    return value == (expected if isinstance(expected, str) else pytest.approx(expected, rel=1e-9))


@pytest.mark.parametrize("name", RECALLED)
def test_a_reference_answers_what_another_road_does(name):
    road, by_hand = RECALLED[name]
    cases = inspect.getclosurevars(EXERCISES[name].judge).nonlocals["cases"]
    for case in [*cases, *(case for case, *_ in by_hand)]:
        assert same(EXERCISES[name].reference(**case), road(**case)), case


@pytest.mark.parametrize("name", RECALLED)
def test_an_answer_and_its_mistakes_are_what_they_are_by_hand(name):
    for case, truth, said in RECALLED[name][1]:
        assert same(EXERCISES[name].reference(**case), truth), case
        for mistake, value in of_each_mistake(EXERCISES[name], said).items():
            assert same(EXERCISES[name].wrong[mistake].answer(**case), value), (mistake, case)


# -- the search for the wrong entry ------------------------------------------------------------------------------------


def culprit(answer, wrong):
    """What an answer says of a gradient with one wrong entry, and how often it evaluates the loss."""
    theta, count = np.random.default_rng(wrong).normal(size=64), 0

    def loss(theta):
        nonlocal count
        count += 1
        return float(np.sum(np.cos(theta)))

    slopes = -np.sin(theta)
    slopes[wrong] += 0.5
    return answer(loss, slopes, theta), count, slopes


@pytest.mark.parametrize("wrong", range(64))
def test_the_wrong_entry_is_found_and_missed_as_it_is_said(wrong):
    exercise = EXERCISES["gradient_checking.WRONG_ENTRY"]
    answers = of_each_mistake(exercise, {name: each.answer for name, each in exercise.wrong.items()})
    assert culprit(exercise.reference, wrong)[:2] == (wrong, 12)  # 64 is 2⁶, and a slope takes two
    assert culprit(answers["one entry after the other"], wrong)[:2] == (wrong, 2 * (wrong + 1))
    # In the half without the culprit every sum is right, and the search ends at the first entry of what it holds.
    assert culprit(answers["into the wrong half"], wrong)[:2] == (32 if wrong < 32 else 0, 12)
    largest, count, slopes = culprit(answers["the largest entry"], wrong)
    assert (abs(slopes[largest]), count) == (abs(slopes).max(), 0)
    assert culprit(answers["one slope for all"], wrong)[1] == 1


def test_every_exercise_that_asks_for_a_value_is_here():
    recalled = {name for name, e in EXERCISES.items() if e.judge.__qualname__.startswith("recalls.")}
    assert recalled == {*RECALLED}
