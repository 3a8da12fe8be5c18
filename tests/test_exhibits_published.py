"""Every published program of the museum computes what its label says: its gradient, worked out by another road.

Entry by entry in loops, or as the numerical derivative of the loss that the program mistakes for its own. That it is no
other wrong gradient than the published one, no check of the museum can tell: they all ask whether it is wrong.
"""

import numpy as np
import pytest

from backprop.exhibits import EXHIBITS
from backprop.gradcheck import central_difference, relative_error


def layer(X, dA, slopes):
    """The gradient of the weights of X V, one outer product a sample, with a slope for each entry."""
    return sum(np.outer(x, da * slope) for x, da, slope in zip(X, dA, slopes, strict=True))


def sigmoid(Z):
    return (1 + np.tanh(Z / 2)) / 2


def softmax(Z):
    return np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)


def half_a_square(predictions, T):
    return ((predictions - T) ** 2).sum() / 2 / len(T)


def masks_nothing(right, X, V, W, T, keep):
    """Behind the values of relu, the layer moves as if it had none."""
    A = 2 * keep * np.maximum(X @ V, 0)
    return {"dV": central_difference(lambda at: half_a_square((A + 2 * keep * (X @ (at - V))) @ W, T), V)}


def value_for_slope(right, X, V, W, T):
    A = np.maximum(X @ V, 0)
    return {"dV": layer(X, (A @ W - T) @ W.T, A) / len(X)}


def all_units_alike(right, X, V, W, T):
    return {"dV": np.repeat(right["dV"].sum(axis=1, keepdims=True), V.shape[1], axis=1)}


def slope_at_the_output(right, X, V, W, T):
    def slope(z):
        return 1 / (2 + 2 * np.cosh(z))

    A = sigmoid(X @ V)
    A2 = sigmoid(A @ W)
    D = (A2 - T) / len(X)
    return {"dW": layer(A, D, slope(A2)), "dV": layer(X, (D * slope(A2)) @ W.T, slope(A))}


def one_bias_for_all(right, X, W, b, Y):
    return {"db": np.full(len(b), right["db"].sum())}


def average_of_averages(right, X, w, t):
    """Two tokens share one half of the loss, the other ten share the other half."""
    return {"dw": sum((1 / 4 if n < 2 else 1 / 20) * X[n] * (X[n] @ w - t[n]) for n in range(12))}


def all_pairs(right, X, w, b, t):
    moves = [(x, 2 * (x @ w[:, 0] + b[0] - target)) for x in X for target in t]
    return {"dw": sum(x * d for x, d in moves)[:, np.newaxis] / 100, "db": np.array([sum(d for _, d in moves)]) / 100}


def transposed_input(right, X, V, W, T):
    A = np.tanh(X @ V)
    D = (A @ W - T) / len(X)
    return {"dV": layer(X, np.einsum("nk,qk->nq", D, A), 1 / np.cosh(X @ V) ** 2)}


def moved_weights(right, X, V, W, T):
    D = (np.tanh(X @ V) @ W - T) / len(X)
    return {"dV": layer(X, D @ (W - 0.1 * right["dW"]).T, 1 / np.cosh(X @ V) ** 2)}


def lost_minus(right, X, w, y):
    """The samples with y = 0 push to the other side."""
    p = sigmoid(X @ w)
    return {"dw": sum(x * (q - 1 if label else -q) for x, q, label in zip(X, p, y, strict=True)) / len(X)}


def usual_loss(right, Z, Y):
    return {"dZ": central_difference(lambda Z: -np.log(softmax(Z)[Y == 1]).mean(), Z)}


def softmax_twice(right, X, W, Y):
    return {"dW": central_difference(lambda W: -np.log(softmax(softmax(X @ W))[Y == 1]).mean(), W)}


def rows_of_minus_one(right, Z, R):
    """Where a row of G adds up to −1 it is right. What is missing there, or too much, does not go through softmax."""
    G = np.log(softmax(Z)) - R
    excess = (G.sum(axis=1, keepdims=True) + 1) / Z.shape[1]
    through = central_difference(lambda Z: ((G - excess) * np.log(softmax(Z))).sum(), Z)
    return {"dZ": through + excess}


def raw_states(right, X, U, W, target):
    states = [np.zeros(len(W))]
    for x in X:
        states.append(np.tanh(x @ U + states[-1] @ W))
    delta, dW = (states[-1] - target) / np.cosh(X[-1] @ U + states[-2] @ W) ** 2, 0
    for k in (4, 3, 2, 1, 0):
        dW = dW + np.outer(states[k], delta)
        delta = np.array([row @ delta for row in W]) * states[k + 1]
    return {"dW": dW}


def fixed_mean_and_spread(right, X, W, gamma, T):
    mean, spread = (X @ W).mean(axis=0), (X @ W).std(axis=0)
    return {"dW": central_difference(lambda W: half_a_square(gamma * (X @ W - mean) / spread, T), W)}


# Where nothing is said of an array, its published gradient is the right one.
PUBLISHED = {
    "the mask that masks nothing": masks_nothing,
    "dropout, forward only": lambda right, **at: {"dV": right["dV"] / 2},
    "the value for the slope": value_for_slope,
    "one gradient for all units": all_units_alike,
    "sigmoid of a sigmoid": slope_at_the_output,
    "one step for all biases": one_bias_for_all,
    "mean in the loss, sum in the gradient": lambda right, **at: {"dW": right["dW"] * 5},
    "the average of averages": average_of_averages,
    "the average's forgotten 1/C": lambda right, **at: {"dV": right["dV"] * 3},
    "the silent square": all_pairs,
    "the wrong transpose": transposed_input,
    "update, then propagate": moved_weights,
    "the gradient sent twice": lambda right, **at: {"da": right["da"] * 28 / 24},
    "the lost minus": lost_minus,
    "two wrongs make p − y": usual_loss,
    "softmax twice": softmax_twice,
    "a shortcut's hidden assumption": rows_of_minus_one,
    "one array compared": lambda right, **at: {"db": right["db"] / 10},
    "two steps are not enough": raw_states,
    "nothing underneath": fixed_mean_and_spread,
}


def test_every_exhibit_is_described():
    assert set(PUBLISHED) == set(EXHIBITS)


@pytest.mark.parametrize("title", PUBLISHED)
def test_the_published_gradient_is_the_one_that_is_described(title):
    exhibit = EXHIBITS[title]
    at = exhibit.problem.at
    right, published = exhibit.right(**at), exhibit.published(**at)
    described = right | PUBLISHED[title](right, **at)
    assert set(published) == set(described)
    for name, gradient in published.items():
        assert relative_error(np.broadcast_to(gradient, described[name].shape), described[name]) < 1e-8, name
