"""The answers of the exercises of chapters 9 to 14: a reference is right, and a mistake is the one that its words name.

A check holds an answer against the reference and against the mistakes. So both are held against something else here:
cases worked out by hand, and another road, such as the package's own functions, automatic derivatives, or counting.
"""

import inspect
import itertools
import math
from typing import NamedTuple

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from corpus.answers import PRACTICE, exercises_of

from backprop import data_parallel, initializers, losses, optimizers, reverse_mode, training
from backprop.activations import ACTIVATIONS, log_softmax
from backprop.conventions import Pass, to_note
from backprop.exercises import real_bugs
from backprop.forward_mode import jvp
from backprop.metering import metered
from backprop.network import MLP

EXERCISES = exercises_of(PRACTICE)
# Derivations, and weights that are drawn: see test_answers_practice_ways.
DRAWN = ["initialization.HE_UNIFORM", "initialization.REPAIRED_WEIGHTS"]
DERIVED = [name for name, e in EXERCISES.items() if e.judge.__qualname__.startswith("derives.")]
ELSEWHERE = {*DRAWN, *DERIVED}


def mistake(name, words):
    """The wrong answer that has these words in its name, or in the sentence that the check says."""
    (found,) = (key for key in EXERCISES[name].wrong if words in key)
    return EXERCISES[name].wrong[found].answer


def given_by_the_judge(name):
    """The arguments that the check of an exercise tries."""
    known = inspect.getclosurevars(EXERCISES[name].judge).nonlocals
    return known.get("cases") or [known["inputs"](np.random.default_rng(seed)) for seed in known["seeds"]]


def assert_same(found, expected, rtol=1e-12):
    if any(isinstance(part, str) for part in (expected if isinstance(expected, tuple) else [expected])):
        assert found == expected
    else:
        assert np.shape(found) == np.shape(expected)
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=1e-12)


# -- cases worked out by hand ------------------------------------------------------------------------------------------


class Worked(NamedTuple):
    """Arguments, the right answer, and what each mistake makes of them; a mistake is called by words of its name."""

    at: dict
    right: object
    wrong: dict[str, object]


def arrays(**values):
    return {name: np.array(value, float) if isinstance(value, list) else value for name, value in values.items()}


LN3, ROOT_E = math.log(3), math.exp(0.5)

# What was drawn is seen from the factor: "right" 1, "variance as std" 2/n, "std as variance" √(n/2), "2 forgotten" 1/2,
# "half-width as std" 3. Beside it, what each mistake says: by the size alone, and with the first two exchanged.
FACTORS = [
    # n, factor; right; by the size alone; exchanged
    (512, 0.94, "right", "right", "right"),
    (512, 15.1, "std as variance", "std as variance", "variance as std"),  # √256 = 16
    (200, 0.0104, "variance as std", "variance as std", "std as variance"),  # 2/200 = 0.01
    (200, 0.47, "2 forgotten", "2 forgotten", "2 forgotten"),
    (800, 3.2, "half-width as std", "std as variance", "half-width as std"),
    (50, 0.037, "variance as std", "variance as std", "std as variance"),  # 2/50 = 0.04
    (50, 5.3, "std as variance", "std as variance", "variance as std"),  # √25 = 5
]

WORKED = {
    # A layer multiplies by 64/16/2 = 2, and from the first to the third there are two layers.
    "initialization.AFTER_LAYERS": [
        Worked(
            {"n": 64, "std": 0.25, "layers": 3},
            4.0,
            {"half is missing": 4.0**2, "standard deviation": 8.0**2, "one step too many": 2.0**3},
        )
    ],
    "initialization.WHICH_MISTAKE": [
        Worked(
            {"n": n, "factor": factor},
            right,
            {"calls everything right": "right", "looks at the size": by_size, "exchanged": exchanged},
        )
        for n, factor, right, by_size, exchanged in FACTORS
    ],
    # Down from 8 units to 3 and from 3 to 4: 8/3 · 3/4. Through the first layer, too: · 4/6.
    "initialization.GRADIENT_FACTOR": [
        Worked(
            {"widths": [6, 4, 3, 8]},
            2.0,
            {"goes through the first layer": 8 / 6, "upside down": 0.5, "forward He's rule": 1.0},
        )
    ],
    "real_bugs.THREE_FAULTS": [
        Worked({}, "mrs", {"no transpose": "trs", "mask on the wrong array": "mos", "A and C are exchanged": "srm"})
    ],
    "real_bugs.BACK_THROUGH": [
        Worked(
            arrays(dA=[[1, 2, 3, 4]], Z=[[2, -1, 3, 0.5]], keep=[[1, 1, 0, 1]]),
            [[2, 0, 0, 8]],
            {
                "as published": [[1, 2, 0, 4]],  # dA where keep is 1
                "mask of the activation": [[2, 4, 0, 8]],
                "2 forgotten": [[1, 0, 0, 4]],
                "wrong way round": [[0, 4, 0, 0]],
                "relu for its slope": [[4, 0, 0, 4]],  # 2 · 1 · 2 and 2 · 4 · 0.5
            },
        )
    ],
    # At a floor of ln 7, seven classes are equally likely. The right answer solves floor = ln(e + K − 1) − 1.
    "real_bugs.FLOOR": [
        Worked({"floor": math.log(math.e + 6) - 1}, 7, {"other classes": 6}),
        Worked({"floor": math.log(7)}, round(7 * math.e - math.e + 1), {"equally likely": 7}),
        Worked({"floor": math.log(math.e + 6)}, round((math.e + 6) * math.e - math.e + 1), {"1 is missing": 7}),
    ],
    # In the average a token of the short part weighs 1/2 · 1/2, one of the long part 1/2 · 1/6; right is 1/8.
    "real_bugs.WEIGHT": [
        Worked({"short": 2, "long": 6}, 3.0, {"upside down": 1 / 3, "difference": 4.0, "compares with the right": 2.0})
    ],
    # delta Wᵀ = (1·3 + 2·4, 1·5 + 2·6) = (11, 17); the slopes are 1 − s² = (3/4, 1), and those of s_next (15/16, 3/4).
    "real_bugs.DELTA_BEFORE": [
        Worked(
            arrays(delta=[[1, 2]], W=[[3, 4], [5, 6]], s=[[0.5, 0]], s_next=[[0.25, 0.5]]),
            [[8.25, 17]],
            {
                "as published": [[2.75, 8.5]],  # times s_next
                "state for its slope": [[5.5, 0]],
                "slope of the next step": [[10.3125, 12.75]],
                "no slope": [[11, 17]],
                "transpose lost": [[9.75, 16]],  # delta W = (1·3 + 2·5, 1·4 + 2·6) = (13, 16)
            },
        )
    ],
    # X w = (3, 6), the differences from t are (2, 2), and 2/2 (1·2 + 2·2) = 6. From the mean target they are (½, 3½).
    "real_bugs.LINE": [
        Worked(
            arrays(X=[[1], [2]], w=[[3]], t=[1, 4]),
            [[6]],
            {
                "as published": [[7.5]],  # 1·½ + 2·3½
                "n differences for each sample": [[12, 3]],  # 1·(2, −1) + 2·(5, 2)
                "a row": [6],
                "mean forgotten": [[12]],
            },
        )
    ],
    # Batches of 4, 4 and 2 in every epoch. Run on, 30 samples would make 8.
    "training.UPDATES": [
        Worked(
            {"m": 10, "batch_size": 4, "epochs": 3},
            9,
            {"left over": 6, "run on": 8, "step for every sample": 30, "step for every epoch": 3},
        )
    ],
    # The new velocity is 4/4 + 2 = 3.
    "training.MOMENTUM_STEP": [
        Worked(
            arrays(theta=[[1]], g=[[2]], v=[[4]], eta=0.5, mu=0.25),
            [[1 - 1.5]],
            {
                "velocity of before": [[1 - 2]],
                "gradient descent": [[1 - 1]],
                "enters with 1 − μ": [[1 - 0.5 * (1 + 1.5)]],
                "uphill": [[1 + 1.5]],
                "change of θ": [[-1.5]],
            },
        )
    ],
    # The sums of the weights are 1 − 0.64 = 0.36 and 1 − 0.36 = 0.64, so that the means are 1 and 4, and the root is 2.
    "training.ADAM_CHANGE": [
        Worked(
            arrays(mean=[[0.36]], square=[[2.56]], t=2, eta=5, beta1=0.8, beta2=0.6, epsilon=2.25),
            [[-5 / 4.25]],
            {
                "as they are": [[-5 * 0.36 / (1.6 + 2.25)]],
                "its own β": [[-5 / (1.6 / 0.6 + 2.25)]],  # both divided by 0.36, the root of which is 0.6
                "one step less": [[-5 * 0.36 / 0.2 / (math.sqrt(2.56 / 0.4) + 2.25)]],
                "not by its root": [[-5 / (4 + 2.25)]],
                "under the root": [[-5 / 2.5]],  # √(4 + 2.25)
                "uphill": [[5 / 4.25]],
            },
        )
    ],
    "training.THEIR_RATE": [
        Worked(
            {"eta": 0.5, "m": 4},
            2.0,
            {"same rate": 0.5, "shorter still": 0.125, "once for every layer": 8.0, "2 of the square": 4.0},
        )
    ],
    # Only the first unit is active, at 1. Both samples have the logits ln 3 and 0, so P = (¾, ¼), and P − Y is
    # ∓(¼, −¼) and (¾, −¾). Back through the weights (ln 3, 0) come −¼ ln 3 and ¾ ln 3: the mean is ¼ ln 3, and the step
    # twice that. The new weights are (ln 3, 0) − (½, −½): back through them come −¼ ln 3 + ¼ and ¾ ln 3 − ¾.
    "training.REPAIRED_STEP": [
        Worked(
            arrays(X=[[1], [1]], W1=[[1, -1]], b1=[0, 0], W2=[[LN3, 0], [5, 7]], b2=[0, 0], Y=[[1, 0], [0, 1]], eta=2),
            [[1 - LN3 / 2, -1]],
            {
                "Both faults": [[1 - (LN3 - 1), -1]],
                "order is right": [[1 - LN3, -1]],
                "length is right": [[1 - (LN3 - 1) / 2, -1]],
                "no step": [[1, -1]],
                "climbs": [[1 + LN3 / 2, -1]],
            },
        )
    ],
    # The layers have 2 and 8 weights: a step has 3 · 10 multiplications a sample, 10 of them forward.
    "speed.SAVED_SHARE": [
        Worked(
            {"sizes": (1, 2, 4)},
            2 / 30,
            {"of the forward": 2 / 10, "of what is left": 2 / 28, "in all layers": 10 / 30, "of the backward": 2 / 20},
        )
    ],
    # The columns of exp Z are (1, 1, 2) and (2, 1, 1): the probabilities are quarters and halves.
    "speed.COLUMNS_GRADIENT": [
        Worked(
            {"Z": np.log([[1.0, 2], [1, 1], [2, 1]]), "y": np.array([2, 0])},
            [[1 / 8, -1 / 4], [1 / 8, 1 / 8], [-1 / 4, 1 / 8]],
            {
                "labels are missing": [[1 / 8, 1 / 4], [1 / 8, 1 / 8], [1 / 4, 1 / 8]],
                "in no later line": [[1 / 4, -1 / 2], [1 / 4, 1 / 4], [-1 / 2, 1 / 4]],
                # Row by row, exp Z gives thirds and halves.
                "1 over the samples": [[1 / 6, -1 / 6], [1 / 4, 1 / 4], [-1 / 6, 1 / 6]],
                "whole rows": [[-3 / 8, -1 / 4], [1 / 8, 1 / 8], [-1 / 4, -3 / 8]],
            },
        )
    ],
    "speed.MASKED": [
        Worked(
            arrays(dA=[[1, 2, 3]], A=[[2, 0, 0.5]]),
            [[1, 0, 3]],
            {
                "mask of float64": [[1, 0, 3]],
                "always float64": [[1, 0, 3]],
                "everything through": [[1, 2, 3]],
                "value of ReLU": [[2, 0, 1.5]],
            },
        )
    ],
    # 5 · 3 + 4 · 2 = 23 parameters, 18 of them weights; 3 hidden units.
    "speed.KEPT_NUMBERS": [
        Worked(
            {"sizes": (4, 3, 2), "m": 5},
            2 * 23 + 5 * 3,
            {
                "gradients are missing": 23 + 5 * 3,
                "biases are missing": 2 * 18 + 5 * 3,
                "gradients for every sample": 23 + 5 * 23 + 5 * 3,
                "activations of one sample": 2 * 23 + 3,
            },
        )
    ],
    # Only the first hidden unit is active, at 1 and 2. Back through its weight 3 come 3 and −3, and 1·3 − 2·3 = −3. Its
    # weight changes by −½ (1 − 2) = ½, and back through 3½ it is −3½.
    "speed.REPAIRED_STEP": [
        Worked(
            arrays(X=[[1], [2]], W1=[[1, -1]], W2=[[3], [4]], D2=[[1], [-1]], eta=0.5),
            [[1 + 0.5 * 3, -1]],
            {
                "Both faults": [[1 + 0.25 * 3.5, -1]],
                "rate is right": [[1 + 0.5 * 3.5, -1]],
                "order is right": [[1 + 0.25 * 3, -1]],
                "climbs": [[1 - 0.5 * 3, -1]],
                "no step": [[1, -1]],
            },
        )
    ],
    # Right is 1/8 for every sample; one of the two gets ½ · ½, and one of the six ½ · 1/6.
    "data_parallel.TIMES_TOO_MUCH": [
        Worked(
            {"sizes": [2, 6], "r": 0},
            2.0,
            {
                "largest shard": 3.0,
                "upside down": 0.5,
                "weight which the sample gets": 0.25,
                "number of shards is missing": 4.0,
            },
        )
    ],
    # One sample and three: (1 + 3·4)/4 and (10 − 3·2)/4.
    "data_parallel.JOINED": [
        Worked(
            arrays(gradients=[[1, 10], [4, -2]], sizes=[1, 3]),
            [3.25, 1],
            {
                "average of averages": [2.5, 4],
                "the wrong way round": [1.75, 7],  # three quarters of the first, one of the second
                "the sum": [13, 4],
                "average of weighted shares": [1.625, 0.5],
                "not added": [[0.25, 2.5], [3, -1.5]],
            },
        )
    ],
    # 3 · 3 parameters, 6 of them weights.
    "data_parallel.BYTES_OF_A_STEP": [
        Worked(
            {"sizes": [2, 3], "workers": 4},
            2 * 4 * 8 * 9,
            {"one way": 4 * 8 * 9, "one worker": 2 * 8 * 9, "numbers": 2 * 4 * 9, "biases": 2 * 4 * 8 * 6},
        )
    ],
    # One token and three: (1 + 3·5)/4 and (2 − 3·2)/4.
    "data_parallel.REPAIRED_ACCUMULATION": [
        Worked(
            arrays(losses_and_slopes=[[1, 2], [5, -2]], counts=[[1, 0, 0], [1, 1, 1]]),
            [4, -1],
            {
                "as found": [3, 0],
                "padding counted": [3, 0],  # three places in each row
                "not divided": [16, -4],
                "padded size": [16 / 6, -4 / 6],
            },
        )
    ],
    # Along paths 2 + 4 + 8 + 16 shares.
    "reverse_mode.VISITS": [
        Worked(
            {"k": 4},
            (8, 30),
            {"two operands": (4, 30), "last visits": (8, 16), "as cheap": (8, 8), "as dear": (30, 30)},
        )
    ],
    # Both probabilities are ½, and v adds up to 4, to 2, and to 6 in both rows. Below, it adds up to −1.
    "reverse_mode.LOG_SOFTMAX_VJP": [
        Worked(
            arrays(v=[[1, 3], [2, 0]], c=[[-math.log(2)] * 2] * 2),
            [[-1, 1], [1, -1]],
            {
                "sums to −1": [[1.5, 3.5], [2.5, 0.5]],
                "entry by entry": [[0.5, 1.5], [1, 0]],
                "whole batch": [[-2, 0], [-1, -3]],
                "taken for a probability": [[1 - 4 * ROOT_E, 3 - 4 * ROOT_E], [2 - 2 * ROOT_E, -2 * ROOT_E]],
            },
        ),
        Worked(arrays(v=[[-1, 0]], c=[[-math.log(2)] * 2]), [[-0.5, 0.5]], {"sums to −1": [[-0.5, 0.5]]}),
    ],
    "reverse_mode.SCALE_GRADIENT": [
        Worked(
            arrays(dC=[[1, 2], [3, 4]], A=[[5, 6], [7, 8]], s=[10, 20]),
            [5 + 21, 12 + 32],
            {
                "not gathered": [[5, 12], [21, 32]],
                "averaged": [13, 22],
                "takes the place of A": [10 + 30, 40 + 80],
                "rule of a sum": [1 + 3, 2 + 4],
            },
        )
    ],
    # Number 1 was made of 0 twice, 2 of 1 and 0, 3 of 2 and 1: they get 11, 13 + 5·11 = 68 and 7·11 + 5·68 = 417.
    "reverse_mode.REPAIRED_SWEEP": [
        Worked(
            {"operands": np.array([[0, 0], [0, 0], [1, 0], [2, 1]]), "slopes": [[0, 0], [2, 3], [5, 7], [11, 13]]},
            [417, 68, 11, 1],
            {
                "from the front": [0, 13, 11, 1],
                "as found": [0, 13, 11, 1],
                # Number 1 keeps 5·11 alone, and 0 what it is sent last: 0 by itself, a variable.
                "replaces the earlier": [0, 55, 11, 1],
                # Number 1 sends (2 + 3)·55, and then (2 + 3)·68 again, though only 13 have come.
                "running total": [5 * 55 + 77 + 5 * 68, 68, 11, 1],
            },
        ),
        # Two shares at once: together, or the later one alone.
        Worked(
            {"operands": np.array([[0, 0], [0, 0]]), "slopes": [[0, 0], [2, 3]]},
            [5, 1],
            {"from the front": [5, 1], "as found": [3, 1]},
        ),
    ],
    "reverse_mode.CHEAPEST_SWEEPS": [
        Worked(
            {"n_in": n_in, "n_out": n_out},
            (mode, fewest),
            {
                "always goes backward": ("reverse", n_out),
                "one row or one column": (mode, 1),
                "exchanged": (other, fewest),
                "more than one entry": (mode, entries),
            },
        )
        for n_in, n_out, mode, other, fewest, entries in [
            (3, 7, "forward", "reverse", 3, 21),
            (5, 2, "reverse", "forward", 2, 10),
        ]
    ],
}
CASES = [
    pytest.param(name, case, id=f"{name}{k or ''}") for name, cases in WORKED.items() for k, case in enumerate(cases)
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_reference_gives_what_is_worked_out_by_hand(name, case):
    assert_same(EXERCISES[name].reference(**case.at), case.right)


@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_mistake_gives_what_its_words_say(name, case):
    for words, expected in case.wrong.items():
        assert_same(mistake(name, words)(**case.at), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("words", "always_wide"), [("mask of float64", True), ("always float64", True), (None, False)])
def test_a_masked_gradient_has_the_type_that_its_words_say(words, always_wide, dtype):
    answer = mistake("speed.MASKED", words) if words else EXERCISES["speed.MASKED"].reference
    masked = answer(dA=np.ones(3, dtype), A=np.ones(3, dtype))
    assert masked.dtype == (np.float64 if always_wide else dtype)


# -- other roads to the references -------------------------------------------------------------------------------------


def spread_over_all_signs(n, std, layers):
    """E[z²] of the last layer by that of the first, over all weights ±std; one number goes in, one comes out."""
    shapes = [(1, n), *[(n, n)] * (layers - 2), (n, 1)]
    count = sum(a * b for a, b in shapes)
    signs = 1.0 - 2 * (np.arange(2**count)[:, np.newaxis] >> np.arange(count) & 1)
    a, moments = np.ones((2**count, 1)), []
    for n_in, n_out in shapes:
        W, signs = std * signs[:, : n_in * n_out].reshape(-1, n_in, n_out), signs[:, n_in * n_out :]
        z = np.einsum("bi,bij->bj", a, W)
        a = np.maximum(z, 0)
        moments.append(np.mean(z**2))
    return moments[-1] / moments[0]


def measured_gradient(widths, networks=400):
    """E[dz²] of layer 1 by that of the last, over many networks of He's rule."""
    rng = np.random.default_rng(0)
    first = last = 0.0
    for _ in range(networks):
        weights = MLP.initialize(widths, rng).weights
        Z = [rng.normal(size=(5, widths[0])) @ weights[0]]
        for W in weights[1:]:
            Z.append(np.maximum(Z[-1], 0) @ W)
        dz = rng.normal(size=Z[-1].shape)
        last += np.mean(dz**2)
        for W, z in zip(weights[:0:-1], Z[-2::-1], strict=True):
            dz = dz @ W.T * (z > 0)
        first += np.mean(dz**2)
    return first / last


def drawn_by(n, factor):
    """Whose weights of n inputs multiply E[z²] by this factor, within 10 %: measured on weights that are so drawn."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(2000, n))
    draw = {
        "right": initializers.he_normal(n, n, rng),
        "variance as std": rng.normal(0, 2 / n, (n, n)),
        "std as variance": rng.normal(0, (2 / n) ** 0.25, (n, n)),
        "2 forgotten": initializers.lecun_normal(n, n, rng),
        "half-width as std": rng.normal(0, (6 / n) ** 0.5, (n, n)),
    }
    factors = {name: np.mean((np.maximum(z, 0) @ W) ** 2) / np.mean(z**2) for name, W in draw.items()}
    (found,) = (name for name, seen in factors.items() if abs(factor / seen - 1) < 0.15)
    return found


def letters():
    """What happened to A, B and C, each as the page describes it."""
    right, described = real_bugs.RIGHT, ""
    for found in real_bugs.FOUND.values():
        lost = ~found.any(axis=1)
        faults = {
            "t": np.array_equal(found.T, right),
            "m": np.array_equal(4 * found, right),  # a batch of four
            "r": lost.any() and np.array_equal(found[~lost], right[~lost]),
            "s": np.array_equal(found, right @ np.ones((3, 3))),
        }
        described += "".join(letter for letter, happened in faults.items() if happened)
    return described


def slope_of(loss, wrt, **at):
    """The derivative of a scalar with respect to one of its arguments, by HIPS autograd."""
    return autograd.grad(lambda value: loss(**{**at, wrt: value}))(at[wrt])


def through_dropout(dA, Z, keep):
    return slope_of(lambda Z: anp.sum(dA * (anp.maximum(Z, 0) * keep * 2)), "Z", Z=Z)


def classes_at_the_floor(floor):
    """How many classes there are if probabilities of 1 and 0, taken for logits, cost that much."""
    return next(K for K in range(2, 1001) if abs(-log_softmax(np.eye(1, K))[0, 0] - floor) < 1e-9)


def token_weights(short, long):
    def average(tokens):
        return (anp.mean(tokens[:short]) + anp.mean(tokens[short:])) / 2

    weights = autograd.grad(average)(np.zeros(short + long))
    return weights[0] / weights[-1]


def one_step_back(delta, W, s, s_next):
    return slope_of(lambda z: anp.sum(delta * (anp.tanh(z) @ W)), "z", z=np.arctanh(s))


def line(X, w, t):
    network = MLP([w], [np.zeros(1)], loss="mean_squared_error")
    return network.loss_and_gradients(X, t[:, np.newaxis])[1].dW[0]


def steps_taken(m, batch_size, epochs):
    rng = np.random.default_rng(0)
    start, data = MLP.initialize([1, 2], rng), (np.ones((m, 1)), np.zeros(m, int))
    run = training.fit(start, *data, optimizers.GradientDescent(0.1), epochs=epochs, batch_size=batch_size, rng=rng)
    return len(run.history.loss)


def change_by(optimizer, state, theta, g):
    """The parameters after a step of an optimizer, for a network of one layer whose biases stand still."""
    still = np.zeros(theta.shape[1])
    gradients = data_parallel.Part(1, 0.0, [g], [still])
    after, _ = optimizer.step(MLP([theta], [still], loss="mean_squared_error"), gradients, state(still))
    return after.weights[0]


def momentum(theta, g, v, eta, mu):
    return change_by(optimizers.Momentum(eta, mu), lambda still: (v, still), theta, g)


def adam(mean, square, t, eta, beta1, beta2, epsilon):
    # The means before a gradient of 0 that makes these of them.
    optimizer = optimizers.Adam(eta, beta1, beta2, epsilon)
    before = optimizers.AdamState
    return change_by(
        optimizer,
        lambda still: before(t - 1, (mean / beta1, still), (square / beta2, still)),
        np.zeros_like(mean),
        np.zeros_like(mean),
    )


def rate_of_note_002(eta, m):
    rng = np.random.default_rng(0)
    network = MLP.initialize([3, 4, 2], rng, activations=["relu", "identity"], loss="mean_squared_error")
    true = Pass.of(network, rng.normal(size=(m, 3)), rng.normal(size=(m, 2)))
    theirs = to_note("002-mse", true)
    rates = [eta * np.linalg.norm(g) / np.linalg.norm(h) for g, h in zip(true.dW, theirs.dW, strict=True)]
    np.testing.assert_allclose(rates[0], rates[1])  # one rate serves both layers
    return rates[0]


def step_of_the_network(X, W1, b1, W2, b2, Y, eta):
    network, descent = MLP([W1, W2], [b1, b2]), optimizers.GradientDescent(eta)
    after, _ = descent.step(network, network.loss_and_gradients(X, Y)[1], descent.init(network))
    return after.weights[0]


def metered_share(sizes):
    """Multiplications counted inside a linear network's matrix products, with the gradient of X and without."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5, sizes[0]))
    counts = []
    for inputs in (reverse_mode.variable(X), X):
        with metered() as reading:
            out = inputs
            for shape in itertools.pairwise(sizes):
                out = out @ reverse_mode.variable(rng.normal(size=shape))
            reverse_mode.backward(reverse_mode.total(out))
        counts.append(reading.multiplications)
    return (counts[0] - counts[1]) / counts[0]


def in_columns(Z, y):
    return losses.softmax_cross_entropy(Z.T, y)[1].T


def back_through_relu(dA, A):
    return ACTIVATIONS["relu"].backward(dA, A, A)


def numbers_in_arrays(sizes, m):
    rng = np.random.default_rng(0)
    network = MLP.initialize(sizes, rng)
    X, Y = rng.normal(size=(m, sizes[0])), np.zeros(m, int)
    _, gradients = network.loss_and_gradients(X, Y)
    hidden = network.forward(X).A[:-1]
    return sum(a.size for a in [*network.weights, *network.biases, *gradients.dW, *gradients.db, *hidden])


def step_of_the_graph(X, W1, W2, D2, eta):
    first, second = reverse_mode.variable(W1), reverse_mode.variable(W2)
    return W1 - eta * reverse_mode.backward(reverse_mode.relu(X @ first) @ second, D2)[first]


def counts_too_much(sizes, r):
    start, m = sum(sizes[:r]), sum(sizes)

    def average(samples):
        parts = np.split(np.arange(m), np.cumsum(sizes)[:-1])
        return sum(anp.mean(samples[part]) for part in parts) / len(sizes)

    return autograd.grad(average)(np.zeros(m))[start] / autograd.grad(anp.mean)(np.zeros(m))[start]


def joined_by_the_package(gradients, sizes):
    parts = [data_parallel.Part(int(m), 0.0, [g], [g]) for m, g in zip(sizes, gradients, strict=True)]
    return data_parallel.weighted_mean(parts).dW[0]


def bytes_in_arrays(sizes, workers):
    network = MLP.initialize(sizes, np.random.default_rng(0))
    part = data_parallel.part_of(network, (np.zeros((1, sizes[0])), np.zeros(1, int)), [0])
    one = sum(a.nbytes for a in [*network.weights, *network.biases, *part.dW, *part.db])
    return sum(one for _ in range(workers))


def mean_over_tokens(losses_and_slopes, counts):
    """Give every token the numbers of its row, and average over the tokens, one by one."""
    rows, _ = np.nonzero(counts)
    return losses_and_slopes[rows].mean(axis=0)


def counted_shares(k):
    out = reverse_mode.variable(1.0)
    for _ in range(k):
        out = out + out

    def along_paths(node):
        return sum(1 + along_paths(parent) for parent, _ in reverse_mode.shares(node, 1.0))

    return sum(len(list(reverse_mode.shares(node, 1.0))) for node in reverse_mode.tape(out)), along_paths(out)


def log_softmax_by_the_tape(v, c):
    # A softmax does not see that a whole row is moved.
    A = reverse_mode.variable(c + np.arange(len(c))[:, np.newaxis])
    return reverse_mode.backward(reverse_mode.log_softmax(A), v)[A]


def scaled(dC, A, s):
    return slope_of(lambda s: anp.sum(dC * (A * s)), "s", s=s)


def swept_by_the_package(operands, slopes):
    """The same tape in nodes; a number that the last one does not depend on gets no gradient."""
    nodes = []
    for (i, j), (at_i, at_j) in zip(operands, slopes, strict=True):
        nodes.append(nodes[i] * at_i + nodes[j] * at_j if at_i or at_j else reverse_mode.variable(1.0))
    gradients = reverse_mode.backward(nodes[-1])
    return [float(gradients.get(node, 0.0)) for node in nodes]


def whole_jacobian(n_in, n_out):
    """Both modes' sweeps until the Jacobian is whole, counted."""
    W = np.random.default_rng(0).normal(size=(n_in, n_out))
    forward = [jvp(lambda x: x @ W, [np.zeros((1, n_in))], [e[np.newaxis]])[1] for e in np.eye(n_in)]
    x = reverse_mode.variable(np.zeros((1, n_in)))
    backward = [reverse_mode.backward(x @ W, e[np.newaxis])[x] for e in np.eye(n_out)]
    np.testing.assert_allclose(np.concatenate(forward), np.concatenate(backward).T)
    return ("forward", len(forward)) if len(forward) < len(backward) else ("reverse", len(backward))


# A function that finds the same on another road; where no arguments are given, it is asked about those of the check.
ROADS = {
    "initialization.AFTER_LAYERS": (
        spread_over_all_signs,
        [{"n": 3, "std": 0.5, "layers": 3}, {"n": 5, "std": 0.7, "layers": 2}],
    ),
    "initialization.WHICH_MISTAKE": (drawn_by, None),
    "initialization.GRADIENT_FACTOR": (measured_gradient, [{"widths": [10, 40, 20, 80]}]),
    "real_bugs.THREE_FAULTS": (letters, None),
    "real_bugs.BACK_THROUGH": (through_dropout, None),
    "real_bugs.FLOOR": (classes_at_the_floor, None),
    "real_bugs.WEIGHT": (token_weights, None),
    "real_bugs.DELTA_BEFORE": (one_step_back, None),
    "real_bugs.LINE": (line, None),
    "training.UPDATES": (steps_taken, None),
    "training.MOMENTUM_STEP": (momentum, None),
    "training.ADAM_CHANGE": (adam, None),
    "training.THEIR_RATE": (rate_of_note_002, None),
    "training.REPAIRED_STEP": (step_of_the_network, None),
    "speed.SAVED_SHARE": (metered_share, None),
    "speed.COLUMNS_GRADIENT": (in_columns, None),
    "speed.MASKED": (
        back_through_relu,
        [arrays(dA=[[1, -2, 3], [4, 5, -6]], A=[[0, 2, 0.1], [3, 0, 1]])],
    ),
    "speed.KEPT_NUMBERS": (numbers_in_arrays, None),
    "speed.REPAIRED_STEP": (step_of_the_graph, None),
    "data_parallel.TIMES_TOO_MUCH": (counts_too_much, None),
    "data_parallel.JOINED": (joined_by_the_package, None),
    "data_parallel.BYTES_OF_A_STEP": (bytes_in_arrays, None),
    "data_parallel.REPAIRED_ACCUMULATION": (mean_over_tokens, None),
    "reverse_mode.VISITS": (counted_shares, None),
    "reverse_mode.LOG_SOFTMAX_VJP": (log_softmax_by_the_tape, None),
    "reverse_mode.SCALE_GRADIENT": (scaled, None),
    "reverse_mode.REPAIRED_SWEEP": (swept_by_the_package, None),
    "reverse_mode.CHEAPEST_SWEEPS": (
        whole_jacobian,
        [{"n_in": 1, "n_out": 5}, {"n_in": 3, "n_out": 7}, {"n_in": 7, "n_out": 3}],
    ),
}


@pytest.mark.parametrize("name", ROADS)
def test_a_reference_agrees_with_another_road(name):
    road, arguments = ROADS[name]
    for at in arguments or given_by_the_judge(name):
        # What is measured is off by a few per cent.
        rtol = 0.05 if road is measured_gradient else 1e-12
        assert_same(EXERCISES[name].reference(**at), road(**at), rtol)


@pytest.mark.parametrize("case", given_by_the_judge("initialization.WHICH_MISTAKE"), ids=str)
def test_a_factor_that_was_measured_has_at_most_the_noise_that_the_page_promises(case):
    factors = {"right": 1, "2 forgotten": 1 / 2, "half-width as std": 3, "variance as std": 2 / case["n"]}
    factors["std as variance"] = math.sqrt(case["n"] / 2)
    assert abs(case["factor"] / factors[EXERCISES["initialization.WHICH_MISTAKE"].reference(**case)] - 1) < 0.1


@pytest.mark.parametrize("name", [name for name in WORKED if EXERCISES[name].judge.__qualname__.startswith("recalls.")])
def test_a_lucky_guess_is_tried_in_cases_that_all_differ(name):
    cases = given_by_the_judge(name)
    assert len({str(case) for case in cases}) == len(cases)


# -- nothing is left out -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(set(EXERCISES) - ELSEWHERE))
def test_every_exercise_and_every_mistake_is_held_against_something_here(name):
    words = [w for case in WORKED[name] for w in case.wrong]
    assert {mistake(name, w) for w in words} == {wrong.answer for wrong in EXERCISES[name].wrong.values()}
    assert name in ROADS
