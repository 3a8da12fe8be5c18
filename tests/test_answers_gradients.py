"""The answers that chapters 1 to 8 call right are right, and those that they call wrong are wrong in the way they say.

`test_course_exercises` holds each exercise against itself. Here every value comes by another road: automatic
differentiation, the package, a loop, dual numbers, or a sum done by hand.
"""

import inspect
import math
from typing import Any, NamedTuple

import autograd
import autograd.numpy as anp
import mpmath
import numpy as np
import pytest
from corpus.answers import GRADIENTS, as_found, exercises_of, modules_of, of_each_mistake

from backprop.activations import relu, sigmoid, sigmoid_derivative, softmax, softmax_backward, softmax_jacobian
from backprop.conventions import Pass, to_note
from backprop.gradcheck import central_difference
from backprop.layers import linear_backward
from backprop.losses import softmax_cross_entropy
from backprop.network import MLP

MODULES, EXERCISES = modules_of(GRADIENTS), exercises_of(GRADIENTS)
COMPUTED = {}


def agree(value, expected, rtol=1e-9, atol=1e-12):
    """Equal up to rounding, in shape too; several results one by one."""
    if isinstance(expected, tuple):
        for one, other in zip(value, expected, strict=True):
            agree(one, other, rtol, atol)
        return
    assert np.shape(value) == np.shape(expected)
    np.testing.assert_allclose(value, expected, rtol, atol)


class Stops(NamedTuple):
    """A mistake whose shapes do not fit. Where all sizes are equal it has a value, which `value()` computes."""

    value: Any


class Changes(NamedTuple):
    """A mistake that writes into one of its arguments."""

    argument: str
    value: Any


def computed(name, shapes, inputs=None):
    """Register a function of an answer's arguments that returns the truth, and what each mistake computes.

    `shapes` names the sizes of the arrays: "X: m n_in; W: n_in n_out". The arguments are those on which the exercise's
    judge tries an answer, or, where it has no single set of them, those that `inputs` draws or holds.
    """

    def register(road):
        COMPUTED[name] = (shapes, inputs, road)

    return register


def judged_on(name):
    """The arguments on which the judge tries an answer, drawn only now, so that a change of how they are is seen."""
    _, inputs, _ = COMPUTED[name]
    judge = inspect.getclosurevars(EXERCISES[name].judge).nonlocals
    draw, seeds = (inputs, range(3)) if callable(inputs) else (judge["inputs"], judge["seeds"])
    return [draw(np.random.default_rng(seed)) for seed in seeds]


def tries(name):
    _, inputs, _ = COMPUTED[name]
    return [inputs] if isinstance(inputs, dict) else judged_on(name)


def copied(arguments):
    return {name: v.copy() if isinstance(v, np.ndarray) else v for name, v in arguments.items()}


def of_equal_sizes(arguments):
    size = min(n for v in arguments.values() if isinstance(v, np.ndarray) for n in v.shape)
    return {k: v[(slice(size),) * v.ndim].copy() if isinstance(v, np.ndarray) else v for k, v in arguments.items()}


def gradient(program, at, arriving=1.0):
    """What automatic differentiation makes of `arriving`, the gradient of the program's output."""
    return autograd.grad(lambda v: anp.sum(arriving * program(v)))(np.array(at, dtype=float))


@computed("linear_layer.COLUMN_GRADIENT", "dZ: n_out m; X: n_in m")
def _(dZ, X):
    truth = gradient(lambda V: V @ X, np.zeros((len(dZ), len(X))), dZ)
    return truth, {
        "transposed": truth.T,
        "this chapter's formula": Stops(lambda: linear_backward(dZ, X, np.zeros((len(X), len(dZ)))).dW),
        "averaged over the batch": truth / 5,
        "the sign of the update": -truth,
    }


@computed("linear_layer.FIRST_LAYER_GRADIENT", "dZ2: m n_2; X: m n_in; W2: n_1 n_2")
def _(dZ2, X, W2):
    truth = gradient(lambda W1: X @ W1 @ W2, np.zeros((X.shape[1], len(W2))), dZ2)
    return truth, {
        # Each layer divides its own dW, and what it hands on is not divided: dW1 is divided once.
        "divided by m in each layer": truth / 5,
        "stopped one layer early": gradient(lambda W: X @ W, np.zeros((X.shape[1], dZ2.shape[1])), dZ2),
        "W2 not transposed": Stops(lambda: gradient(lambda W1: X @ W1 @ W2.T, W2, dZ2)),
        "transposed": truth.T,
    }


@computed(
    "linear_layer.REPAIRED_STEP",
    "dZ: m n_out; X: m n_in; W: n_in n_out; b: n_out",
    MODULES["linear_layer"]._step_inputs,
)
def _(dZ, X, W, b, rate):
    through = linear_backward(dZ, X, W)
    truth = through.dX, W - rate * through.dW, b - rate * through.db
    return truth, {
        "as found": (gradient(lambda X: X @ truth[1], X, dZ), *truth[1:]),
        "the caller's W is changed": Changes("W", truth),
        "dX alone": truth[0],
        "This climbs": (truth[0], 2 * W - truth[1], 2 * b - truth[2]),
        "m times too short": (truth[0], W + (truth[1] - W) / 5, b + (truth[2] - b) / 5),
        "no step is taken": (truth[0], W, b),
    }


@computed("linear_layer.ONE_SAMPLE_GRADIENT", "dz: n_out; x: n_in")
def _(dz, x):
    truth = gradient(lambda W: x @ W, np.zeros((len(x), len(dz))), dz)
    return truth, {"transposed": truth.T, "one number": truth.sum(), "the sign of the update": -truth}


def slope_of_logistic(A):
    """σ′ at the z with σ(z) = A: there e⁻ᶻ is 1/A − 1, whatever its sign."""
    return (1 / A - 1) / (1 + (1 / A - 1)) ** 2


@computed("matrix_form.GRADIENT_OF_INPUT", "dA: n_out m; A: n_out m; W: n_out n_in")
def _(dA, A, W):
    # The Z that gave this A; X is counted from where it was.
    Z, X = np.arctanh(A), np.zeros((W.shape[1], A.shape[1]))
    truth = gradient(lambda X: anp.tanh(Z + W @ X), X, dA)
    return truth, {
        "the slope forgotten": gradient(lambda X: Z + W @ X, X, dA),
        "the slope taken at A": gradient(lambda X: anp.tanh(A + W @ X), X, dA),
        "the logistic function's slope": gradient(lambda X: W @ X, X, dA * slope_of_logistic(A)),
        "W not transposed": Stops(lambda: gradient(lambda X: anp.tanh(Z + W.T @ X), X, dA)),
        "samples as rows": truth.T,
        "averaged over the batch": truth / 5,
    }


@computed("matrix_form.THROUGH_SOFTMAX", "dA: K m; P: K m")
def _(dA, P):
    truth = np.transpose([softmax_jacobian(np.log(p)).T @ da for p, da in zip(P.T, dA.T, strict=True)])
    # The gradient of e^z over a sum that stays what it is: 1, at z = ln p.
    alone = gradient(anp.exp, np.log(P), dA)
    return truth, {
        "entry by entry": gradient(lambda Z: 1 / (1 + anp.exp(-Z)), np.log(P / (1 - P)), dA),
        "without what the other entries do": alone,
        "one number for the whole batch": alone - P * np.vdot(P, dA),
        "summed over the samples": alone - P * np.array([[p @ da] for p, da in zip(P, dA, strict=True)]),
        "the mean of the entries": alone + (truth - alone) / 4,
        "every sample with every other": Stops(lambda: alone - P * np.einsum("ki,kj->ij", dA, P)),
        "the sign of the update": -truth,
    }


@computed("matrix_form.REPAIRED_BIAS", "b: n_out one; dZ: n_out m")
def _(b, dZ, rate):
    def after(dZ):
        return b - rate * gradient(lambda b: b + np.zeros_like(dZ), b, dZ)

    truth, one_by_one = after(dZ), np.hstack([after(column[:, np.newaxis]) for column in dZ.T])
    return truth, {
        "as found": one_by_one,
        "keepdims forgotten": b + (truth - b).T,
        "summed along the wrong axis": b + (one_by_one - b).sum(axis=0),
        "the mean over the samples": b + (truth - b) / 6,
        "uphill": 2 * b - truth,
    }


@computed("activations_and_losses.TANH_BACKWARD", "dA: m n; A: m n")
def _(dA, A):
    truth = gradient(anp.tanh, np.arctanh(A), dA)
    return truth, {
        "tanh taken a second time": gradient(anp.tanh, A, dA),
        "the derivative left out": dA,
        "averaged over the batch": truth / 5,
        "the logistic function's": dA * slope_of_logistic(A),
        "the sign of the update": -truth,
    }


@computed("activations_and_losses.STABLE_SOFTPLUS", "z: n", MODULES["activations_and_losses"]._with_extremes)
def _(z):
    truth = np.logaddexp(0, z)
    return truth, {
        "as defined": np.where(z > 700, np.inf, truth),
        "mirrored once for all": np.where(z < -700, np.inf, truth),
        "right below zero only": truth - relu(z),
        "the part that decays is missing": relu(z),
        "cut off": np.where(z > 500, 500, truth),
        "the digits are lost": truth,  # so far as they are seen beside a 1000; see below
    }


@computed("activations_and_losses.REPAIRED_MASK", "dA: m n; Z: m n")
def _(dA, Z):
    truth = gradient(lambda Z: anp.maximum(Z, 0), Z, dA)
    return truth, {
        "as found": dA,
        "relu for its derivative": gradient(lambda Z: anp.maximum(Z, 0) ** 2 / 2, Z, dA),
        "the mask of the gradient": relu(dA),
        "the mask the wrong way round": dA - truth,
        "the caller's gradient changed": Changes("dA", truth),
    }


@computed("activations_and_losses.SILU_DERIVATIVE", "z: n")
def _(z):
    with mpmath.workdps(50):
        truth = np.array([float(mpmath.diff(lambda t: t / (1 + mpmath.exp(-t)), x)) for x in z])
    return truth, {
        "one half of the product rule": sigmoid(z),
        "the product of two derivatives": sigmoid_derivative(z),
        "right on paper": np.where(z < -700, np.nan, truth),
    }


@computed("softmax_cross_entropy.LOG_PRODUCT", "dlogP: m K; P: m K")
def _(dlogP, P):
    def log_softmax(Z):
        return Z - anp.log(anp.sum(anp.exp(Z), axis=-1, keepdims=True))

    truth, jacobian = gradient(log_softmax, np.log(P), dlogP), autograd.jacobian(log_softmax)
    return truth, {
        "goes back through softmax": softmax_backward(dlogP, P),
        "This is J u": np.array([jacobian(np.log(p)) @ u for p, u in zip(P, dlogP, strict=True)]),
        "one for the whole batch": dlogP - P * math.fsum(dlogP.flat),
        "the sum without keepdims": Stops(lambda: dlogP - P * np.array([math.fsum(row) for row in dlogP])),
        "divided by m once more": truth / 5,
    }


@computed("softmax_cross_entropy.MASKED", "Z: m K; Y: m K; w: m")
def _(Z, Y, w):
    counts, of_all = w == 1, softmax_cross_entropy(Z, Y)[1]
    truth = np.zeros_like(Z)
    truth[counts] = softmax_cross_entropy(Z[counts], Y[counts])[1]
    erased = truth.copy()
    erased[~counts] = softmax(Z[~counts]) / counts.sum()
    return truth, {
        "Divided by the number of all samples": truth * counts.sum() / 5,
        "the sum over the samples that count": truth * counts.sum(),
        "still have a gradient here": of_all * 5 / counts.sum(),
        "The weights w do not enter": of_all,
        "Erasing a label leaves the row p": erased,
        "label minus prediction": -truth,
        "overflows": np.where(Z > 700, np.nan, truth),
    }


@computed("softmax_cross_entropy.WEIGHT_DECAY", "A: m n_in; E: m K; W: n_in K")
def _(A, E, W, decay):
    def loss(W, of_mean=1 / 5, of_decay=1.0):
        # Any loss of the outputs whose gradient is E, a sample; the squares are those of the decay.
        return of_mean * anp.sum(E * (A @ W)) + of_decay * decay / 2 * anp.sum(W**2)

    truth = gradient(loss, W)
    return truth, {
        "The decay is divided by m as well": gradient(lambda W: loss(W, 1 / 5, 1 / 5), W),
        "the gradient of a sum over samples": gradient(lambda W: loss(W, 1, 1), W),
        "all divided, as a mean": truth / 5,
        "the sign of the update": -truth,
    }


@computed("softmax_cross_entropy.TWO_BATCHES", "g1: n_in n_out; g2: n_in n_out")
def _(g1, g2, m1, m2):
    truth = np.mean([g1] * m1 + [g2] * m2, axis=0)
    return truth, {
        "An average of averages": np.mean([g1, g2], axis=0),
        "two means added up": np.sum([g1, g2], axis=0),
        "the gradient of the sum over all samples": np.sum([g1] * m1 + [g2] * m2, axis=0),
        "The weights are exchanged": np.mean([g2] * m1 + [g1] * m2, axis=0),
    }


@computed("softmax_cross_entropy.REPAIRED_LAYER", "X: m n_in; W: n_in K; b: K; Y: m K")
def _(X, W, b, Y):
    def losses(X, of_partition):
        Z = X @ W + b
        return of_partition * anp.log(anp.sum(anp.exp(Z), axis=1, keepdims=True)) - anp.sum(
            Y * Z, axis=1, keepdims=True
        )

    # −Σ y ln p = Σ y · ln Σ e^z − Σ y z
    truth = gradient(lambda X: anp.mean(losses(X, Y.sum(axis=1, keepdims=True))), X)
    return truth, {
        "Nothing is divided yet": gradient(lambda X: anp.sum(losses(X, 1)), X),
        "these labels do not sum to one": gradient(lambda X: anp.mean(losses(X, 1)), X),
        "labels right, not divided": truth * 5,
        "divided twice": truth / 5,
    }


@computed("hidden_layers.LAYER_DOWN", "dz_up: n_up m; W_up: n_up n; z: n m")
def _(dz_up, W_up, z):
    truth = gradient(lambda z: W_up @ anp.maximum(z, 0), z, dz_up)
    dA = gradient(lambda A: W_up @ A, relu(z), dz_up)
    return truth, {
        "This is dA": dA,
        "multiplies by the value of ReLU": gradient(lambda z: W_up @ (anp.maximum(z, 0) ** 2 / 2), z, dz_up),
        "The mask is upside down": dA - truth,
        "the sign of the gradient": relu(dA),
        "not transposed": Stops(lambda: gradient(lambda z: W_up.T @ anp.maximum(z, 0), z, dz_up)),
    }


@computed("hidden_layers.REPAIRED_BACKWARD", "X: m n_in; W1: n_in n_1; b1: n_1; W2: n_1 K; b2: K; Y: m K")
def _(X, W1, b1, W2, b2, Y):
    network = MLP([W1, W2], [b1, b2])
    _, gradients = network.loss_and_gradients(X, Y)
    A1, dZ2 = network.forward(X).A[0], gradients.dZ[1]
    unmasked = linear_backward(linear_backward(dZ2, A1, W2).dX, X, W1).dW
    truth = gradients.dW[0]
    return truth, {
        "Both faults are still there": unmasked * 5,
        "The mask is right now": truth * 5,
        "The mean is right now": unmasked,
        "divided twice": truth / 5,
    }


@computed("delta_recursion.BIAS_BELOW", "db_above: n_up; W_above: n_up n; z: n")
def _(db_above, W_above, z):
    jacobian = autograd.jacobian(lambda b: W_above @ anp.tanh(z + b))(np.zeros_like(z))
    truth = db_above @ jacobian
    return truth, {
        "the slope forgotten": gradient(lambda b: W_above @ (z + b), z, db_above),
        # Down through the activation first: the slopes meet the weights, as they do on the way up.
        "the order exchanged": db_above * jacobian.sum(axis=1),
        "samples as rows, W as (in, out)": Stops(
            lambda: gradient(lambda b: W_above.T @ anp.tanh(z + b), 0 * z, db_above)
        ),
        "the sign of the update": -truth,
    }


@computed("delta_recursion.DOWN_TO_THE_INPUT", "weights: k n n; activations: k_and_1 n; y: n")
def _(weights, activations, y):
    def half_squared_error(a, weights):
        for W in weights:
            a = anp.tanh(W @ a)
        return anp.sum((a - y) ** 2) / 2

    def slope_at_most_one(t):
        return t - t**3 / 3  # its slope is 1 − t²

    def one_by_one(slopes_at, down):
        delta = activations[-1] - y
        for W, a in zip(weights[::-1], slopes_at, strict=True):
            delta = gradient(lambda t, W=W, a=a: slope_at_most_one(a + down(W) @ t), 0 * y, delta)
        return delta

    truth = gradient(lambda a: half_squared_error(a, weights), activations[0])
    return truth, {
        "a layer further up": gradient(lambda a: half_squared_error(a, weights[1:]), activations[1]),
        "each slope is taken at the layer's input": one_by_one(activations[-2::-1], lambda W: W),
        "the wrong side of its weights": one_by_one(activations[:0:-1], np.transpose),
        "y minus prediction": -truth,
    }


@computed("delta_recursion.TIED_GRADIENT", "dOut: m n; X: m n; W: n n_1")
def _(dOut, X, W):
    truth = gradient(lambda W: anp.tanh(X @ W) @ W.T, W, dOut)
    encoder = gradient(lambda V: anp.tanh(X @ V) @ W.T, W, dOut)
    decoder = gradient(lambda V: anp.tanh(X @ W) @ V.T, W, dOut)
    return truth, {
        "the encoder's use only": encoder,
        "the decoder's use only": decoder,
        "the decoder's use transposed": Stops(lambda: encoder + decoder.T),
        "the average of the two": truth / 2,
    }


@computed("delta_recursion.REPAIRED_DELTA", "dZ_above: m n; W_above: n n; A: m n; A_above: m n")
def _(dZ_above, W_above, A, A_above):
    Z = np.arctanh(A)
    dA = linear_backward(dZ_above, A, W_above).dX
    return gradient(lambda Z: anp.tanh(Z) @ W_above, Z, dZ_above), {
        "as found": gradient(anp.tanh, np.arctanh(A_above), dA),
        "the activation for its slope": gradient(lambda Z: anp.log(anp.cosh(Z)), Z, dA),
        "tanh′ at the activation": gradient(anp.tanh, A, dA),
        "the transpose lost": gradient(lambda Z: anp.tanh(Z) @ W_above.T, Z, dZ_above),
    }


# One layer with five samples, three inputs and four outputs, as the course has it, under two losses.
_X, _W, _Y = (np.random.default_rng(0).normal(size=size) for size in ((5, 3), (3, 4), (5, 4)))
SQUARED = Pass.of(MLP([_W], [_W[0]], loss="mean_squared_error"), _X, _Y)
CROSSED = Pass.of(MLP([_W], [_W[0]], loss="cross_entropy"), _X, softmax(_Y))
IN_003, IN_004, IN_PYTORCH = to_note("003", CROSSED), to_note("004", SQUARED), to_note("pytorch", SQUARED)


@computed("hidden_layers.INTO_ROWS", "dz: n_out m; A_prev: n_in m", {"dz": IN_003.dZ[0], "A_prev": IN_003.X})
def _(dz, A_prev):
    truth = CROSSED.dW[0]
    return truth, {
        "Nothing here is divided by m": truth * 5,
        "This is the note's dW": IN_003.dW[0],
        "Divided by the number of units": truth * 5 / 4,
        "divided twice": truth / 5,
    }


@computed("conventions.INPUT_GRADIENT", "dz: n_out m; W: n_out n_in", {"dz": IN_003.dZ[0], "W": IN_003.weights[0]})
def _(dz, W):
    truth = CROSSED.dX
    return truth, {"not divided": IN_003.dX.T, "still in columns": truth.T, "divided by the outputs": truth * 5 / 4}


@computed("conventions.FROM_PYTORCH", "weight_grad: n_out n_in", {"weight_grad": IN_PYTORCH.dW[0]})
def _(weight_grad):
    truth = SQUARED.dW[0]
    return truth, {
        "the transpose alone": truth / 4,
        "times the number of inputs": truth * 3 / 4,
        "not transposed": truth.T,
    }


@computed(
    "conventions.FROM_NOTE_004",
    "db: m n_out; a: m n_in",
    {"db": np.array([each.db[0][0] for each in IN_004]), "a": np.array([each.X[:, 0] for each in IN_004])},
)
def _(db, a):
    truth = SQUARED.dW[0]
    return truth, {
        "a sum instead of a mean": truth * 5,
        "the half forgotten": truth / 2,
        "as the note stores it": truth.T,
    }


@computed("conventions.ONE_CONVENTION", "X: m n_in; A1: m n_1; W2: n_1 n_out; b2: n_out; T: m n_out")
def _(X, A1, W2, b2, T):
    Z1 = np.where(A1 > 0, A1, -1.0)  # one of those that give this A1

    def loss(W1, f):
        return anp.sum((f(Z1 + X @ W1) @ W2 + b2 - T) ** 2) / 5

    at = np.zeros((X.shape[1], A1.shape[1]))
    truth = gradient(lambda W1: loss(W1, lambda Z: anp.maximum(Z, 0)), at)
    return truth, {
        "as found": truth / 5,
        "half a sum": truth * 5 / 2,
        "averaged over the outputs": truth / 2,
        "the slope forgotten": gradient(lambda W1: loss(W1, lambda Z: A1 + (Z - Z1)), at),
    }


@computed("gradient_checking.SLOPE_ALONG", "theta: r c; v: r c")
def _(f, theta, v, h):
    # Of a polynomial of degree 2 centred differences are exact. Its second derivative is 2 in every entry.
    slopes = central_difference(f, theta)
    truth = np.vdot(slopes, v)
    return truth, {
        "one-sided": truth + h / 2 * 2 * np.vdot(v, v),
        "The two points are 2h apart": truth * 2,
        "a unit vector": truth / math.sqrt(np.vdot(v, v)),
        "moves every entry by h": slopes.sum(),
    }


@computed("gradient_checking.REPAIRED_GRADIENT", "theta: r c")
def _(f, theta, h):
    truth = central_difference(f, theta)  # of degree 2 in each entry: exact for every step
    moved = {j: theta + h * (j == np.indices(theta.shape).T).all(axis=-1).T for j in np.ndindex(theta.shape)}
    one_sided = np.reshape([(f(there) - f(theta)) / (2 * h) for there in moved.values()], theta.shape)
    never_back, here = np.empty(theta.shape), theta.astype(float)
    for j in moved:
        never_back[j] = central_difference(f, here)[j]
        here[j] -= h
    return truth, {
        "as found": Changes("theta", as_found(EXERCISES["gradient_checking.REPAIRED_GRADIENT"])(f, theta.copy(), h)),
        "Both faults are still there": np.trunc(one_sided),
        "Both sides are right now": np.trunc(truth),
        "Fractions survive now": one_sided,
        "stays where its last move left it": never_back,
    }


@pytest.mark.parametrize("name", COMPUTED)
def test_a_reference_computes_what_another_road_does(name):
    *_, road = COMPUTED[name]
    for arguments in tries(name):
        agree(EXERCISES[name].reference(**copied(arguments)), road(**copied(arguments))[0])


@pytest.mark.parametrize("name", COMPUTED)
def test_a_mistake_computes_what_its_name_says(name):
    *_, road = COMPUTED[name]
    for arguments in tries(name):
        for mistake, expected in of_each_mistake(EXERCISES[name], road(**copied(arguments))[1]).items():
            answer, given = EXERCISES[name].wrong[mistake].answer, copied(arguments)
            if isinstance(expected, Stops):
                with pytest.raises(ValueError, match=r"mismatch|broadcast"):
                    answer(**given)
                given = of_equal_sizes(arguments)
                agree(answer(**given), of_each_mistake(EXERCISES[name], road(**given)[1])[mistake].value())
                continue
            changing = isinstance(expected, Changes)
            agree(answer(**given), expected.value if changing else expected)
            changed = [n for n, v in arguments.items() if not np.array_equal(v, given[n])]
            assert changed == ([expected.argument] if changing else [])


@pytest.mark.parametrize("name", COMPUTED)
def test_what_an_answer_is_tried_on_has_three_samples_and_a_size_of_its_own_for_each_dimension(name):
    # Or a wrong factor, or a wrong transpose, would stay unseen.
    for arguments in judged_on(name):
        sizes = {}
        for each in COMPUTED[name][0].split("; "):
            array, dimensions = each.split(": ")
            assert len(dimensions.split()) == arguments[array].ndim
            for dimension, size in zip(dimensions.split(), arguments[array].shape, strict=True):
                assert sizes.setdefault(dimension, size) == size
        assert len(set(sizes.values())) == len(sizes)
        assert sizes.get("m", 3) >= 3


def test_the_labels_and_weights_of_a_batch_are_of_every_kind():
    masked = judged_on("softmax_cross_entropy.MASKED")
    assert all(arguments["w"][arguments["Z"].max(axis=1) > 700] == [1] for arguments in masked)
    assert len({arguments["w"].sum() for arguments in masked}) > 1
    labels = [arguments["Y"] for arguments in judged_on("hidden_layers.REPAIRED_BACKWARD")]
    assert np.sum(labels, axis=(0, 1)).all()


def test_a_difference_to_one_side_does_not_pass_for_a_centred_one():
    def one_sided(f, theta, h):
        moved = theta + h * np.eye(theta.size).reshape(theta.size, *theta.shape)
        return np.reshape([(f(there) - f(theta)) / h for there in moved], theta.shape)

    assert not EXERCISES["gradient_checking.REPAIRED_GRADIENT"].feedback(one_sided).passed


@pytest.mark.parametrize("results", [lambda *three: three[:2], lambda *three: list(three)])
def test_a_step_is_asked_for_as_three_results(results):
    exercise = EXERCISES["linear_layer.REPAIRED_STEP"]
    message = exercise.feedback(lambda **at: results(*exercise.reference(**at))).message
    assert message.startswith("Your function stopped with ValueError: three results were expected, dX, W and b.")


def test_the_digits_that_softplus_loses_far_left_are_those_beyond_the_last_place_of_a_one():
    exercise = EXERCISES["activations_and_losses.STABLE_SOFTPLUS"]
    (lost,) = (wrong.answer for name, wrong in exercise.wrong.items() if "the digits are lost" in name)
    for arguments in map(MODULES["activations_and_losses"]._far_left, map(np.random.default_rng, range(3))):
        truth = np.logaddexp(0, arguments["z"])
        agree(exercise.reference(**arguments), truth, atol=0)
        agree(lost(**arguments), np.round(truth * 2**52) / 2**52, atol=0)


def test_every_exercise_that_asks_for_an_array_is_here():
    others = {name for name, e in EXERCISES.items() if e.judge.__qualname__.startswith(("recalls.", "derives."))}
    assert {*COMPUTED, "gradient_checking.WRONG_ENTRY"} == {*EXERCISES} - others
