"""Room 6: checks that looked away. Each of these was checked, and passed."""

import numpy as np

from backprop.exhibits._exhibit import Exhibit
from backprop.exhibits._networks import half_squared_error, normal

# -- the check of one array --------------------------------------------------------------------------------------------


def layer_loss(X, W, b, T, np=np):
    """Half the squared error of tanh(X W + b), a mean over samples."""
    return half_squared_error(np.tanh(np.dot(X, W) + b), T, np)


def layer_gradient(X, W, b, T):
    """The gradient of that loss."""
    A = np.tanh(X @ W + b)
    D = (A - T) / len(X) * (1 - A**2)
    return {"dW": X.T @ D, "db": D.sum(axis=0)}


def checked_layer(X, W, b, T):
    """Averages the bias's gradient although the 1/m is in D already; only dW was compared with another program.

    kvfrans/notes, backpropagation notebook, issue 5.
    """
    A = np.tanh(X @ W + b)
    D = (A - T) / len(X) * (1 - A**2)
    return {"dW": X.T @ D, "db": D.mean(axis=0)}


def _layer_arrays(rng):
    return normal(rng, X=(10, 3), W=(3, 2), b=2, T=(10, 2))


# -- two steps ---------------------------------------------------------------------------------------------------------


def recurrent_loss(X, U, W, target, np=np):
    """Half the squared error of the last state of a recurrent layer: X holds one row a time step."""
    s = np.zeros(W.shape[0])
    for x in X:
        s = np.tanh(np.dot(x, U) + np.dot(s, W))
    return np.sum((s - target) ** 2) / 2


def recurrent_gradient(X, U, W, target):
    """Backpropagation through time."""
    return _through_time(X, U, W, target, lambda delta, s, k: (delta @ W.T) * (1 - s[k] ** 2))


def recurrent_backward(delta, s, k, W):
    """Multiplies by the raw state of step k + 1 where the slope at step k belongs.

    hanbt/learn_dl, rnn.py, issue 29; its own check takes two steps.
    """
    return (delta @ W.T) * s[k + 1]


def recurrent_as_published(X, U, W, target):
    """Backpropagation through time by that rule."""
    return _through_time(X, U, W, target, lambda delta, s, k: recurrent_backward(delta, s, k, W))


def _through_time(X, U, W, target, earlier):
    s = [np.zeros(len(W))]
    for x in X:
        s.append(np.tanh(x @ U + s[-1] @ W))
    delta = (s[-1] - target) * (1 - s[-1] ** 2)
    dW = np.zeros_like(W)
    for k in range(len(X), 0, -1):
        dW += np.outer(s[k - 1], delta)
        if k > 1:
            delta = earlier(delta, s, k - 1)
    return {"dW": dW}


def time_series(steps):
    """Draws the arrays of the recurrent layer, with some number of time steps."""

    def draw(rng):
        return normal(rng, X=(steps, 2), U=(2, 3), W=(3, 3), target=3)

    return draw


# -- nothing underneath ------------------------------------------------------------------------------------------------


def normalised_loss(X, W, gamma, T, np=np):
    """Half the squared error of a batch normalisation of X W, a mean over samples."""
    Z = np.dot(X, W)
    centred = Z - np.mean(Z, axis=0)
    return half_squared_error(gamma * centred / np.sqrt(np.mean(centred**2, axis=0)), T, np)


def normalised_gradient(X, W, gamma, T):
    """Every sample moves the mean and the spread of its batch: two more terms on the way down."""
    N, spread, D = _normalised(X, W, gamma, T)
    dN = D * gamma
    dZ = (dN - dN.mean(axis=0) - N * (dN * N).mean(axis=0)) / spread
    return {"dW": X.T @ dZ, "dgamma": (D * N).sum(axis=0)}


def normalised_backward(X, W, gamma, T):
    """A stand-in of ours: the mean and the spread are taken for constants. The layer's own parameters are right.

    In the spirit of mlpack, issue 1923, mended in pull request 1930; the published formula was not seen.
    """
    N, spread, D = _normalised(X, W, gamma, T)
    dZ = D * gamma / spread
    return {"dW": X.T @ dZ, "dgamma": (D * N).sum(axis=0)}


def _normalised(X, W, gamma, T):
    Z = X @ W
    spread = Z.std(axis=0)
    N = (Z - Z.mean(axis=0)) / spread
    return N, spread, (gamma * N - T) / len(X)


def _normalised_arrays(rng):
    return normal(rng, X=(8, 3), W=(3, 2), gamma=2, T=(8, 2))


CHECKING = (
    Exhibit(
        "one array compared",
        layer_loss,
        _layer_arrays,
        wrt=["W", "b"],
        batch=["X", "T"],
        right=layer_gradient,
        published=checked_layer,
    ),
    Exhibit(
        "two steps are not enough",
        recurrent_loss,
        time_series(5),
        wrt=["W"],
        right=recurrent_gradient,
        published=recurrent_as_published,
    ),
    Exhibit(
        "nothing underneath",
        normalised_loss,
        _normalised_arrays,
        wrt=["W", "gamma"],
        batch=["X", "T"],
        right=normalised_gradient,
        published=normalised_backward,
    ),
)
