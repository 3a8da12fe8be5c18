"""How a gradient becomes a step: gradient descent, momentum and Adam.

The notes compute gradients and never write the step that uses them. Every optimiser is two pure functions, in PyTorch's
formulas and with its defaults: ``init(network)`` gives the state before the first step, ``step(network, gradients,
state)`` the network and the state after one more. All gradients exist before any parameter moves.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

import numpy as np

from backprop._arguments import having, real, sequence, shown, whole
from backprop._arrays import refuse, to_array
from backprop._runs import finite

Tensors = tuple[np.ndarray, ...]


def _within_range(step: Callable) -> Callable:
    """Refuse a step that leaves the range of the numbers: an infinite mean square would make every later one 0."""

    @functools.wraps(step)
    def checked(self, network, gradients, state):
        with np.errstate(over="ignore", invalid="ignore"):
            after, memory = step(self, network, gradients, state)
        if not finite(memory):
            raise ValueError("gradients are too large: what the optimiser remembers overflows")
        return after, memory

    return checked


class AdamState(NamedTuple):
    """The number of steps taken, and a running mean of every gradient and of its square: weights first, then biases."""

    steps: int
    mean: Tensors
    square: Tensors


@dataclass(frozen=True)
class GradientDescent:
    """θ ← θ − η g, where g is the gradient of the parameter θ and η the learning rate.

    Parameters
    ----------
    learning_rate : float
        η, above 0.

    Raises
    ------
    ValueError, TypeError
        A learning rate that is not a positive, finite number.

    Notes
    -----
    `torch.optim.SGD`. Its gradient times k is a learning rate times k.

    Examples
    --------
    >>> from backprop.network import MLP
    >>> network = MLP([[[1.0], [2.0]]], [[0.0]], loss="mean_squared_error")
    >>> X, Y = [[1, 1], [2, 0], [0, 3]], [[3], [1], [6]]
    >>> loss, gradients = network.loss_and_gradients(X, Y)
    >>> descent = GradientDescent(learning_rate=0.25)
    >>> after, state = descent.step(network, gradients, descent.init(network))
    >>> print(f"{loss:.4f} {after.loss(X, Y):.4f}")
    0.3333 0.1019
    """

    learning_rate: float

    def __post_init__(self):
        _set_positive(self, "learning_rate")

    def init(self, network) -> tuple[()]:
        """The state before the first step: gradient descent remembers nothing.

        Raises
        ------
        TypeError
            No network, or a complex one.
        """
        _parameters(network)
        return ()

    @_within_range
    def step(self, network, gradients, state) -> tuple[Any, tuple[()]]:
        """The network after one step, and the state, which stays empty.

        Raises
        ------
        ValueError
            Gradients of other shapes than the parameters, NaN, ±inf, a state that is not empty; a step beyond the range
            of the dtype.
        TypeError
            No network, or a complex one; gradients without dW and db, or of a dtype other than float32, float64,
            integers and bool.
        """
        theta = _parameters(network)
        g = _gradients(gradients, theta)
        _refuse_memory(state)
        moved = [t - self.learning_rate * d for t, d in zip(theta, g, strict=True)]
        return _moved(network, moved), ()


@dataclass(frozen=True)
class Momentum:
    """v ← μ v + g and θ ← θ − η v, from v = 0.

    Parameters
    ----------
    learning_rate : float
        η, above 0.
    momentum : float
        μ, from 0 to below 1. A gradient that does not change ends as one of 1/(1 − μ) times its size.

    Raises
    ------
    ValueError, TypeError
        A parameter outside its range, or not a number.

    Notes
    -----
    `torch.optim.SGD` with momentum, without dampening. Polyak's form keeps η inside v; the two differ when η changes.

    Examples
    --------
    >>> from backprop.network import MLP
    >>> network = MLP([[[1.0], [2.0]]], [[0.0]], loss="mean_squared_error")
    >>> _, gradients = network.loss_and_gradients([[1, 1], [2, 0], [0, 3]], [[3], [1], [6]])
    >>> heavy = Momentum(learning_rate=0.25, momentum=0.5)
    >>> after, velocity = heavy.step(network, gradients, heavy.init(network))
    >>> [v.shape for v in velocity]
    [(2, 1), (1,)]
    """

    learning_rate: float
    momentum: float = 0.9

    def __post_init__(self):
        _set_positive(self, "learning_rate")
        _set_share(self, "momentum")

    def init(self, network) -> Tensors:
        """The state before the first step: a velocity of 0 for every weight matrix, then for every bias.

        Raises
        ------
        TypeError
            No network, or a complex one.
        """
        return tuple(np.zeros_like(t) for t in _parameters(network))

    @_within_range
    def step(self, network, gradients, state) -> tuple[Any, Tensors]:
        """The network and the velocities after one step.

        Raises
        ------
        ValueError, TypeError
            As `GradientDescent.step`, for the gradients and for the velocities.
        """
        theta = _parameters(network)
        g = _gradients(gradients, theta)
        before = _like_parameters("state", state, theta)
        velocity = tuple(self.momentum * v + d for v, d in zip(before, g, strict=True))
        moved = [t - self.learning_rate * v for t, v in zip(theta, velocity, strict=True)]
        return _moved(network, moved), velocity


@dataclass(frozen=True)
class Adam:
    r"""θ ← θ − η m̂ / (√v̂ + ε), with running means m of g and v of g², both from 0 and corrected for that start.

    m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) at step t = 1, 2, …

    Parameters
    ----------
    learning_rate : float
        η, above 0: about the size of every step, whatever the size of the gradient.
    beta1, beta2 : float
        From 0 to below 1.
    epsilon : float
        ε, above 0.

    Raises
    ------
    ValueError, TypeError
        A parameter outside its range, or not a number.

    Notes
    -----
    Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), algorithm 1; `torch.optim.Adam`. A factor in all
    gradients cancels in m̂ / √v̂, so that only ε notices it.

    Examples
    --------
    >>> from backprop.network import MLP
    >>> network = MLP([[[1.0], [2.0]]], [[0.0]], loss="mean_squared_error")
    >>> _, gradients = network.loss_and_gradients([[1, 1], [2, 0], [0, 3]], [[3], [1], [6]])
    >>> adam = Adam(learning_rate=0.25)
    >>> after, state = adam.step(network, gradients, adam.init(network))
    >>> gradients.dW[0].round(3).tolist(), (network.weights[0] - after.weights[0]).round(6).tolist()
    ([[1.333], [0.0]], [[0.25], [0.0]])
    >>> state.steps
    1
    """

    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self):
        _set_positive(self, "learning_rate")
        _set_share(self, "beta1")
        _set_share(self, "beta2")
        _set_positive(self, "epsilon")

    def init(self, network) -> AdamState:
        """The state before the first step: no step taken, both means 0.

        Raises
        ------
        TypeError
            No network, or a complex one.
        """
        zeros = tuple(np.zeros_like(t) for t in _parameters(network))
        return AdamState(0, zeros, zeros)

    @_within_range
    def step(self, network, gradients, state) -> tuple[Any, AdamState]:
        """The network and the running means after one step.

        Raises
        ------
        ValueError, TypeError
            As `GradientDescent.step`, for the gradients and for the means; a negative mean square; a state that is no
            `AdamState`, or whose number of steps is no integer of 0 or more.
        """
        theta = _parameters(network)
        g = _gradients(gradients, theta)
        t, m, v = _running_means(state, theta)
        m = [self.beta1 * old + (1 - self.beta1) * d for old, d in zip(m, g, strict=True)]
        v = [self.beta2 * old + (1 - self.beta2) * d * d for old, d in zip(v, g, strict=True)]
        m_hat = [each / (1 - self.beta1**t) for each in m]
        v_hat = [each / (1 - self.beta2**t) for each in v]
        moved = [
            p - self.learning_rate * mean / (np.sqrt(square) + self.epsilon)
            for p, mean, square in zip(theta, m_hat, v_hat, strict=True)
        ]
        return _moved(network, moved), AdamState(t, tuple(m), tuple(v))


def _parameters(network) -> Tensors:
    having("network", network, "weights biases with_parameters", "an MLP")
    theta = (*network.weights, *network.biases)
    if any(t.dtype.kind == "c" for t in theta):
        raise TypeError("network is complex: only its loss is defined, for the complex step")
    return theta


def _gradients(gradients, theta: Tensors) -> Tensors:
    """The gradients in the order of `_parameters`. A shape that only broadcasts is refused."""
    having("gradients", gradients, "dW db", "what MLP.loss_and_gradients returns")
    dW, db = (sequence(f"gradients.{f}", getattr(gradients, f), "one array a layer") for f in ("dW", "db"))
    return _like_parameters("gradients", (*dW, *db), theta)


def _like_parameters(name: str, tensors: Any, theta: Tensors) -> Tensors:
    tensors = sequence(name, tensors, "one array for each parameter")
    tensors = tuple(to_array(f"{name}[{k}]", t) for k, t in enumerate(tensors))
    found, expected = [t.shape for t in tensors], [t.shape for t in theta]
    if found != expected:
        raise ValueError(f"{name} has shapes {found}: expected {expected}, those of the weights, then of the biases")
    return tensors


def _refuse_memory(state: Any) -> None:
    if not isinstance(state, tuple) or state:
        raise ValueError(f"state is {shown(state)}: expected (), because gradient descent remembers nothing")


def _running_means(state: Any, theta: Tensors) -> tuple[int, Tensors, Tensors]:
    """The number of the step that comes, and both means."""
    if not isinstance(state, AdamState):
        raise TypeError(f"state is {shown(state)}: expected an AdamState")
    steps = whole("state.steps", state.steps, 0)
    mean, square = (_like_parameters(f"state.{f}", getattr(state, f), theta) for f in ("mean", "square"))
    for k, each in enumerate(square):
        if each.min(initial=0) < 0:
            refuse(each < 0, f"state.square[{k}]", each, "expected a mean of squares")
    return steps + 1, mean, square


def _moved(network, parameters):
    layers = len(network.weights)
    if not finite(tuple(parameters)):
        raise ValueError("gradients are too large for this learning_rate: a parameter overflows")
    return network.with_parameters(parameters[:layers], parameters[layers:])


def _set_positive(optimizer, name: str) -> None:
    value = _as_float(optimizer, name)
    if not 0 < value < inf:
        raise ValueError(f"{name} is {value}: expected a positive, finite number")


def _set_share(optimizer, name: str) -> None:
    value = _as_float(optimizer, name)
    if not 0 <= value < 1:
        raise ValueError(f"{name} is {value}: expected a number from 0 to below 1")


def _as_float(optimizer, name: str) -> float:
    # A NumPy float64 would turn every float32 parameter that it meets into float64; Python's own floats do not.
    value = real(name, getattr(optimizer, name))
    object.__setattr__(optimizer, name, value)
    return value
