"""One training step in stages from the readable functions to `FastStep`: each stage adds one trick.

All compute the same step: softmax with cross-entropy, hidden ReLU layers, gradient descent. `step.py` times them.
"""

import itertools

import numpy as np

from backprop.fast_step import FastStep
from backprop.network import MLP
from backprop.optimizers import GradientDescent

RATE = 0.01

STAGES = (
    "the readable functions",
    "no checks of shapes and numbers",
    "no dX for the first layer",
    "labels stay integers",
    "results go into buffers",
    "ReLU and its mask against zeros",
    "db as a product with ones",
    "logits with samples in columns",
    "the rate at the top, updates in place",
    "FastStep: a few checks again",
)


def start(sizes, dtype):
    return MLP.initialize(sizes, np.random.default_rng(0), dtype=np.dtype(dtype))


def make_readable(sizes, dtype):
    network, descent = start(sizes, dtype), GradientDescent(RATE)

    def step(X, y):
        nonlocal network
        loss, gradients = network.loss_and_gradients(X, y)
        network, _ = descent.step(network, gradients, ())
        return loss

    return step


def make_ours(sizes, dtype):
    """The step that the side-by-side benchmarks call: X (m, n₀) and integer classes, the loss back."""
    network, descent, made = start(sizes, dtype), GradientDescent(RATE), {}

    def step(X, y):
        if len(X) not in made:
            made[len(X)] = FastStep(network, descent, len(X)).step
        return made[len(X)](X, y)

    return step


def make_stage(stage, sizes, dtype):
    """The step at one stage, by its place in `STAGES`."""
    if stage == 0:
        return make_readable(sizes, dtype)
    if stage == len(STAGES) - 1:
        return make_ours(sizes, dtype)
    network = start(sizes, dtype)
    W, b = [w.copy() for w in network.weights], [v.copy() for v in network.biases]
    buffers, labels = {}, {}

    def step(X, y):
        m = len(X)
        if m not in buffers:
            buffers[m], labels[m] = Buffers(sizes, m, W[0].dtype), np.eye(sizes[-1], dtype=dtype)[y]
        at = buffers[m]
        A = forward(stage, X, W, b, at)
        loss, D = output(stage, A, W[-1], b[-1], y if stage >= 3 else labels[m], at)
        backward(stage, A, D, W, b, at)
        return float(loss)

    return step


class Buffers:
    """Arrays for m samples, made once."""

    def __init__(self, sizes, m, dtype):
        hidden, K = sizes[1:-1], sizes[-1]
        self.A, self.zeros, self.masks, self.dA = ([np.zeros((m, n), dtype) for n in hidden] for _ in range(4))
        self.Z, self.P = np.empty((m, K), dtype), np.empty((m, K), dtype)
        self.Z_columns, self.P_columns = np.empty((K, m), dtype), np.empty((K, m), dtype)
        self.dW = [np.empty(pair, dtype) for pair in itertools.pairwise(sizes)]
        self.db = [np.empty(n, dtype) for n in sizes[1:]]
        self.ones, self.of_classes, self.rows = np.ones(m, dtype), np.ones(K, dtype), np.arange(m)


def forward(stage, X, W, b, at):
    A = [X]
    for l in range(len(W) - 1):
        if stage < 4:
            A.append(np.maximum(A[-1] @ W[l] + b[l], 0))
            continue
        Z = np.dot(A[-1], W[l], out=at.A[l])
        np.add(Z, b[l], out=Z)
        A.append(np.maximum(Z, at.zeros[l] if stage >= 5 else 0, out=Z))
    return A


def output(stage, A, W, b, y, at):
    m, rate = len(A[-1]), RATE if stage >= 8 else 1
    if stage < 3:
        Z = A[-1] @ W + b
        E = np.exp(Z - Z.max(axis=1, keepdims=True))
        P = E / E.sum(axis=1, keepdims=True)
        return -np.sum(y * np.log(P)) / m, (P - y) / m
    if stage < 7:
        Z = A[-1] @ W + b if stage < 4 else np.add(np.dot(A[-1], W, out=at.Z), b, out=at.Z)
        Z -= Z.max(axis=1, keepdims=True)
        own = Z[at.rows, y]
        P = np.exp(Z) if stage < 4 else np.exp(Z, out=at.P)
        sums = P.sum(axis=1, keepdims=True)
        P /= sums
        P[at.rows, y] -= 1
        P /= m
        return (np.log(sums).sum() - own.sum()) / m, P
    Z, P = np.dot(W.T, A[-1].T, out=at.Z_columns), at.P_columns
    np.add(Z, b[:, np.newaxis], out=Z)
    np.subtract(Z, np.maximum.reduce(Z, axis=0), out=Z)
    own = Z[y, at.rows]
    np.exp(Z, out=P)
    sums = np.dot(at.of_classes, P)
    loss = (np.log(sums).sum() - own.sum()) / m
    np.multiply(P, np.array(rate / m, P.dtype) / sums, out=P)
    P[y, at.rows] -= np.array(rate / m, P.dtype)
    return loss, P.T


def backward(stage, A, D, W, b, at):
    gradients = []
    for l in reversed(range(len(W))):
        below = backward_below(stage, l, D, W[l], at) if l or stage < 2 else None
        dW = A[l].T @ D if stage < 4 else np.dot(A[l].T, D, out=at.dW[l])
        db = D.sum(axis=0) if stage < 6 else np.dot(at.ones, D, out=at.db[l])
        if stage >= 8:
            np.subtract(W[l], dW, out=W[l])
            np.subtract(b[l], db, out=b[l])
        else:
            gradients.append((l, dW, db))
        if l:
            D = masked(stage, below, A[l], at, l)
    for l, dW, db in gradients:
        W[l] = W[l] - RATE * dW
        b[l] = b[l] - RATE * db


def backward_below(stage, l, D, W, at):
    return D @ W.T if stage < 4 or not l else np.dot(D, W.T, out=at.dA[l - 1])


def masked(stage, dA, A, at, l):
    if stage < 5:
        return dA * (A > 0) if stage < 4 else np.multiply(dA, A > 0, out=dA)
    mask = np.greater(A, at.zeros[l - 1], out=at.masks[l - 1], casting="unsafe")
    return np.multiply(dA, mask, out=dA)


def traps(dtype=np.float32):
    """What looks harmless and is not: pairs of a trap and what to write instead, ready to be called."""
    rng = np.random.default_rng(0)
    W, D = (rng.standard_normal(shape).astype(dtype) for shape in ((512, 256), (128, 256)))
    dA, theta, g, rate = np.empty((128, 512), dtype), W.copy(), 1e-3 * W, np.array(RATE, dtype)
    wide = np.float64(RATE)
    return {
        "np.einsum for dZ Wᵀ": (lambda: np.einsum("ij,kj->ik", D, W), lambda: np.dot(D, W.T, out=dA)),
        "a copy of Wᵀ": (lambda: np.dot(D, np.ascontiguousarray(W.T), out=dA), lambda: np.dot(D, W.T, out=dA)),
        "a float64 scalar, float32 weights": (
            lambda: theta - wide * g,
            lambda: np.subtract(theta, np.multiply(g, rate, out=g), out=theta),
        ),
    }
