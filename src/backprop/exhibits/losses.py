"""Room 5: the right gradient of another loss. The code and the formula beside it speak of different things."""

import numpy as np

from backprop.exhibits._exhibit import Exhibit
from backprop.exhibits._networks import cross_entropy, normal, sigmoid, softmax, through_softmax

# -- the sign of a logarithm -------------------------------------------------------------------------------------------


def log_loss(X, w, y, np=np):
    """Binary cross-entropy of a logistic regression, a mean over samples."""
    p = sigmoid(np.dot(X, w), np)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def log_loss_gradient(X, w, y):
    """The gradient of that loss."""
    p = sigmoid(X @ w)
    return _through_sigmoid(X, p, -(y / p - (1 - y) / (1 - p)))


def slope_of_log_loss(y, p):
    """The minus of the second term is lost: wrong exactly where y = 0.

    dafriedman97/mlbook, chapter 7, concept, section 2.3; the code beside it is right.
    """
    return -(y / p + (1 - y) / (1 - p))


def log_loss_by_the_page(X, w, y):
    """A program that believes the page."""
    p = sigmoid(X @ w)
    return _through_sigmoid(X, p, slope_of_log_loss(y, p))


def _through_sigmoid(X, p, dp):
    return {"dw": X.T @ (dp * p * (1 - p)) / len(X)}


def _labelled(rng):
    return normal(rng, X=(9, 3), w=3) | {"y": rng.permutation([1.0, 1, 1, 1, 0, 0, 0, 0, 0])}


# -- two wrongs --------------------------------------------------------------------------------------------------------


def displayed_loss(Z, Y, np=np):
    """Binary cross-entropy, class by class, of the probabilities that softmax gives; a mean over samples."""
    P = softmax(Z, np)
    return -np.sum(Y * np.log(P) + (1 - Y) * np.log(1 - P)) / len(Z)


def displayed_gradient(Z, Y):
    """The gradient of that loss, through the whole Jacobian of softmax."""
    P = softmax(Z)
    dP = (P - Y) / (P * (1 - P)) / len(Z)
    return {"dZ": through_softmax(dP, P)}


def softmax_layer(Z, Y):
    """Softmax is taken entry by entry, and the two wrong factors cancel: p − y, the gradient of *another* loss.

    eriklindernoren/ML-From-Scratch, activation_functions.py and loss_functions.py, issue 71.
    """
    P = softmax(Z)
    loss_slope = -(Y / P) + (1 - Y) / (1 - P)
    softmax_slope = P * (1 - P)
    return {"dZ": loss_slope * softmax_slope / len(Z)}


def _logits(rng):
    return normal(rng, Z=(5, 3)) | {"Y": np.eye(3)[rng.integers(3, size=5)]}


# -- softmax twice -----------------------------------------------------------------------------------------------------


def classifier_loss(X, W, Y, np=np):
    """Cross-entropy of softmax(X W), a mean over samples."""
    return cross_entropy(np.dot(X, W), Y, np)


def classifier_gradient(X, W, Y):
    """The gradient of that loss."""
    return {"dW": X.T @ (softmax(X @ W) - Y) / len(X)}


def classifier_on_probabilities(X, W, Y, np=np):
    """Hands probabilities to a loss that applies softmax itself.

    Lightning-Universe/lightning-bolts, issue 654; nfmcclure/tensorflow_cookbook, issue 86.
    """
    P = softmax(np.dot(X, W), np)
    return cross_entropy(P, Y, np)


def gradient_on_probabilities(X, W, Y):
    """The exact gradient of the loss of the softmax of a softmax."""
    P = softmax(X @ W)
    dP = (softmax(P) - Y) / len(X)
    return {"dW": X.T @ through_softmax(dP, P)}


def _three_classes(rng):
    X = rng.normal(size=(12, 2))
    directions = np.array([[2.0, -1.0, -1.0], [0.0, 1.7, -1.7]])
    return {"X": X, "W": 0.1 * rng.normal(size=(2, 3)), "Y": np.eye(3)[np.argmax(X @ directions, axis=1)]}


# -- a shortcut --------------------------------------------------------------------------------------------------------


def copying_loss(Z, R, np=np):
    """Half the squared distance of the log-probabilities from those of a teacher, R, summed over samples."""
    return np.sum((np.log(softmax(Z, np)) - R) ** 2) / 2


def copying_pass(backward):
    """The gradient, given the rule that takes G, the gradient of ln P, back to Z."""

    def gradient(Z, R):
        P = softmax(Z)
        return {"dZ": backward(np.log(P) - R, P)}

    return gradient


def through_log_softmax(G, P):
    """What was meant."""
    return G - P * G.sum(axis=1, keepdims=True)


def log_softmax_backward(G, P):
    """Right only where each row of G adds up to −1, as it does under the negative log-likelihood.

    mlpack, issues 2360 and 3468, mended in pull request 3469.
    """
    return P + G


def _teacher(rng):
    return {"Z": rng.normal(size=(5, 3)), "R": np.log(softmax(rng.normal(size=(5, 3))))}


LOSSES = (
    Exhibit(
        "the lost minus",
        log_loss,
        _labelled,
        wrt=["w"],
        batch=["X", "y"],
        right=log_loss_gradient,
        published=log_loss_by_the_page,
    ),
    Exhibit(
        "two wrongs make p − y",
        displayed_loss,
        _logits,
        wrt=["Z"],
        batch=["Z", "Y"],
        right=displayed_gradient,
        published=softmax_layer,
        logits="Z",
        rate=1.0,
    ),
    Exhibit(
        "softmax twice",
        classifier_loss,
        _three_classes,
        wrt=["W"],
        batch=["X", "Y"],
        right=classifier_gradient,
        published=gradient_on_probabilities,
        program=classifier_on_probabilities,
        rate=1.0,
    ),
    Exhibit(
        "a shortcut's hidden assumption",
        copying_loss,
        _teacher,
        wrt=["Z"],
        right=copying_pass(through_log_softmax),
        published=copying_pass(log_softmax_backward),
        logits="Z",
    ),
)
