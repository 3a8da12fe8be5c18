"""Weights that are drawn, derivations, and programs that a page shows, in the exercises of chapters 9 to 14.

Beside test_answers_practice. A wrong way is refused at the step that is wrong, and for nothing else; a program that is
mended only in part is the mistake that the check names.
"""

import itertools
import json
import math
import re
from pathlib import Path
from statistics import NormalDist
from typing import NamedTuple

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from corpus.answers import as_found
from test_answers_practice import DERIVED, DRAWN, EXERCISES, assert_same, given_by_the_judge, mistake

from backprop import initializers, reverse_mode
from backprop.exercises import real_bugs
from backprop.network import MLP
from backprop.symbolic import Derivation, Refused, evaluate, text

BOOK = Path(__file__).resolve().parents[1] / "book"

# -- weights that are drawn --------------------------------------------------------------------------------------------

N_IN, N_OUT = 600, 150


class Uniform(NamedTuple):
    low: float
    high: float

    def inv_cdf(self, share):
        return self.low + share * (self.high - self.low)


# √(6/600) = 0.1 and √(6/150) = 0.2. A half-width of √(2/600) is 0.1/√3, and one of √(3/600) is 0.1/√2.
HE_UNIFORM = {
    None: Uniform(-0.1, 0.1),
    "standard deviation as half-width": Uniform(-0.1 / math.sqrt(3), 0.1 / math.sqrt(3)),
    "from 0 on": Uniform(0, 0.1),
    "a normal distribution": NormalDist(0, 0.1 / math.sqrt(3)),
    "half-width as standard deviation": NormalDist(0, 0.1),
    "fan-out": Uniform(-0.2, 0.2),
    "LeCun's": Uniform(-0.1 / math.sqrt(2), 0.1 / math.sqrt(2)),
    "a seed of its own": Uniform(-0.1, 0.1),
    "turned round": Uniform(-0.1, 0.1),
}


@pytest.mark.parametrize("words", HE_UNIFORM)
def test_he_s_uniform_rule_is_drawn_from_the_distribution_that_its_words_say(words):
    name, distribution = "initialization.HE_UNIFORM", HE_UNIFORM[words]
    answer = mistake(name, words) if words else EXERCISES[name].reference
    W = answer(N_IN, N_OUT, np.random.default_rng(2))
    assert W.shape == ((N_OUT, N_IN) if words == "turned round" else (N_IN, N_OUT))
    shares = [0.1, 0.25, 0.5, 0.75, 0.9]
    expected = [distribution.inv_cdf(share) for share in shares]
    # Five standard errors of a quantile of 90 000 numbers are about 1 % of the width.
    np.testing.assert_allclose(np.quantile(W, shares), expected, atol=0.012 * (expected[-1] - expected[0]))
    if isinstance(distribution, Uniform):
        assert W.min() > distribution.low
        assert W.max() < distribution.high
    again = answer(N_IN, N_OUT, np.random.default_rng(3))
    assert np.array_equal(W, again) == (words == "a seed of its own")


def test_he_s_uniform_rule_is_glorot_s_for_half_the_inputs_and_as_many_outputs():
    drawn = EXERCISES["initialization.HE_UNIFORM"].reference(N_IN, N_OUT, np.random.default_rng(0))
    glorots = initializers.glorot_uniform(N_IN // 2, N_IN // 2, np.random.default_rng(0))
    np.testing.assert_allclose(drawn.ravel(), glorots.ravel(), rtol=1e-12)


def one_seed_a_layer(rng):
    while True:
        yield np.random.default_rng(0)


def one_for_all(rng):
    return itertools.repeat(rng)


def seed_0_for_all(rng):
    return itertools.repeat(np.random.default_rng(0))


SIZES = [8, 8, 32, 50]
HE = [0.5, 0.5, 0.25]  # √(2/8) and √(2/32)
BY_N_OUT = [2 / 8, 2 / 32, 2 / 50]
REPAIRED_WEIGHTS = {
    None: (one_for_all, HE),
    "as found": (one_seed_a_layer, BY_N_OUT),
    "the seed repaired": (one_for_all, BY_N_OUT),
    "the root missing": (one_for_all, [0.25, 0.25, 0.0625]),
    "the width missing": (one_for_all, [0.5, 0.25, 0.2]),
    "the seed missing": (one_seed_a_layer, HE),
    "another seed, outside": (seed_0_for_all, HE),
    "the 2 missing": (one_for_all, [8**-0.5, 8**-0.5, 32**-0.5]),
    "three times the variance": (one_for_all, [0.75**0.5, 0.75**0.5, 0.1875**0.5]),
    "transposed": (one_for_all, HE),
}


@pytest.mark.parametrize("words", REPAIRED_WEIGHTS)
def test_weights_of_all_layers_are_drawn_as_their_words_say(words):
    name, (generators, stds) = "initialization.REPAIRED_WEIGHTS", REPAIRED_WEIGHTS[words]
    answer = mistake(name, words) if words else EXERCISES[name].reference
    found = answer(SIZES, np.random.default_rng(5))
    layers = zip(stds, generators(np.random.default_rng(5)), itertools.pairwise(SIZES), strict=False)
    expected = [std * rng.standard_normal(shape) for std, rng, shape in layers]
    for W, V in zip(found, expected, strict=True):
        assert_same(W, V.T if words == "transposed" else V)


def test_repaired_weights_are_those_of_the_package_s_network():
    found = EXERCISES["initialization.REPAIRED_WEIGHTS"].reference(SIZES, np.random.default_rng(5))
    for W, V in zip(found, MLP.initialize(SIZES, np.random.default_rng(5)).weights, strict=True):
        assert_same(W, V)


STOPS = {
    "initialization.HE_UNIFORM": ("no size", {"n_in": 6, "n_out": 2}),
    "initialization.REPAIRED_WEIGHTS": ("no list", {"sizes": [6, 2]}),
}


@pytest.mark.parametrize("name", STOPS)
def test_a_program_that_stops_is_an_answer_too(name):
    words, at = STOPS[name]
    with pytest.raises((TypeError, IndexError, ValueError)):
        mistake(name, words)(**at, rng=np.random.default_rng(0))


def evenly(shape, half_width, centre=0.0):
    """Every part of the interval as often as every other, in a random order that the generator draws."""

    def answer(n_in, n_out, rng):
        return rng.permutation(np.linspace(-half_width, half_width, n_in * n_out)).reshape(shape) + centre

    return answer


@pytest.mark.parametrize("errors", [-6, -5.05, -4.95, 4.95, 5.05, 6])
def test_the_mean_and_the_variance_may_be_off_by_five_standard_errors(errors):
    # The judge draws (400, 300). The variance of U[−c, c] is c²/3, and that of its square c⁴/5 − c⁴/9 = 4c⁴/45.
    shape, c = (400, 300), math.sqrt(6 / 400)
    N = math.prod(shape)
    of_mean, of_square = c / math.sqrt(3 * N), math.sqrt(4 / 45 / N) * 3  # the second as a multiple of c²/3
    judged = EXERCISES["initialization.HE_UNIFORM"].feedback
    assert ("mean is not 0" in judged(evenly(shape, c, errors * of_mean)).message) == (abs(errors) > 5)
    answer = evenly(shape, c * math.sqrt(1 + errors * of_square))
    assert bool(re.match(r"The variance is \d", judged(answer).message)) == (abs(errors) > 5)


@pytest.mark.parametrize(("factor", "passed"), [(0.974, False), (0.976, True), (1.024, True), (1.026, False)])
@pytest.mark.parametrize("layer", range(4))
def test_every_layer_s_standard_deviation_may_be_off_by_five_standard_errors(layer, factor, passed):
    def answer(sizes, rng):
        weights = [rng.normal(size=shape) for shape in itertools.pairwise(sizes)]
        return [W / W.std() * (2 / len(W)) ** 0.5 * (factor if k == layer else 1) for k, W in enumerate(weights)]

    feedback = EXERCISES["initialization.REPAIRED_WEIGHTS"].feedback(answer)
    assert feedback.passed == passed
    if not passed:
        shown = ", ".join(re.findall(r"→ \d+: (\d+(?:\.\d+)?)", feedback.message))
        assert shown == ", ".join(f"{factor if k == layer else 1:.3g}" for k in range(4))


# -- derivations -------------------------------------------------------------------------------------------------------


class Way(NamedTuple):
    """What a derivation says, line by line as the engine writes it, and at which step, if any, it is refused."""

    lines: list[str]
    refused: int | None = None


LEAKY = "∫_(-c)^c (relu(x) − lam relu(-x))² / (2 c) dx"
SPLIT = "∫_0^c x² / (2 c) dx + lam² ∫_(-c)^0 x² / (2 c) dx"
DOWN = "η ((∂L/∂Z Wᵀ) ⊙ f′(Z_below))"
MEANS = "(m_1 ∂L_1/∂θ + m_2 ∂L_2/∂θ) / (m_1 + m_2)"

MEANINGS = {
    "initialization.LEAKY": {},
    "real_bugs.CONTEXT": {"h": "𝟏ᵀ V / C"},
    "training.BIAS": {"mean": "(1 − β^t) g"},
    "speed.RATE": {"A": "f(Z_below)", "Z": "A W + 𝟏 b"},
    "data_parallel.SHARDS_DERIVATION": {
        "L_1": "Σ_i F(θ, s[i]) / m_1",
        "L_2": "Σ_j F(θ, t[j]) / m_2",
        "L": "(Σ_i F(θ, s[i]) + Σ_j F(θ, t[j])) / (m_1 + m_2)",
    },
    "reverse_mode.RULE_DERIVATION": {"C": "A Bᵀ"},
}

WAYS = {
    "initialization.LEAKY": {
        None: Way([LEAKY, SPLIT, "(1 + lam²) c² / 6"]),
        "leak not squared": Way([LEAKY, "∫_0^c x² / (2 c) dx + lam ∫_(-c)^0 x² / (2 c) dx"], refused=1),
        "leak subtracted": Way([LEAKY, "∫_0^c x² / (2 c) dx − lam² ∫_(-c)^0 x² / (2 c) dx"], refused=1),
        "in one leap": Way([LEAKY, "(1 + lam²) c² / 6"]),
        "half way": Way([LEAKY, SPLIT, "(∫_0^c x² / (2 c) dx) (1 + lam²)"]),
        "result alone": Way(["(1 + lam²) c² / 6"]),
    },
    "real_bugs.CONTEXT": {
        None: Way(["∂L/∂V[c,q]", "∂L/∂h[q] ∂h[q]/∂V[c,q]", "∂L/∂h[q] / C"]),
        "as word2vec has it": Way(["∂L/∂V[c,q]", "∂L/∂h[q]"], refused=1),
        "divided twice": Way(["∂L/∂V[c,q]", "∂L/∂h[q] / C²"], refused=1),
        "no step": Way(["∂L/∂V[c,q]"]),
        "the whole matrix": Way(["∂L/∂V"]),
        "stopped on the way": Way(["∂L/∂V[c,q]", "∂L/∂h[q] ∂h[q]/∂V[c,q]"]),
    },
    "training.BIAS": {
        None: Way(["β mean + (1 − β) g", "β (1 − β^t) g + (1 − β) g", "(1 − β^(t + 1)) g"]),
        "as if nothing were missing": Way(["β mean + (1 − β) g", "g"], refused=1),
        "one step behind": Way(["β mean + (1 − β) g", "(1 − β^t) g"], refused=1),
        "half way": Way(["β mean + (1 − β) g", "β (1 − β^t) g + (1 − β) g"]),
        "another start": Way(["(1 − β^(t + 1)) g", "(1 − β^t β) g"]),
    },
    "speed.RATE": {
        None: Way(["η ∂L/∂Z_below", DOWN, "(η ∂L/∂Z Wᵀ) ⊙ f′(Z_below)"]),
        "inside the slope": Way(["η ∂L/∂Z_below", DOWN, "(∂L/∂Z Wᵀ) ⊙ f′(η Z_below)"], refused=2),
        "the rate twice": Way(["η ∂L/∂Z_below", DOWN, "η ((η ∂L/∂Z Wᵀ) ⊙ f′(Z_below))"], refused=2),
        "in one leap": Way(["η ∂L/∂Z_below", "(η ∂L/∂Z Wᵀ) ⊙ f′(Z_below)"]),
        "half way": Way(["η ∂L/∂Z_below", DOWN, "η (f′(Z_below) ⊙ (∂L/∂Z Wᵀ))"]),
    },
    "data_parallel.SHARDS_DERIVATION": {
        None: Way(["∂L/∂θ", "(∂(m_1 L_1)/∂θ + ∂(m_2 L_2)/∂θ) / (m_1 + m_2)", MEANS]),
        "the average": Way(["∂L/∂θ", "(∂L_1/∂θ + ∂L_2/∂θ) / 2"], refused=1),
        "sizes exchanged": Way(["∂L/∂θ", "(m_2 ∂L_1/∂θ + m_1 ∂L_2/∂θ) / (m_1 + m_2)"], refused=1),
        "in one leap": Way(["∂L/∂θ", MEANS]),
        "nothing gained": Way(["∂L/∂θ", "2 ∂L/∂θ / 2", "3 ∂L/∂θ / 3"]),
        "another start": Way(["∂L_1/∂θ", "∂L_1/∂θ"]),
    },
    "reverse_mode.RULE_DERIVATION": {
        None: Way(["∂L/∂B", "(Aᵀ V)ᵀ", "Vᵀ A"]),
        "in one leap": Way(["∂L/∂B", "Vᵀ A"]),
        "other operand's rule": Way(["∂L/∂B", "(Aᵀ V)ᵀ", "(Bᵀ Vᵀ)ᵀ"], refused=2),
        "divided by the batch": Way(["∂L/∂B", "(Aᵀ V)ᵀ", "Vᵀ A / m"], refused=2),
        "a derivative left": Way(["∂L/∂B", "(Aᵀ V)ᵀ", "∂L/∂Cᵀ A"]),
        "wrong start": Way(["∂L/∂A", "V B", "V B + 0 V B"]),
    },
}


@pytest.mark.parametrize(
    ("name", "words"), [pytest.param(n, w, id=f"{n}: {w or 'reference'}") for n, ways in WAYS.items() for w in ways]
)
def test_a_derivation_goes_the_way_that_its_words_say(name, words):
    answer, way = mistake(name, words) if words else EXERCISES[name].reference, WAYS[name][words]
    if way.refused:
        with pytest.raises(Refused) as refused:
            answer()
        # A refusal holds the step that failed, and what it started from.
        assert refused.value.step == way.refused == len(way.lines) - 1
        assert [text(refused.value.left), text(refused.value.right)] == way.lines[-2:]
    elif isinstance(derived := answer(), Derivation):
        assert [text(e) for e in (derived.start, *(step.expression for step in derived.steps))] == way.lines
    else:
        assert [text(derived)] == way.lines


@pytest.mark.parametrize("name", MEANINGS)
def test_a_derivation_starts_from_the_meanings_that_the_page_gives(name):
    derived = EXERCISES[name].reference()
    assert {str(symbol): text(meaning.body) for symbol, meaning in derived.let.items()} == MEANINGS[name]


def test_a_leaky_relu_leaves_what_is_derived():
    c, lam, n = 3.0, 0.5, 200_000
    middles = -c + 2 * c * (np.arange(n) + 0.5) / n
    derived = EXERCISES["initialization.LEAKY"].reference()
    mean = np.mean(np.where(middles > 0, middles, lam * middles) ** 2)
    assert_same(evaluate(derived, {"c": c, "lam": lam}), mean, rtol=1e-8)


def test_the_gradient_of_a_row_s_entry_is_a_c_th_of_that_of_the_mean():
    V = np.random.default_rng(0).normal(size=(4, 3))
    h = V.mean(axis=0)
    (meaning,) = real_bugs.MEAN.values()
    assert_same(evaluate(meaning, {"V": V}), h[np.newaxis])
    of_h = autograd.grad(lambda h: anp.sum(h**3))(h)
    assert_same(autograd.grad(lambda V: anp.sum(anp.mean(V, axis=0) ** 3))(V), np.tile(of_h / 4, (4, 1)))


def test_a_running_mean_of_equal_gradients_is_what_is_derived():
    beta, g, t, mean = 0.8, 5.0, 3, 0.0
    for _ in range(t + 1):
        mean = beta * mean + (1 - beta) * g
    assert_same(evaluate(EXERCISES["training.BIAS"].reference(), {"beta": beta, "g": g, "t": t}), mean)


def test_the_rule_of_a_product_with_a_transpose_is_the_tape_s():
    A, B, V = (np.random.default_rng(k).normal(size=shape) for k, shape in enumerate([(2, 4), (3, 4), (2, 3)]))
    b = reverse_mode.variable(B)
    derived = EXERCISES["reverse_mode.RULE_DERIVATION"].reference()
    assert_same(evaluate(derived, {"A": A, "V": V}), reverse_mode.backward(A @ b.T, V)[b])


# -- programs as found on the pages ------------------------------------------------------------------------------------

SEED = ("        rng = np.random.default_rng(0)\n", "")
ROOT, WIDTH = ("2 / n_out", "np.sqrt(2 / n_out)"), ("2 / n_out", "2 / n_in")
LATER, MEAN = ("W2 = W2 - eta", "W3 = W2 - eta"), ("eta * X.T @ dZ1", "eta * X.T @ dZ1 / len(X)")
KEPT, ONCE = ("W2 = W2 - A1.T @ D2", "W3 = W2 - A1.T @ D2"), ("W1 - eta * X.T", "W1 - X.T")
BACKWARD, ADDED = ("in range(len(operands))", "in reversed(range(len(operands)))"), ("gradient[j] =", "gradient[j] +=")
TOKENS = [
    ("row / len(losses_and_slopes)", "row * tokens[k] / sum(tokens)"),
    ("for row in losses_and_slopes", "tokens = counts.sum(axis=1)\n    for k, row in enumerate(losses_and_slopes)"),
]

# The page's program with these repairs is the mistake that has these words in its name; or it is right.
FOUND = [
    ("initialization.REPAIRED_WEIGHTS", [], "as found"),
    ("initialization.REPAIRED_WEIGHTS", [SEED], "the seed repaired"),
    ("initialization.REPAIRED_WEIGHTS", [SEED, WIDTH], "the root missing"),
    ("initialization.REPAIRED_WEIGHTS", [SEED, ROOT], "the width missing"),
    ("initialization.REPAIRED_WEIGHTS", [ROOT, WIDTH], "the seed missing"),
    ("initialization.REPAIRED_WEIGHTS", [SEED, ROOT, WIDTH], None),
    ("training.REPAIRED_STEP", [], "Both faults"),
    ("training.REPAIRED_STEP", [LATER], "order is right"),
    ("training.REPAIRED_STEP", [MEAN], "length is right"),
    ("training.REPAIRED_STEP", [LATER, MEAN], None),
    ("speed.REPAIRED_STEP", [], "Both faults"),
    ("speed.REPAIRED_STEP", [KEPT], "order is right"),
    ("speed.REPAIRED_STEP", [ONCE], "rate is right"),
    ("speed.REPAIRED_STEP", [KEPT, ONCE], None),
    ("data_parallel.REPAIRED_ACCUMULATION", [], "as found"),
    ("data_parallel.REPAIRED_ACCUMULATION", TOKENS, None),
    ("reverse_mode.REPAIRED_SWEEP", [], "as found"),
    ("reverse_mode.REPAIRED_SWEEP", [BACKWARD], "replaces the earlier"),
    ("reverse_mode.REPAIRED_SWEEP", [ADDED], "from the front"),
    ("reverse_mode.REPAIRED_SWEEP", [BACKWARD, ADDED], None),
]


@pytest.mark.parametrize(("name", "repairs", "words"), FOUND)
def test_a_page_s_program_half_repaired_is_the_mistake_that_is_named(name, repairs, words):
    program = as_found(EXERCISES[name], repairs)
    answer = mistake(name, words) if words else EXERCISES[name].reference
    if name == "initialization.REPAIRED_WEIGHTS":
        for W, V in zip(*(f(SIZES, np.random.default_rng(5)) for f in (program, answer)), strict=True):
            assert_same(W, V)
    else:
        for at in given_by_the_judge(name):
            assert_same(program(**at), answer(**at))
    assert EXERCISES[name].feedback(program) == EXERCISES[name].feedback(answer)


def test_the_tutorial_s_line_on_the_page_is_the_mistake_as_published():
    cells = json.loads((BOOK / "10_real_bugs.ipynb").read_text(encoding="utf-8"))["cells"]
    assert any("`dZ = dA * (A >= 0) * keep`" in "".join(cell["source"]) for cell in cells)
    for at in given_by_the_judge("real_bugs.BACK_THROUGH"):
        A = np.maximum(at["Z"], 0) * at["keep"] * 2
        assert_same(mistake("real_bugs.BACK_THROUGH", "as published")(**at), at["dA"] * (A >= 0) * at["keep"])


# -- nothing is left out -----------------------------------------------------------------------------------------------

TABLES = {"initialization.HE_UNIFORM": HE_UNIFORM, "initialization.REPAIRED_WEIGHTS": REPAIRED_WEIGHTS, **WAYS}


@pytest.mark.parametrize("name", [*DRAWN, *DERIVED])
def test_every_mistake_is_held_against_what_its_words_say(name):
    words = [w for w in [*TABLES[name], *STOPS.get(name, [])[:1]] if w]
    assert {mistake(name, w) for w in words} == {wrong.answer for wrong in EXERCISES[name].wrong.values()}
