"""The optimisers: by hand, against the closed forms of their recursions, and on what a factor in the gradient does."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from backprop.datasets import running_example
from backprop.network import MLP
from backprop.optimizers import Adam, AdamState, GradientDescent, Momentum

OPTIMIZERS = [GradientDescent(0.1), Momentum(0.1, 0.8), Adam(0.1, 0.8, 0.9, 1e-6)]
ids = [type(optimizer).__name__ for optimizer in OPTIMIZERS]


def network(dtype=np.float64):
    _, _, weights, biases = running_example()
    return MLP([W.astype(dtype) for W in weights], [b.astype(dtype) for b in biases])


def tensors(network):
    return [*network.weights, *network.biases]


def gradients_like(network, values):
    """Gradients from one flat list of arrays, weights first."""
    layers = len(network.weights)
    return SimpleNamespace(dW=values[:layers], db=values[layers:])


def random_gradients(network, steps, seed=0, factor=1.0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    draws = [[rng.normal(size=t.shape).astype(dtype) * dtype(factor) for t in tensors(network)] for _ in range(steps)]
    return [gradients_like(network, draw) for draw in draws]


def run(optimizer, start, gradients):
    state = optimizer.init(start)
    for g in gradients:
        start, state = optimizer.step(start, g, state)
    return start, state


def displacement(optimizer, start, gradients):
    end, _ = run(optimizer, start, gradients)
    return [before - after for before, after in zip(tensors(start), tensors(end), strict=True)]


# Closed forms of the recursions, written as sums over all gradients so far: a different way to the same numbers ------


def descent_sum(optimizer, history):
    return optimizer.learning_rate * sum(history)


def momentum_sum(optimizer, history):
    # The gradient of step s is used at every later step, each time with one more factor μ.
    μ, steps = optimizer.momentum, len(history)
    return optimizer.learning_rate * sum(g * (1 - μ ** (steps - s)) / (1 - μ) for s, g in enumerate(history))


def adam_sum(optimizer, history):
    β1, β2, total = optimizer.beta1, optimizer.beta2, 0
    for t in range(1, len(history) + 1):
        # The corrected means are weighted means, whose weights add up to 1.
        w1 = np.array([β1 ** (t - 1 - s) for s in range(t)])
        w2 = np.array([β2 ** (t - 1 - s) for s in range(t)])
        past = np.array(history[:t])
        mean = np.tensordot(w1 / w1.sum(), past, axes=1)
        square = np.tensordot(w2 / w2.sum(), past**2, axes=1)
        total = total + optimizer.learning_rate * mean / (square**0.5 + optimizer.epsilon)
    return total


CLOSED = dict(zip(ids, (descent_sum, momentum_sum, adam_sum), strict=True))


def disagreement(optimizer, step=None, steps=7):
    """The largest difference from the closed form, over all tensors; `step` may replace the optimiser's own."""
    start = network()
    history = random_gradients(start, steps)
    mover = optimizer if step is None else SimpleNamespace(init=optimizer.init, step=step)
    moved = displacement(mover, start, history)
    flat = [[*g.dW, *g.db] for g in history]
    expected = [CLOSED[type(optimizer).__name__](optimizer, [g[n] for g in flat]) for n in range(len(moved))]
    return max(np.abs(a - b).max() for a, b in zip(moved, expected, strict=True))


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=ids)
def test_seven_steps_are_the_closed_form(optimizer):
    assert disagreement(optimizer) < 1e-13


def changed(optimizer, **values):
    """The optimiser's own step with other constants: what a slip in the formula would compute."""
    return type(optimizer)(**{**vars(optimizer), **values}).step


def uncorrected(network, gradients, state):
    # No bias correction: what the corrected step does after very many steps.
    optimizer = OPTIMIZERS[2]
    after, new = optimizer.step(network, gradients, AdamState(10_000, state.mean, state.square))
    return after, new._replace(steps=state.steps + 1)


def epsilon_inside_the_root(network, gradients, state):
    optimizer = OPTIMIZERS[2]
    shifted = tuple(v + 1e-3 for v in state.square)
    after, new = optimizer.step(network, gradients, state._replace(square=shifted))
    return after, new


def uphill(network, gradients, state):
    minus = SimpleNamespace(dW=[-g for g in gradients.dW], db=[-g for g in gradients.db])
    return OPTIMIZERS[0].step(network, minus, state)


def dampened(network, gradients, state):
    # PyTorch's dampening, a factor (1 − μ) in front of g: another optimiser.
    less = SimpleNamespace(dW=[0.2 * g for g in gradients.dW], db=[0.2 * g for g in gradients.db])
    return OPTIMIZERS[1].step(network, less, state)


WRONG = {
    "descent: uphill": (OPTIMIZERS[0], uphill),
    "descent: another rate": (OPTIMIZERS[0], changed(OPTIMIZERS[0], learning_rate=0.11)),
    "momentum: dampened": (OPTIMIZERS[1], dampened),
    "momentum: forgets": (OPTIMIZERS[1], changed(OPTIMIZERS[1], momentum=0.0)),
    "adam: no bias correction": (OPTIMIZERS[2], uncorrected),
    "adam: betas exchanged": (OPTIMIZERS[2], changed(OPTIMIZERS[2], beta1=0.9, beta2=0.8)),
    "adam: epsilon inside the root": (OPTIMIZERS[2], epsilon_inside_the_root),
    "adam: another epsilon": (OPTIMIZERS[2], changed(OPTIMIZERS[2], epsilon=1e-3)),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_closed_form_is_seen_to_catch(name):
    optimizer, step = WRONG[name]
    assert disagreement(optimizer, step) > 1e-5


# By hand --------------------------------------------------------------------------------------------------------------


def test_one_step_of_descent_by_hand():
    start = MLP([[[1.0], [2.0]]], [[0.0]], loss="mean_squared_error")
    # Predictions 3, 2, 6 against 3, 1, 6: the residual is 1 on the second sample, so dW = (2/3)(2, 0) and db = 2/3.
    _, gradients = start.loss_and_gradients([[1, 1], [2, 0], [0, 3]], [[3], [1], [6]])
    end, state = run(GradientDescent(0.75), start, [gradients])
    assert end.weights[0].tolist() == [[0.0], [2.0]]
    assert end.biases[0].tolist() == [-0.5]
    assert state == ()


def test_the_first_step_of_adam_has_the_size_of_the_learning_rate():
    start = network()
    (gradients,) = random_gradients(start, 1)
    moved = displacement(Adam(0.1), start, [gradients])
    for step, g in zip(moved, [*gradients.dW, *gradients.db], strict=True):
        np.testing.assert_allclose(step, 0.1 * np.sign(g), rtol=1e-6)


def test_a_constant_gradient_ends_as_a_larger_one_under_momentum():
    start = network()
    constant = random_gradients(start, 1) * 200
    moved = displacement(Momentum(0.01, 0.8), start, constant)
    last = displacement(Momentum(0.01, 0.8), start, constant[:-1])
    for a, b, g in zip(moved, last, [*constant[0].dW, *constant[0].db], strict=True):
        np.testing.assert_allclose(a - b, 0.01 * g / (1 - 0.8), rtol=1e-9)


# What a factor in every gradient does: the 1/m question of chapter 4 --------


def test_a_factor_in_the_gradient_is_a_factor_in_the_learning_rate_for_descent_and_momentum():
    start = network()
    whole, quarter = random_gradients(start, 6), random_gradients(start, 6, factor=0.25)
    for full, fast in [(GradientDescent(0.1), GradientDescent(0.4)), (Momentum(0.1), Momentum(0.4))]:
        for a, b in zip(displacement(full, start, whole), displacement(fast, start, quarter), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_adam_does_not_notice_a_factor_in_the_gradient_except_through_epsilon():
    start = network()
    whole, quarter = random_gradients(start, 6), random_gradients(start, 6, factor=0.25)
    for epsilon, bound in [(1e-15, 1e-12), (1e-3, 1e-1)]:
        pairs = zip(*(displacement(Adam(0.1, epsilon=epsilon), start, g) for g in (whole, quarter)), strict=True)
        assert max(np.abs(a - b).max() for a, b in pairs) < bound
    a, b = (displacement(Adam(0.1, epsilon=0.1), start, g)[0] for g in (whole, quarter))
    assert np.abs(a - b).max() > 1e-3


def test_the_defaults_are_those_of_the_papers_and_of_pytorch():
    assert vars(Adam()) == {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    assert Momentum(0.1).momentum == 0.9


# The contract ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=ids)
def test_nothing_that_is_given_changes(optimizer):
    start = network()
    first, second = random_gradients(start, 2)
    _, state = run(optimizer, start, [first])
    arrays = [*second.dW, *second.db, *tensors(start)]
    arrays += [*state.mean, *state.square] if isinstance(state, AdamState) else state
    before = [a.copy() for a in arrays]
    once = optimizer.step(start, second, state)
    again = optimizer.step(start, second, state)
    assert all(np.array_equal(a, b) for a, b in zip(arrays, before, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(tensors(once[0]), tensors(again[0]), strict=True))
    assert once[0].activations == start.activations
    assert once[0].loss_name == start.loss_name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("make", [GradientDescent, Momentum, Adam])
def test_the_dtype_stays(make, dtype):
    start = network(dtype)
    optimizer = make(np.float64(0.1))
    end, state = run(optimizer, start, random_gradients(start, 2, dtype=dtype))
    held = [*state.mean, *state.square] if isinstance(state, AdamState) else list(state)
    assert {t.dtype for t in [*tensors(end), *held]} == {np.dtype(dtype)}


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=ids)
def test_training_the_running_example_lowers_the_loss(optimizer):
    X, Y, _, _ = running_example()
    here, state = network(), optimizer.init(network())
    first = here.loss(X, Y)
    for _ in range(20):
        here, state = optimizer.step(here, here.loss_and_gradients(X, Y)[1], state)
    assert here.loss(X, Y) < 0.7 * first


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=ids)
def test_a_gradient_that_would_only_broadcast_is_refused(optimizer):
    start = network()
    (good,) = random_gradients(start, 1)
    column = SimpleNamespace(dW=good.dW, db=[g[:, np.newaxis] for g in good.db])
    with pytest.raises(ValueError, match=r"gradients has shapes .*\(3, 1\).* expected .*\(3,\)"):
        optimizer.step(start, column, optimizer.init(start))
    with pytest.raises(ValueError, match="gradients has shapes"):
        optimizer.step(start, SimpleNamespace(dW=good.dW[:1], db=good.db), optimizer.init(start))


def test_a_state_of_another_network_is_refused():
    start, other = network(), MLP([[[1.0], [2.0]]], [[0.0]])
    (good,) = random_gradients(start, 1)
    with pytest.raises(ValueError, match=r"state(\.mean)? has shapes"):
        Momentum(0.1).step(start, good, Momentum(0.1).init(other))
    with pytest.raises(ValueError, match=r"state(\.mean)? has shapes"):
        Adam(0.1).step(start, good, Adam(0.1).init(other))


@pytest.mark.parametrize("state", [[], [0.0], (0.0,), None])
def test_gradient_descent_takes_no_memory(state):
    start = network()
    with pytest.raises(ValueError, match=r"state is .*: expected \(\), because gradient descent remembers nothing"):
        GradientDescent(0.1).step(start, *random_gradients(start, 1), state)


def test_a_negative_mean_square_is_refused_with_its_place():
    start = network()
    (good,) = random_gradients(start, 1)
    state = Adam().init(start)
    for k, below in [(0, -1e-9), (1, -0.5), (3, -2.0)]:
        square = [np.full_like(v, 0.5) for v in state.square]
        square[k].flat[0], square[k].flat[-1] = 0, below
        with pytest.raises(
            ValueError, match=rf"^state\.square\[{k}\] is {below} at index .*: expected a mean of squares"
        ):
            Adam().step(start, good, state._replace(square=tuple(square)))
    with pytest.raises(ValueError, match=r"state\.steps is -1"):
        Adam().step(start, good, state._replace(steps=-1))


def test_the_constants_may_be_at_the_lower_end_of_their_range():
    """Without memory, momentum is gradient descent, and Adam takes the sign of the gradient."""
    start = network()
    gradients = random_gradients(start, 3)
    for a, b in zip(
        displacement(Momentum(0.1, 0), start, gradients),
        displacement(GradientDescent(0.1), start, gradients),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    steps = displacement(Adam(0.1, beta1=0, beta2=0), start, gradients[:1])
    for a, g in zip(steps, [*gradients[0].dW, *gradients[0].db], strict=True):
        np.testing.assert_allclose(a, 0.1 * np.sign(g), rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: GradientDescent(0), ValueError, "learning_rate is 0"),
        (lambda: GradientDescent(-0.1), ValueError, "learning_rate is -0.1"),
        (lambda: GradientDescent(math.nan), ValueError, "learning_rate is nan"),
        (lambda: GradientDescent(math.inf), ValueError, "learning_rate is inf"),
        (lambda: GradientDescent("fast"), TypeError, "learning_rate is 'fast'"),
        (lambda: GradientDescent(True), TypeError, "learning_rate is True"),
        (lambda: Momentum(0.1, 1), ValueError, "momentum is 1"),
        (lambda: Momentum(0.1, -0.5), ValueError, "momentum is -0.5"),
        (lambda: Adam(beta1=1.0), ValueError, "beta1 is 1"),
        (lambda: Adam(beta2=-0.1), ValueError, "beta2 is -0.1"),
        (lambda: Adam(epsilon=0), ValueError, "epsilon is 0"),
    ],
)
def test_constants_outside_their_range_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
