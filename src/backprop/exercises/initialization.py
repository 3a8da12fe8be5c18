"""Exercises of chapter 9: initialisation."""

import itertools
import math

import numpy as np

from backprop.course import Exercise, Wrong, named, recalls
from backprop.course.exercise import Feedback
from backprop.exercises._derivations import tries, way
from backprop.symbolic import Derivation, Integral, relu, scalars, symbol
from backprop.symbolic.expressions import subexpressions

# -- 1. recall: many layers --------------------------------------------------------------------------------------------


def after_layers(n, std, layers):
    """E[z²] of the last of these ReLU layers, divided by that of the first."""
    return ...


def after_layers_solution(n, std, layers):
    # One layer: n Var(w) from the weights, one half from ReLU. Between `layers` layers there are layers − 1 steps.
    return (n * std**2 / 2) ** (layers - 1)


AFTER_LAYERS_MISTAKES = {
    "The half is missing that ReLU lets through.": lambda n, std, layers: (n * std**2) ** (layers - 1),
    "That is the standard deviation, where the variance belongs.": lambda n, std, layers: (n * std / 2) ** (layers - 1),
    "That is one step too many: count the steps from the first layer to the last.": lambda n, std, layers: (
        (n * std**2 / 2) ** layers
    ),
}

AFTER_LAYERS = Exercise(
    id="init-after-layers",
    stub=after_layers,
    reference=after_layers_solution,
    judge=recalls(
        after_layers_solution,
        cases=[{"n": 50, "std": 0.25, "layers": 3}, {"n": 200, "std": 0.05, "layers": 6}],
        mistakes=AFTER_LAYERS_MISTAKES,
    ),
    wrong=named(AFTER_LAYERS_MISTAKES),
)

# -- 2. implement: He's rule from a uniform distribution ---------------------------------------------------------------


def he_uniform(n_in, n_out, rng):
    """W ~ U[−c, c] with variance 2/n_in, shape (n_in, n_out)."""
    return ...


def he_uniform_solution(n_in, n_out, rng):
    # Var U[−c, c] = c²/3, and c²/3 = 2/n_in.
    c = np.sqrt(6 / n_in)
    return rng.uniform(-c, c, (n_in, n_out))


def _judge_he_uniform(answer):
    a, b = 400, 300
    W, trouble = _drawn(answer, a, b, np.random.default_rng(0))
    if trouble:
        return trouble
    c = math.sqrt(6 / a)
    # The standard error of the mean of squares of a uniform sample is √(4/(5N)): five of them are 1.3 % here.
    within = 5 * math.sqrt(0.8 / W.size)
    ratio = float(np.mean(W**2)) * a / 2
    if abs(W.mean()) > 5 * c / math.sqrt(3 * W.size):
        return Feedback(False, "The mean is not 0: the interval must lie evenly about it.")
    if abs(ratio - 1) > within:
        known = {
            1 / 3: "This is the variance that a half-width of √(2/n_in) gives.",
            a / b: "That is the number of outputs. The forward pass sums over inputs.",
            3: "The half-width is √6/√n_in; did a normal distribution get it as its standard deviation?",
            1 / 2: "That is LeCun's variance, without the 2.",
        }
        hint = next((words for value, words in known.items() if abs(ratio / value - 1) < within), "")
        return Feedback(False, f"The variance is {ratio:.2f} times 2/n_in. {hint}".rstrip())
    if np.abs(W).max() > c:
        return Feedback(False, "The variance is right, but some entries lie outside of [−c, c]: this is not uniform.")
    again = np.random.default_rng(0)
    if np.array_equal(answer(a, b, again), answer(a, b, again)):
        return Feedback(False, "Two draws from the same rng are equal. Draw from the rng that is handed in.")
    return Feedback(True, "Mean, variance and half-width are right, within five standard errors.")


def _drawn(answer, n_in, n_out, rng):
    """The matrix that an initialiser draws, or the feedback that says why it is none."""
    try:
        W = answer(n_in, n_out, rng)
    except Exception as error:
        return None, Feedback(False, f"Your function stopped with {type(error).__name__}: {error}.")
    if W is None or W is ...:
        return None, Feedback(False, "Nothing written yet. Replace the … by your answer and run the check again.")
    if np.shape(W) != (n_in, n_out):
        return None, Feedback(False, f"The shape is {np.shape(W)}, expected (n_in, n_out) = ({n_in}, {n_out}).")
    return np.asarray(W), None


HE_UNIFORM = Exercise(
    id="init-he-uniform",
    stub=he_uniform,
    reference=he_uniform_solution,
    judge=_judge_he_uniform,
    wrong={
        "the standard deviation as half-width": Wrong(
            lambda n_in, n_out, rng: rng.uniform(-1, 1, (n_in, n_out)) * np.sqrt(2 / n_in), says="√(2/n_in)"
        ),
        "from 0 on": Wrong(
            lambda n_in, n_out, rng: rng.uniform(0, np.sqrt(6 / n_in), (n_in, n_out)), says="mean is not 0"
        ),
        "a normal distribution": Wrong(
            lambda n_in, n_out, rng: rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out)), says="not uniform"
        ),
        "the half-width as standard deviation": Wrong(
            lambda n_in, n_out, rng: rng.normal(0, np.sqrt(6 / n_in), (n_in, n_out)), says="standard deviation"
        ),
        "fan-out": Wrong(
            lambda n_in, n_out, rng: rng.uniform(-1, 1, (n_in, n_out)) * np.sqrt(6 / n_out), says="number of outputs"
        ),
        "LeCun's": Wrong(
            lambda n_in, n_out, rng: rng.uniform(-1, 1, (n_in, n_out)) * np.sqrt(3 / n_in), says="without the 2"
        ),
        "a seed of its own": Wrong(
            lambda n_in, n_out, rng: he_uniform_solution(n_in, n_out, np.random.default_rng(1)), says="are equal"
        ),
        "turned round": Wrong(lambda n_in, n_out, rng: he_uniform_solution(n_in, n_out, rng).T, says="shape"),
        "no size": Wrong(lambda n_in, n_out, rng: rng.uniform(n_in)(n_out), says="stopped with"),
    },
)

# -- 3. derive: what a leaky ReLU leaves -------------------------------------------------------------------------------

x = scalars("x")
lam = symbol("lam", r"\lambda", positive=True)
c = symbol("c", positive=True)
LEAKY_START = Integral((relu(x) - lam * relu(-x)) ** 2 / (2 * c), (x, -c, c))


def leaky_derivation():
    """From LEAKY_START to a formula without an integral, in at least two steps."""
    return ...


def leaky_derivation_solution():
    right = Integral(x**2 / (2 * c), (x, 0, c))
    left = Integral(x**2 / (2 * c), (x, -c, 0))
    # Half of (1 + λ²) times the second moment c²/3: He's variance is 2/((1 + λ²) n_in).
    return (
        Derivation(LEAKY_START)
        .then(right + lam**2 * left, because="slope 1 on the right, λ on the left")
        .then((1 + lam**2) * c**2 / 6, because="each side holds half of the second moment")
    )


def _what_is_left(derivation):
    left = any(isinstance(part, Integral) for part in subexpressions(derivation.result))
    return ". Go on until no integral is left." if left else ""


_leaky = tries(LEAKY_START)

_RIGHT = Integral(x**2 / (2 * c), (x, 0, c))
_LEFT = Integral(x**2 / (2 * c), (x, -c, 0))

LEAKY = Exercise(
    id="init-leaky",
    stub=leaky_derivation,
    reference=leaky_derivation_solution,
    judge=way(
        LEAKY_START,
        "LEAKY_START",
        steps="first split the line at 0",
        unfinished=_what_is_left,
    ),
    wrong={
        "the leak not squared": Wrong(_leaky(_RIGHT + lam * _LEFT), says="A step of yours is refused"),
        "the leak subtracted": Wrong(_leaky(_RIGHT - lam**2 * _LEFT), says="A step of yours is refused"),
        "in one leap": Wrong(_leaky((1 + lam**2) * c**2 / 6), says="at least two steps"),
        "half way": Wrong(_leaky(_RIGHT + lam**2 * _LEFT, _RIGHT * (1 + lam**2)), says="Go on until"),
        "the result alone": Wrong(lambda: (1 + lam**2) * c**2 / 6, says="Return the Derivation"),
    },
)

# -- 4. diagnose: what was drawn ---------------------------------------------------------------------------------------


def which_mistake(n, factor):
    """What was drawn, from the factor of E[z²] per ReLU layer of n units."""
    return ...


def which_mistake_solution(n, factor):
    # A ReLU layer multiplies by n Var(w)/2. Each mistake has its own Var(w).
    variances = {
        "right": 2 / n,
        "variance as std": (2 / n) ** 2,
        "std as variance": (2 / n) ** 0.5,
        "2 forgotten": 1 / n,
        "half-width as std": 6 / n,
    }
    return min(variances, key=lambda name: abs(np.log(factor / (n * variances[name] / 2))))


WHICH_MISTAKE_MISTAKES = {
    "This calls everything right. What does a factor far from 1 say?": lambda n, factor: "right",
    "This looks at the size alone. Some of these factors depend on n.": lambda n, factor: (
        "right"
        if 0.8 < factor < 1.25
        else "std as variance"
        if factor > 1
        else "2 forgotten"
        if factor > 0.3
        else "variance as std"
    ),
    "Two are exchanged. Which is larger, a small number or its square?": lambda n, factor: {
        "variance as std": "std as variance",
        "std as variance": "variance as std",
    }.get(which_mistake_solution(n, factor), which_mistake_solution(n, factor)),
}

WHICH_MISTAKE = Exercise(
    id="init-which-mistake",
    stub=which_mistake,
    reference=which_mistake_solution,
    judge=recalls(
        which_mistake_solution,
        cases=[
            {"n": 512, "factor": 0.94},
            {"n": 512, "factor": 15.1},
            {"n": 200, "factor": 0.0104},
            {"n": 200, "factor": 0.47},
            {"n": 800, "factor": 3.2},
            {"n": 50, "factor": 0.037},
            {"n": 50, "factor": 5.3},
        ],
        mistakes=WHICH_MISTAKE_MISTAKES,
    ),
    wrong=named(WHICH_MISTAKE_MISTAKES),
)

# -- 5. predict: the gradient through changing widths ------------------------------------------------------------------


def gradient_factor(widths):
    """E[dz²] of layer 1 divided by that of layer N; ReLU, He's rule."""
    return ...


def gradient_factor_solution(widths):
    # Layers N … 2, each n_out/n_in: everything between the first hidden and the last width cancels.
    return widths[-1] / widths[1]


GRADIENT_FACTOR_MISTAKES = {
    "This goes through the first layer, too. dz of layer 1 has not gone through its weights.": lambda widths: (
        widths[-1] / widths[0]
    ),
    "That is the fraction upside down: which way does a gradient go?": lambda widths: widths[1] / widths[-1],
    "On the way forward He's rule keeps the size. And on the way back?": lambda widths: 1.0,
}

GRADIENT_FACTOR = Exercise(
    id="init-gradient-factor",
    stub=gradient_factor,
    reference=gradient_factor_solution,
    judge=recalls(
        gradient_factor_solution,
        cases=[{"widths": [784, 512, 256, 10]}, {"widths": [20, 100, 300, 50, 400]}],
        mistakes=GRADIENT_FACTOR_MISTAKES,
    ),
    wrong=named(GRADIENT_FACTOR_MISTAKES),
)

# -- 6. debug: three bugs in one line and a half -----------------------------------------------------------------------


def draw_weights(sizes, rng):
    """A list of weight matrices, He's rule, one a layer."""
    return ...


def draw_weights_solution(sizes, rng):
    weights = []
    for n_in, n_out in itertools.pairwise(sizes):
        # The rng that was handed in goes on from layer to layer; rng.normal takes the root of the variance.
        weights.append(rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out)))
    return weights


def _flawed_weights(seeded=False, std=lambda n_in, n_out: np.sqrt(2 / n_in)):
    def answer(sizes, rng):
        weights = []
        for n_in, n_out in itertools.pairwise(sizes):
            generator = np.random.default_rng(0) if seeded else rng
            weights.append(generator.normal(0, std(n_in, n_out), (n_in, n_out)))
        return weights

    return answer


def _judge_draw_weights(answer):
    sizes = [300, 300, 300, 100, 200]
    layers = list(itertools.pairwise(sizes))
    try:
        weights = answer(sizes, np.random.default_rng(5))
    except Exception as error:
        return Feedback(False, f"Your function stopped with {type(error).__name__}: {error}.")
    if weights is None or weights is ...:
        return Feedback(False, "Nothing written yet. Replace the … by your answer and run the check again.")
    shapes = [np.shape(W) for W in weights]
    if shapes != layers:
        return Feedback(False, f"The shapes are {shapes}, expected {layers}.")
    if np.allclose(weights[0] / np.std(weights[0]), weights[1] / np.std(weights[1])):
        return Feedback(False, "Two layers of one size hold the same numbers. Where does each layer's rng come from?")
    if np.array_equal(weights[0], answer(sizes, np.random.default_rng(6))[0]):
        return Feedback(False, "Another rng gives the same weights. Draw from the one that is handed in.")
    return _judge_spread(weights, layers)


def _judge_spread(weights, layers):
    """Whether each layer has He's standard deviation, and which known mistake it has if not."""
    known = {
        "This is the variance. rng.normal wants its root.": lambda a, b: 2 / a,
        "This is the variance, of the wrong width. rng.normal wants the root, and the sum runs over n_in.": (
            lambda a, b: 2 / b
        ),
        "The forward pass sums over the n_in inputs, not over the n_out outputs.": lambda a, b: (2 / b) ** 0.5,
        "The 2 is missing: ReLU keeps one half.": lambda a, b: (1 / a) ** 0.5,
    }
    measured = np.array([np.std(W) for W in weights])
    # The standard error of a standard deviation is 1/√(2N), at most 0.5 % here: five of them.
    if np.allclose(measured, [(2 / a) ** 0.5 for a, _ in layers], rtol=0.025, atol=0):
        return Feedback(True, "Four layers, each with its own numbers and He's standard deviation.")
    for words, std in known.items():
        if np.allclose(measured, [std(a, b) for a, b in layers], rtol=0.025, atol=0):
            return Feedback(False, words)
    shown = ", ".join(f"{a} → {b}: {s * (a / 2) ** 0.5:.3g}" for (a, b), s in zip(layers, measured, strict=True))
    return Feedback(False, f"The standard deviations, divided by He's: {shown}.")


REPAIRED_WEIGHTS = Exercise(
    id="init-repaired-weights",
    stub=draw_weights,
    reference=draw_weights_solution,
    judge=_judge_draw_weights,
    wrong={
        "as found": Wrong(_flawed_weights(True, lambda a, b: 2 / b), says="the same numbers"),
        "the seed repaired": Wrong(_flawed_weights(False, lambda a, b: 2 / b), says="of the wrong width"),
        "the root missing": Wrong(_flawed_weights(False, lambda a, b: 2 / a), says="wants its root"),
        "the width missing": Wrong(_flawed_weights(False, lambda a, b: (2 / b) ** 0.5), says="not over the n_out"),
        "the seed missing": Wrong(_flawed_weights(True), says="the same numbers"),
        "another seed, outside": Wrong(
            lambda sizes, rng: draw_weights_solution(sizes, np.random.default_rng(0)), says="Another rng"
        ),
        "the 2 missing": Wrong(_flawed_weights(False, lambda a, b: (1 / a) ** 0.5), says="keeps one half"),
        "three times the variance": Wrong(_flawed_weights(False, lambda a, b: (6 / a) ** 0.5), says="divided by He's"),
        "transposed": Wrong(lambda sizes, rng: [W.T for W in draw_weights_solution(sizes, rng)], says="shapes"),
        "no list": Wrong(lambda sizes, rng: rng.normal(sizes)["W"], says="stopped with"),
    },
)
