"""Room 4: order and state. A backward pass reads what the forward pass left, once, and in the right order."""

import numpy as np

from backprop.exhibits._exhibit import Exhibit
from backprop.exhibits._networks import normal, tanh_loss, tanh_pass, through_weights

# -- update, then propagate --------------------------------------------------------------------------------------------

tanh_gradient = tanh_pass(through_weights)
RATE = 0.1


def one_training_step(X, V, W, T, rate=RATE):
    """Reads W after its update.

    Bot-Academy/NeuralNetworkFromScratch, pull request 3; joelgrus/data-science-from-scratch, first edition, issue 31;
    CodingTrain/Toy-Neural-Network-JS, issue 72.
    """
    A = np.tanh(X @ V)
    D = (A @ W - T) / len(X)
    dW = A.T @ D
    W = W - rate * dW
    dV = X.T @ (D @ W.T * (1 - A**2))
    return {"dV": dV, "dW": dW}


def _tanh_arrays(rng):
    return normal(rng, X=(7, 3), V=(3, 5), W=(5, 2), T=(7, 2))


# -- a node that is used twice -----------------------------------------------------------------------------------------


class Number:
    """A number that remembers what it was made of, and with which slopes; what arrives is sent on once a path."""

    def __init__(self, value, made_of=()):
        self.value, self.made_of, self.gradient = value, made_of, 0.0

    def __add__(self, other):
        return type(self)(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        return type(self)(self.value * other.value, ((self, other.value), (other, self.value)))

    def send_back(self, arriving):
        self.gradient += arriving
        for child, slope in self.made_of:
            child.send_back(slope * arriving)


class NumberWithGradient(Number):
    """On each visit it sends on its running total, so what came first is sent again.

    SethHWeidman/DLFS_code, Autograd_Simple, pull request 13; the same family: karpathy/micrograd, issue 2, mended.
    """

    def send_back(self, arriving):
        self.gradient += arriving
        for child, slope in self.made_of:
            child.send_back(slope * self.gradient)


def reused(a):
    """(4a + 3) + 5 · 4a, of numbers of the kind of a: the product 4a is used twice."""
    kind = type(a)
    b = a * kind(4.0)
    return (b + kind(3.0)) + b * kind(5.0)


def reused_loss(a, t, np=np):
    """Half the squared distance of 24a + 3, which is what all this adds up to, from a target."""
    return np.sum((24 * a + 3 - t) ** 2) / 2


def reused_gradient(a, t):
    """By numbers that send on what arrives."""
    return {"da": _swept(a, t, Number)}


def running_gradient(a, t):
    """By numbers that send on their running total."""
    return {"da": _swept(a, t, NumberWithGradient)}


def _swept(a, t, kind):
    leaf = kind(float(a[0]))
    out = reused(leaf)
    out.send_back(out.value - t[0])
    return np.array([leaf.gradient])


def _one_number(rng):
    return normal(rng, a=1, t=1)


ORDER = (
    Exhibit(
        "update, then propagate",
        tanh_loss,
        _tanh_arrays,
        wrt=["V", "W"],
        batch=["X", "T"],
        right=tanh_gradient,
        published=one_training_step,
    ),
    Exhibit(
        "the gradient sent twice",
        reused_loss,
        _one_number,
        wrt=["a"],
        right=reused_gradient,
        published=running_gradient,
        rate=1e-3,
    ),
)
