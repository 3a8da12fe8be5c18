"""What several rooms share: how arrays are drawn, two activations, the losses, and a network with one hidden layer."""

import numpy as np


def normal(rng, **sizes):
    """Arrays of normal numbers, by name."""
    return {name: rng.normal(size=size) for name, size in sizes.items()}


def sigmoid(z, np=np):
    """The logistic function."""
    return 1 / (1 + np.exp(-z))


def softmax(Z, np=np):
    """Row by row."""
    E = np.exp(Z - np.max(Z, axis=1, keepdims=True))
    return E / np.sum(E, axis=1, keepdims=True)


def through_softmax(dP, P):
    """The gradient of the logits from that of the probabilities, through the whole Jacobian of softmax."""
    return P * (dP - (P * dP).sum(axis=1, keepdims=True))


def half_squared_error(predictions, T, np=np):
    """Half the squared error, a mean over samples."""
    return np.sum((predictions - T) ** 2) / (2 * len(T))


def cross_entropy(logits, Y, np=np):
    """Cross-entropy of softmax(logits), a mean over samples."""
    return -np.sum(Y * np.log(softmax(logits, np))) / len(Y)


def tanh_loss(X, V, W, T, np=np):
    """Half the squared error of tanh(X V) W, a mean over samples."""
    return half_squared_error(np.dot(np.tanh(np.dot(X, V)), W), T, np)


def tanh_pass(down):
    """The whole gradient of that loss, given the rule that takes dZ of the output down to dA."""

    def gradient(X, V, W, T):
        A = np.tanh(X @ V)
        D = (A @ W - T) / len(X)
        return {"dV": X.T @ (down(D, A, W) * (1 - A**2)), "dW": A.T @ D}

    return gradient


def through_weights(D, A, W):
    """What was meant."""
    return D @ W.T
