"""Room 3: shapes and broadcasting. What fits is not what is meant."""

import numpy as np

from backprop.exhibits._exhibit import Exhibit
from backprop.exhibits._networks import normal, tanh_loss, tanh_pass, through_weights

# -- (n, 1) beside (n,) ------------------------------------------------------------------------------------------------


def line_loss(X, w, b, t, np=np):
    """Squared error of a linear model, a mean over samples: n differences."""
    return np.mean((np.dot(X, w)[:, 0] + b - t) ** 2)


def line_gradient(X, w, b, t):
    """The gradient of that loss."""
    d = 2 * ((X @ w)[:, 0] + b - t) / len(t)
    return {"dw": X.T @ d[:, np.newaxis], "db": d.sum(keepdims=True)}


def loss_of_columns(X, w, b, t, np=np):
    """Predictions of shape (n, 1) minus targets of shape (n,): broadcasting makes n² differences.

    pytorch/pytorch, issue 16045; since then a warning.
    """
    prediction = np.dot(X, w) + b
    return np.mean((prediction - t) ** 2)


def gradient_of_columns(X, w, b, t):
    """The exact gradient of the loss of the n² differences."""
    D = 2 * (X @ w + b - t) / len(t) ** 2
    d = D.sum(axis=1, keepdims=True)
    return {"dw": X.T @ d, "db": d.sum(axis=0)}


def predicted(X, w, b, t):
    """One number a sample."""
    return (X @ w)[:, 0] + b


def _line(rng):
    at = normal(rng, X=(10, 2), w=(2, 1), b=1)
    return at | {"t": 10 + 9 * at["X"][:, 0] - 2 * at["X"][:, 1]}


# -- a transpose -------------------------------------------------------------------------------------------------------


def input_of_a_linear_layer(dY, X, W):
    """The gradient of X in Y = X W, with the transpose of the wrong array.

    Reported of equation 12 of a handout: cs231n/cs231n.github.io, issue 229.
    """
    return dY @ X.T


def _squares(rng):
    # Everything is four by four: a network that uses that formula runs.
    return normal(rng, X=(4, 4), V=(4, 4), W=(4, 4), T=(4, 4))


SHAPES = (
    Exhibit(
        "the silent square",
        line_loss,
        _line,
        wrt=["w", "b"],
        batch=["X", "t"],
        right=line_gradient,
        published=gradient_of_columns,
        program=loss_of_columns,
        predict=predicted,
    ),
    Exhibit(
        "the wrong transpose",
        tanh_loss,
        _squares,
        wrt=["V", "W"],
        batch=["X", "T"],
        right=tanh_pass(through_weights),
        published=tanh_pass(input_of_a_linear_layer),
    ),
)
