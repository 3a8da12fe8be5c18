"""scikit-learn's MLPClassifier and ours, from the same start on the same batches: one loss curve, step by step.

Its optimisers are written differently (the learning rate stands inside the velocity; Adam's corrections are folded into
the rate), and its weights are drawn elsewhere. With its weights overwritten and its penalty switched off, every number
must be ours.
"""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from backprop import training
from backprop.datasets import digits, measured, split
from backprop.network import MLP
from backprop.optimizers import Adam, GradientDescent, Momentum

STEPS, BATCH = 90, 32

# Adam's ε: scikit-learn adds it before the second correction, we after it. The tiniest one makes the two the same.
RULES = {
    "descent": (GradientDescent(0.1), {"solver": "sgd", "learning_rate_init": 0.1, "momentum": 0.0}),
    "momentum": (
        Momentum(0.05, 0.9),
        {"solver": "sgd", "learning_rate_init": 0.05, "momentum": 0.9, "nesterovs_momentum": False},
    ),
    "adam": (
        Adam(0.003, 0.9, 0.999, 1e-30),
        {"solver": "adam", "learning_rate_init": 0.003, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-30},
    ),
}
ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "sigmoid": "logistic"}


def data():
    return split(*digits(), test=357, rng=np.random.default_rng(0))


def batches():
    orders = np.concatenate([np.random.default_rng(seed).permutation(1440) for seed in range(2)])
    return orders.reshape(STEPS, BATCH)


def start(activation="relu"):
    rng = np.random.default_rng(1)
    return MLP.initialize([64, 24, 12, 10], rng, [activation, activation, "softmax"], initializer="glorot_uniform")


def ours(rule, network):
    X, Y = data()[:2]
    state, losses = rule.init(network), []
    for rows in batches():
        loss, gradients = network.loss_and_gradients(X[rows], Y[rows])
        network, state = rule.step(network, gradients, state)
        losses.append(loss)
    return np.array(losses), network


def theirs(constants, network, activation="relu", penalty=0.0):
    X, Y = data()[:2]
    peer = MLPClassifier((24, 12), activation=activation, alpha=penalty, batch_size=BATCH, shuffle=False, **constants)
    peer.partial_fit(X[:BATCH], Y[:BATCH], classes=np.arange(10))  # makes its arrays
    for mine, its in zip((*network.weights, *network.biases), (*peer.coefs_, *peer.intercepts_), strict=True):
        its[...] = mine
    del peer._optimizer  # what it remembers of that first step
    losses = []
    for rows in batches():
        peer.partial_fit(X[rows], Y[rows])
        losses.append(peer.loss_)
    return np.array(losses), [*peer.coefs_, *peer.intercepts_]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", RULES)
def test_the_two_loss_curves_are_one(name, activation):
    rule, constants = RULES[name]
    network = start(activation)
    mine, end = ours(rule, network)
    its, parameters = theirs(constants, network, ACTIVATIONS[activation])
    np.testing.assert_allclose(mine, its, rtol=1e-9)
    for a, b in zip((*end.weights, *end.biases), parameters, strict=True):
        assert np.abs(a - b).max() < 1e-9
    assert np.ptp(mine) > 0.1  # and it is no flat line that they share


WRONG = {
    "another rate": (GradientDescent(0.1001), RULES["descent"][1]),
    "dampened": (Momentum(0.05 * 0.1, 0.9), RULES["momentum"][1]),
    "no momentum": (GradientDescent(0.05), RULES["momentum"][1]),
    "betas exchanged": (Adam(0.003, 0.999, 0.9, 1e-30), RULES["adam"][1]),
    "epsilon": (Adam(0.003, 0.9, 0.999, 1e-4), RULES["adam"][1]),
}


@pytest.mark.parametrize("name", WRONG)
def test_another_rule_is_seen_to_differ(name):
    rule, constants = WRONG[name]
    mine, _ = ours(rule, start())
    its, _ = theirs(constants, start())
    assert np.abs(mine - its).max() > 1e-5


def test_its_penalty_is_seen():
    its, _ = theirs(RULES["descent"][1], start(), penalty=1e-2)
    assert np.abs(ours(RULES["descent"][0], start())[0] - its).max() > 1e-4


def test_fit_takes_these_steps():
    """`fit` draws its own order; with one batch an epoch there is nothing to draw but the order within the sum."""
    X, Y = data()[:2]
    network = start()
    run = training.fit(network, X[:64], Y[:64], Momentum(0.05), epochs=30, batch_size=64, rng=np.random.default_rng(0))
    peer = MLPClassifier((24, 12), alpha=0, batch_size=64, shuffle=False, **RULES["momentum"][1])
    peer.partial_fit(X[:64], Y[:64], classes=np.arange(10))
    for mine, its in zip((*network.weights, *network.biases), (*peer.coefs_, *peer.intercepts_), strict=True):
        its[...] = mine
    del peer._optimizer
    its = [peer.partial_fit(X[:64], Y[:64]).loss_ for _ in range(30)]
    np.testing.assert_allclose(run.history.loss, its, rtol=1e-9)


def test_the_digits_are_those_of_scikit_learn():
    X, Y = digits()
    bunch = load_digits()
    assert np.array_equal(16 * X, bunch.data)
    assert np.array_equal(Y, bunch.target)


def test_one_start_reaches_what_was_measured():
    """The first of the ten of `benchmarks/training.py`, with scikit-learn's defaults but fewer epochs, comes close."""
    found = measured()["digits"]
    assert len(found["scikit-learn"]) == len(found["ours"]) == 10
    assert np.median(found["ours"]) >= np.median(found["scikit-learn"])
    X, Y, X_test, Y_test = data()
    peer = MLPClassifier(random_state=0, batch_size=32, max_iter=20, n_iter_no_change=1000, learning_rate_init=0.003)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        peer.fit(X, Y)
    assert abs((peer.predict(X_test) == Y_test).sum() - np.median(found["scikit-learn"])) <= 6
