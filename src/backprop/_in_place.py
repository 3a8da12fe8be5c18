"""The equations of `activations`, `losses` and `optimizers` once more, each in arrays that exist already.

`fast_step` is built from these parts. Every function writes into what it is given and returns nothing of its size; a
test holds each against the readable function of the same name.
"""

from collections.abc import Callable
from math import isfinite
from typing import NamedTuple

import numpy as np

from backprop.activations import SELU_ALPHA, SELU_LAMBDA
from backprop.optimizers import Adam, GradientDescent, Momentum

add, divide, exp, greater, log = np.add, np.divide, np.exp, np.greater, np.log
maximum, minimum, multiply, subtract = np.maximum, np.minimum, np.multiply, np.subtract

# So many numbers NumPy converts from one type to another in one piece: a mask of bool is then the faster one.
CONVERTED_AT_ONCE = 8192

# -- activations: forward(Z, zeros, s) turns Z into A; backward(dA, A, zeros, s, t, out) writes dZ, from A alone -------
#
# zeros holds zeros, s and t hold anything; all have A's shape. dA may be out.


def relu(Z, zeros, s):
    # Two arrays of one shape take NumPy's vectorised loop. A scalar 0 would be made into an array at every call.
    maximum(Z, zeros, out=Z)


def relu_backward(dA, A, zeros, s, t, out):
    # relu(z) > 0 exactly where z > 0.
    if A.size <= CONVERTED_AT_ONCE:
        multiply(dA, greater(A, zeros), out=out)
        return
    # The comparison lands as 0.0 and 1.0, in a buffer: no large array of bool is made and then converted.
    greater(A, zeros, out=s, casting="unsafe")
    multiply(dA, s, out=out)


def sigmoid(Z, zeros, s):
    # Where e⁻ᶻ overflows, 1/(1 + ∞) = 0 is the limit.
    np.negative(Z, out=Z)
    exp(Z, out=Z)
    add(Z, 1, out=Z)
    np.reciprocal(Z, out=Z)


def sigmoid_backward(dA, A, zeros, s, t, out):
    subtract(1, A, out=s)
    multiply(s, A, out=s)
    multiply(dA, s, out=out)


def tanh(Z, zeros, s):
    np.tanh(Z, out=Z)


def tanh_backward(dA, A, zeros, s, t, out):
    multiply(A, A, out=s)
    subtract(1, s, out=s)
    multiply(dA, s, out=out)


def identity(Z, zeros, s):
    pass


def identity_backward(dA, A, zeros, s, t, out):
    if out is not dA:
        out[...] = dA


def selu(Z, zeros, s):
    minimum(Z, zeros, out=s)
    np.expm1(s, out=s)
    multiply(s, SELU_LAMBDA * SELU_ALPHA, out=s)
    maximum(Z, zeros, out=Z)
    multiply(Z, SELU_LAMBDA, out=Z)
    add(Z, s, out=Z)


def selu_backward(dA, A, zeros, s, t, out):
    # λα eᶻ = A + λα where z ≤ 0, and λ where z > 0.
    minimum(A, zeros, out=s)
    add(s, SELU_LAMBDA * SELU_ALPHA, out=s)
    greater(A, zeros, out=t, casting="unsafe")
    multiply(t, SELU_LAMBDA * (1 - SELU_ALPHA), out=t)
    add(s, t, out=s)
    multiply(dA, s, out=out)


def softmax(Z, zeros, s):
    subtract(Z, Z.max(axis=1, keepdims=True), out=Z)
    exp(Z, out=Z)
    divide(Z, Z.sum(axis=1, keepdims=True), out=Z)


def softmax_backward(dA, A, zeros, s, t, out):
    multiply(dA, A, out=s)
    subtract(dA, s.sum(axis=1, keepdims=True), out=out)
    multiply(out, A, out=out)


class InPlace(NamedTuple):
    forward: Callable
    backward: Callable


ACTIVATIONS = {
    "relu": InPlace(relu, relu_backward),
    "sigmoid": InPlace(sigmoid, sigmoid_backward),
    "tanh": InPlace(tanh, tanh_backward),
    "identity": InPlace(identity, identity_backward),
    "selu": InPlace(selu, selu_backward),
    "softmax": InPlace(softmax, softmax_backward),
}

# -- softmax with cross-entropy: samples in columns, so that sums over classes run along memory -----------------------


# As many numbers as keep the logits aligned to cache lines stand before them, and as many behind: guards.
GUARD = 16


class SoftmaxCrossEntropy:
    """L = (1/m) Σᵢ (s ln Σₖ e^{zᵢₖ} − Σₖ yᵢₖ zᵢₖ) and c (sP − Y), where s is the sum of a row of Y, for m samples.

    `Z`, of shape (K, m), takes the logits before `classes` or `rows` is called. Afterwards `E` holds c (sP − Y) in the
    same layout. `c` is what the gradient is multiplied with, 1/m included.
    """

    def __init__(self, K, m, c, dtype):
        self.m, self.c = m, np.array(c, dtype)
        # A class that is not there leads into a guard, and the NaN there into the loss.
        self.flat_Z, self.flat_E = (np.full(K * m + 2 * GUARD, np.nan, dtype) for _ in range(2))
        self.Z, self.E = (flat[GUARD:-GUARD].reshape(K, m) for flat in (self.flat_Z, self.flat_E))
        self.largest, self.sums, self.logs, self.picked = (np.empty(m, dtype) for _ in range(4))
        self.of_classes, self.of_samples = np.ones(K, dtype), np.ones(m, dtype)
        self.columns, self.places = np.arange(GUARD, GUARD + m), np.empty(m, np.intp)

    def classes(self, Y):
        """The loss for integer classes; NaN where a class is not there."""
        E, sums, logs, places, picked = self.E, self.sums, self.logs, self.places, self.picked
        self._exponentials(self.Z, E, sums)
        # The logit of class y and sample i stands at place y m + i behind the guard.
        multiply(Y, self.m, out=places)
        add(places, self.columns, out=places)
        self.flat_Z.take(places, out=picked, mode="clip")
        log(sums, out=logs)
        subtract(logs, picked, out=logs)
        loss = self.of_samples.dot(logs).item() / self.m
        if isfinite(loss):
            divide(self.c, sums, out=sums)
            multiply(E, sums, out=E)
            self.flat_E[places] -= self.c
        return loss

    def rows(self, Y):
        """The loss for rows of weights; NaN where one is negative or their sum is not finite."""
        Z, E, sums, logs, s = self.Z, self.E, self.sums, self.logs, Y.sum(axis=1)
        if not (minimum.reduce(Y, axis=None) >= 0 and np.isfinite(s).all()):
            return np.nan
        self._exponentials(Z, E, sums)
        log(sums, out=logs)
        multiply(Z, Y.T, out=Z)
        loss = (s.dot(logs) - add.reduce(Z, axis=None)).item() / self.m
        divide(s, sums, out=sums)
        multiply(E, sums, out=E)
        subtract(E, Y.T, out=E)
        multiply(E, self.c, out=E)
        return loss

    def _exponentials(self, Z, E, sums):
        """Take the largest logit of each sample from its logits; exponentials in E, their sums over classes."""
        maximum.reduce(Z, axis=0, out=self.largest)
        subtract(Z, self.largest, out=Z)
        exp(Z, out=E)
        self.of_classes.dot(E, out=sums)


# -- optimizers: update(theta, g) -> a function of no arguments that moves theta --------------------------------------
#
# g holds `rate` times the gradient whenever it is called, and may be overwritten.

# Passes over the same numbers find them in the cache if there are not too many: 32,768 take 128 or 256 KiB an array.
BLOCK = 32_768


def _blocks(*arrays):
    return [[array[at : at + BLOCK] for array in arrays] for at in range(0, arrays[0].size, BLOCK)]


class Descent:
    """θ ← θ − ηg. The η comes in through `rate`: a backward pass is linear in what enters it at the top."""

    def __init__(self, optimizer):
        self.rate = optimizer.learning_rate

    def update(self, theta, g):
        def move():
            subtract(theta, g, out=theta)

        return move


class HeavyBall:
    """u ← μu + ηg and θ ← θ − u, where u = ηv."""

    def __init__(self, optimizer):
        self.rate, self.momentum = optimizer.learning_rate, optimizer.momentum

    def update(self, theta, g):
        blocks, momentum = _blocks(theta, g, np.zeros_like(theta)), np.array(self.momentum, theta.dtype)

        def move():
            for t, d, u in blocks:
                multiply(u, momentum, out=u)
                add(u, d, out=u)
                subtract(t, u, out=t)

        return move


class AdaptiveMoments:
    """Adam. Its step does not change with the size of g, so a rate could not enter through g."""

    rate = 1.0

    def __init__(self, optimizer):
        self.optimizer = optimizer

    def update(self, theta, g):
        means, squares = np.zeros_like(theta), np.zeros_like(theta)
        scratch = np.empty(min(BLOCK, theta.size), theta.dtype)
        blocks, steps, of = _blocks(theta, g, means, squares), 0, self.optimizer
        β1, β2, rest1, rest2, ε = (
            np.array(value, theta.dtype) for value in (of.beta1, of.beta2, 1 - of.beta1, 1 - of.beta2, of.epsilon)
        )

        def move():
            nonlocal steps
            steps += 1
            unbias = np.array(1 / (1 - of.beta2**steps), theta.dtype)
            rate = np.array(of.learning_rate / (1 - of.beta1**steps), theta.dtype)
            for t, d, m, v in blocks:
                s = scratch[: t.size]
                multiply(m, β1, out=m)
                multiply(d, rest1, out=s)
                add(m, s, out=m)
                multiply(v, β2, out=v)
                multiply(d, rest2, out=s)
                multiply(s, d, out=s)
                add(v, s, out=v)
                multiply(v, unbias, out=d)
                np.sqrt(d, out=d)
                add(d, ε, out=d)
                divide(m, d, out=d)
                multiply(d, rate, out=d)
                subtract(t, d, out=t)

        return move


UPDATES = {GradientDescent: Descent, Momentum: HeavyBall, Adam: AdaptiveMoments}
