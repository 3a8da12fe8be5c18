"""Room 1: masks and slopes. A slope belongs to one function, at one place."""

import numpy as np

from backprop.exhibits._exhibit import Exhibit
from backprop.exhibits._networks import half_squared_error, normal, sigmoid

# -- a ReLU layer with dropout, then a linear one ----------------------------------------------------------------------


def dropout_loss(X, V, W, T, keep, np=np):
    """Half the squared error, a mean over samples; `keep` is a frozen dropout mask, its survivors doubled."""
    A = np.maximum(np.dot(X, V), 0) * keep * 2
    return half_squared_error(np.dot(A, W), T, np)


def dropout_pass(hidden):
    """The whole gradient, given the rule that takes dA back through dropout and ReLU."""

    def gradient(X, V, W, T, keep):
        Z = X @ V
        A = np.maximum(Z, 0) * keep * 2
        D = (A @ W - T) / len(X)
        return {"dV": X.T @ hidden(D @ W.T, Z, A, keep), "dW": A.T @ D}

    return gradient


def through_dropout_and_relu(dA, Z, A, keep):
    """What was meant."""
    return dA * keep * 2 * (Z > 0)


def through_relu(dA, Z, A, keep):
    """Tests the activation, which is never negative: the mask is true everywhere. Dropout is right here.

    numpy/numpy-tutorials, deep learning on MNIST; its ancestor in Grokking-Deep-Learning, chapter 8.
    """
    slope = A >= 0
    return dA * slope * keep * 2


def through_dropout(dA, Z, A, keep):
    """Forgets the 2 of the survivors on the way back. The mask of ReLU is right here. Same source."""
    return dA * (Z > 0) * keep


def _dropout_arrays(rng):
    keep = rng.permutation([[1.0], [1], [1], [0], [0], [0]] * 5).reshape(6, 5)
    return normal(rng, X=(6, 3), V=(3, 5), W=(5, 2), T=(6, 2)) | {"keep": keep}


# -- a ReLU layer, then a linear one -----------------------------------------------------------------------------------


def relu_loss(X, V, W, T, np=np):
    """Half the squared error, a mean over samples."""
    return half_squared_error(np.dot(np.maximum(np.dot(X, V), 0), W), T, np)


def relu_pass(first):
    """The whole gradient, given the rule for dV."""

    def gradient(X, V, W, T):
        Z = X @ V
        A = np.maximum(Z, 0)
        D = (A @ W - T) / len(X)
        return {"dV": first(X, Z, A, D @ W.T), "dW": A.T @ D}

    return gradient


def first_layer(X, Z, A, dA):
    """What was meant."""
    return X.T @ (dA * (Z > 0))


def first_layer_by_matrices(X, Z, A, dA):
    """Multiplies by relu's value, not by its slope. dafriedman97/mlbook, chapter 7, the matrix class."""
    return X.T @ (dA * np.maximum(Z, 0))


def first_layer_by_loops(X, Z, A, dA):
    """Fills whole slices of ∂h/∂W, so every output gets the sum over all outputs: the Kronecker delta is missing.

    dafriedman97/mlbook, chapter 7, the class with loops.
    """
    dZ = dA * (Z > 0)
    dV = np.zeros((X.shape[1], dZ.shape[1]))
    for x, dz in zip(X, dZ, strict=True):
        for unit in range(dZ.shape[1]):
            dV += np.outer(x, np.full(dZ.shape[1], dz[unit]))
    return dV


def _relu_arrays(rng):
    return normal(rng, X=(7, 3), V=(3, 5), W=(5, 2), T=(7, 2))


# -- two logistic layers -----------------------------------------------------------------------------------------------


def sigmoid_loss(X, V, W, T, np=np):
    """Half the squared error of two logistic layers, a mean over samples."""
    return half_squared_error(sigmoid(np.dot(sigmoid(np.dot(X, V), np), W), np), T, np)


def sigmoid_pass(slope_at):
    """The whole gradient, given where the slope is taken."""

    def gradient(X, V, W, T):
        Z = X @ V
        A = sigmoid(Z)
        Z2 = A @ W
        A2 = sigmoid(Z2)
        D2 = (A2 - T) / len(X) * slope_at(Z2, A2)
        return {"dV": X.T @ (D2 @ W.T * slope_at(Z, A)), "dW": A.T @ D2}

    return gradient


def slope(z):
    """The derivative of the logistic function, right."""
    return sigmoid(z) * (1 - sigmoid(z))


def slope_of_output(Z, A):
    """Hands the output to a function that expects the input: σ′(σ(z)). dwhitena/gophernet, main.go."""
    return slope(A)


def _sigmoid_arrays(rng):
    at = normal(rng, X=(8, 3), V=(3, 4), W=(4, 2))
    # The weights of a trained network are large, and its units are saturated: there the bug shows.
    return at | {"V": 3 * at["V"], "W": 3 * at["W"], "T": (rng.random((8, 2)) < 0.5).astype(float)}


_DROPOUT = {"wrt": ["V", "W"], "batch": ["X", "T", "keep"], "right": dropout_pass(through_dropout_and_relu)}
_RELU = {"wrt": ["V", "W"], "batch": ["X", "T"], "right": relu_pass(first_layer)}

MASKS = (
    Exhibit(
        "the mask that masks nothing", dropout_loss, _dropout_arrays, published=dropout_pass(through_relu), **_DROPOUT
    ),
    Exhibit(
        "dropout, forward only", dropout_loss, _dropout_arrays, published=dropout_pass(through_dropout), **_DROPOUT
    ),
    Exhibit("the value for the slope", relu_loss, _relu_arrays, published=relu_pass(first_layer_by_matrices), **_RELU),
    Exhibit("one gradient for all units", relu_loss, _relu_arrays, published=relu_pass(first_layer_by_loops), **_RELU),
    Exhibit(
        "sigmoid of a sigmoid",
        sigmoid_loss,
        _sigmoid_arrays,
        wrt=["V", "W"],
        batch=["X", "T"],
        right=sigmoid_pass(lambda Z, A: slope(Z)),
        published=sigmoid_pass(slope_of_output),
        rate=1.0,
        steps=1000,
    ),
)
