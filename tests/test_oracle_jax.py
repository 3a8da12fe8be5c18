"""JAX's gradients of whole networks, compiled, against this package's: every loss with every activation below it.

JAX is not part of the environment, so that these tests are skipped where it is not installed:
`pip install "jax[cpu]"`, then `pytest tests/test_oracle_jax.py`.
"""

import itertools

import numpy as np
import pytest

from backprop.network import MLP

jax = pytest.importorskip("jax", reason="JAX is not part of the environment")
jnp = jax.numpy

M, SIZES = 6, (5, 7, 4, 3)
HIDDEN = {
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "identity": lambda Z: Z,
    "selu": jax.nn.selu,
    "softmax": lambda Z: jax.nn.softmax(Z, axis=1),
}
# Each from the logits, as JAX's own functions write it; all but the half squared error are means over the samples.
LOSSES = {
    "cross_entropy": lambda Z, Y: -(Y * jax.nn.log_softmax(Z, axis=1)).sum() / M,
    "binary_cross_entropy": lambda Z, Y: -(Y * jax.nn.log_sigmoid(Z) + (1 - Y) * jax.nn.log_sigmoid(-Z)).sum() / M,
    "half_squared_error": lambda Z, Y: 0.5 * ((Z - Y) ** 2).sum(),
    "mean_squared_error": lambda Z, Y: ((Z - Y) ** 2).sum() / M,
}


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize(("loss", "hidden"), list(itertools.product(LOSSES, HIDDEN)))
def test_gradients_of_three_layers(loss, hidden):
    rng = np.random.default_rng([list(LOSSES).index(loss), list(HIDDEN).index(hidden)])
    output = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}.get(loss, "identity")
    network = MLP.initialize(SIZES, rng, [hidden, hidden, output], loss)
    X, Y = rng.normal(size=(M, SIZES[0])), rng.dirichlet(np.ones(SIZES[-1]), M)

    def value(weights, biases, X):
        A = X
        for W, b in zip(weights[:-1], biases[:-1], strict=True):
            A = HIDDEN[hidden](A @ W + b)
        return LOSSES[loss](A @ weights[-1] + biases[-1], Y)

    arguments = [jnp.asarray(W) for W in network.weights], [jnp.asarray(b) for b in network.biases], jnp.asarray(X)
    theirs, (dW, db, dX) = jax.jit(jax.value_and_grad(value, argnums=(0, 1, 2)))(*arguments)
    ours, gradients = network.loss_and_gradients(X, Y)
    assert ours == pytest.approx(float(theirs), rel=1e-13)
    for mine, other in zip((*gradients.dW, *gradients.db, gradients.dX), (*dW, *db, dX), strict=True):
        assert mine.shape == other.shape
        np.testing.assert_allclose(mine, other, rtol=1e-9, atol=1e-13)
