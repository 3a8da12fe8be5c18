"""Checking all 2,410 parameters of a 64-32-10 network by centred differences: our fast path against three loops.

Every contestant computes the same numbers in the same process, one after the other, in rounds; a ratio is the median of
the rounds' ratios, so that a busy machine slows both sides of it. Run: python benchmarks/gradcheck.py [--rounds 7]
"""

import argparse
import itertools
import os
import statistics
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # matrices this small gain nothing from threads

import numpy as np

from backprop.gradcheck import central_difference, check_network, directional_check, relative_error
from backprop.network import MLP

SIZES = (64, 32, 10)
TARGET = 30


def problem(m):
    rng = np.random.default_rng(0)
    network = MLP.initialize(SIZES, rng)
    network = network.with_parameters(network.weights, [0.1 * rng.standard_normal(b.shape) for b in network.biases])
    return network, rng.standard_normal((m, SIZES[0])), rng.integers(0, SIZES[-1], m)


def flat(weights, biases):
    return np.concatenate([part.ravel() for pair in zip(weights, biases, strict=True) for part in pair])


def unflat(theta):
    """The weights and the biases, as views of one vector."""
    weights, biases, at = [], [], 0
    for n_in, n_out in itertools.pairwise(SIZES):
        weights.append(theta[at : at + n_in * n_out].reshape(n_in, n_out))
        biases.append(theta[at + n_in * n_out : at + n_in * n_out + n_out])
        at += (n_in + 1) * n_out
    return weights, biases


def readable_loop(network, X, Y):
    """`central_difference` of `MLP.loss`: two whole forward passes a parameter."""
    theta = flat(network.weights, network.biases)
    return central_difference(lambda t: network.with_parameters(*unflat(t)).loss(X, Y), theta)


def textbook_loop(network, X, Y, h=1e-5):
    """The same loop over a loss as a textbook writes it: one function a step, parameters moved in place."""
    theta = flat(network.weights, network.biases)
    weights, biases = unflat(theta)

    def linear(A, W, b):
        return A @ W + b

    def relu(Z):
        return np.maximum(Z, 0)

    def cross_entropy(Z, Y):
        largest = Z.max(axis=-1, keepdims=True)
        log_sums = np.log(np.exp(Z - largest).sum(axis=-1)) + largest[..., 0]
        return (log_sums - np.take_along_axis(Z, Y[:, np.newaxis], axis=-1)[..., 0]).mean()

    def loss():
        A = X
        for l, (W, b) in enumerate(zip(weights, biases, strict=True)):
            A = linear(A, W, b)
            if l < len(weights) - 1:
                A = relu(A)
        return cross_entropy(A, Y)

    return differences(loss, theta, h)


def bare_loop(network, X, Y, h=1e-5):
    """The same loop as fast as a loop can be in NumPy: no input checks, no copies, parameters moved in place."""
    theta = flat(network.weights, network.biases)
    (W1, W2), (b1, b2) = unflat(theta)
    rows = np.arange(len(X))

    def loss():
        Z = np.maximum(X @ W1 + b1, 0) @ W2 + b2
        largest = Z.max(axis=1, keepdims=True)
        return (np.log(np.exp(Z - largest).sum(axis=1)) + largest[:, 0] - Z[rows, Y]).mean()

    return differences(loss, theta, h)


def differences(loss, theta, h):
    """Centred differences of a loss of no arguments that looks at theta, which is moved in place."""
    gradient = np.empty_like(theta)
    for j in range(theta.size):
        at = theta[j]
        theta[j] = at + h
        above = loss()
        theta[j] = at - h
        below = loss()
        theta[j] = at
        gradient[j] = (above - below) / (2 * h)
    return gradient


def complex_directions(network, X, Y):
    """Ten random directions by the complex step: the cheapest check, which cannot say where an error is."""
    _, gradients = network.loss_and_gradients(X, Y)
    return directional_check(
        lambda t: network.with_parameters(*unflat(t)).loss(X, Y),
        flat(gradients.dW, gradients.db),
        flat(network.weights, network.biases),
        np.random.default_rng(1),
        method="complex",
    )


def seconds(contestant, arguments, repeats):
    start = time.perf_counter()
    for _ in range(repeats):
        contestant(*arguments)
    return (time.perf_counter() - start) / repeats


def compare(m, rounds):
    """Print the table for a batch of m; return check_network's speed-up over the textbook loop."""
    arguments = problem(m)
    network, X, Y = arguments
    _, gradients = network.loss_and_gradients(X, Y)
    exact = flat(gradients.dW, gradients.db)
    contestants = {readable_loop: 1, textbook_loop: 1, bare_loop: 1, check_network: 10, complex_directions: 10}
    errors = {
        "readable_loop": relative_error(exact, readable_loop(*arguments)),
        "textbook_loop": relative_error(exact, textbook_loop(*arguments)),
        "bare_loop": relative_error(exact, bare_loop(*arguments)),
        "check_network": max(row.error for row in check_network(*arguments).rows),
        "complex_directions": complex_directions(*arguments),
    }
    times = {contestant: [] for contestant in contestants}
    for _ in range(rounds):
        for contestant, repeats in contestants.items():
            times[contestant].append(seconds(contestant, arguments, repeats))
    print(f"batch of {m}, {exact.size} parameters, {rounds} rounds")
    print(f"  {'':20}{'ms':>9}{'readable / it':>15}{'textbook / it':>15}{'bare / it':>11}{'relative error':>16}")
    for contestant, taken in times.items():
        ratios = [
            statistics.median(loop / own for loop, own in zip(times[other], taken, strict=True))
            for other in (readable_loop, textbook_loop, bare_loop)
        ]
        name, ms = contestant.__name__, 1e3 * statistics.median(taken)
        readable, textbook, bare = ratios
        print(f"  {name:20}{ms:9.2f}{readable:15.1f}{textbook:15.1f}{bare:11.1f}{errors[name]:16.1e}")
    return statistics.median(a / b for a, b in zip(times[textbook_loop], times[check_network], strict=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    worst = min(compare(m, rounds) for m in (8, 32))
    print(f"check_network against the textbook loop: at least {worst:.0f} times as fast; the target is {TARGET}")
    if worst < TARGET:
        raise SystemExit("the target is missed")


if __name__ == "__main__":
    main()
