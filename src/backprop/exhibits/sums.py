"""Room 2: sums, means and 1/m. Who is added to whom, and who divides."""

import numpy as np

from backprop.exhibits._exhibit import Exhibit
from backprop.exhibits._networks import cross_entropy, normal, sigmoid, softmax

# -- a classifier with a bias for each class ---------------------------------------------------------------------------


def classes_loss(X, W, b, Y, np=np):
    """Binary cross-entropy of each class, summed over the classes, a mean over samples."""
    A = sigmoid(np.dot(X, W) + b, np)
    return -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / len(X)


def classes_gradient(X, W, b, Y):
    """What was meant: every class has its own bias."""
    D = (sigmoid(X @ W + b) - Y) / len(X)
    return {"dW": X.T @ D, "db": D.sum(axis=0)}


def classifier(X, W, b, Y):
    """Adds over the classes too: one number, which broadcasting hands to all biases.

    hunkim/DeepLearningZeroToAll, lab-09-7; with a softmax, where that number is zero, rasbt/stat453-deep-learning-ss21,
    issue 5.
    """
    D = (sigmoid(X @ W + b) - Y) / len(X)
    return {"dW": X.T @ D, "db": D.sum()}


def _classes(rng):
    Y = np.eye(4)[rng.choice(4, size=9, p=[0.7, 0.1, 0.1, 0.1])]
    return normal(rng, X=(9, 2), W=(2, 4), b=4) | {"Y": Y}


# -- a regression with several outputs ---------------------------------------------------------------------------------


def regression_loss(X, W, Y, np=np):
    """Half the squared error, averaged over samples and over outputs."""
    return np.mean((np.dot(X, W) - Y) ** 2) / 2


def regression_gradient(X, W, Y):
    """The gradient of that loss."""
    return {"dW": X.T @ ((X @ W - Y) / Y.size)}


def multi_output_regression(X, W, Y):
    """The gradient of a loss that is summed over outputs: K times the gradient of the one that is reported.

    scikit-learn, issue 8349, open since 2017.
    """
    return {"dW": X.T @ ((X @ W - Y) / len(Y))}


def _regression(rng):
    return normal(rng, X=(8, 3), W=(3, 5), Y=(8, 5))


# -- one batch in two parts --------------------------------------------------------------------------------------------


def token_loss(X, w, t, np=np):
    """Half the squared error, a mean over all tokens."""
    return np.mean((np.dot(X, w) - t) ** 2) / 2


def token_gradient(X, w, t):
    """The gradient of the mean over all tokens."""
    return {"dw": X.T @ (X @ w - t) / len(t)}


SPLIT = 2  # the first part has two tokens, the second all others


def accumulated_loss(X, w, t, np=np):
    """The mean of the means of the two parts: what the published program reports."""
    return (token_loss(X[:SPLIT], w, t[:SPLIT], np) + token_loss(X[SPLIT:], w, t[SPLIT:], np)) / 2


def accumulated_gradient(X, w, t):
    """Averages the averages of two parts of different lengths: a token of the short part counts more.

    huggingface/transformers, issue 24725, mended in pull request 34191.
    """
    short, long = token_gradient(X[:SPLIT], w, t[:SPLIT]), token_gradient(X[SPLIT:], w, t[SPLIT:])
    return {"dw": (short["dw"] + long["dw"]) / 2}


def _tokens(rng):
    at = normal(rng, X=(12, 3), w=3)
    return at | {"t": at["X"] @ [1.0, -2.0, 0.5] + rng.normal(size=12)}


# -- the average of the context ----------------------------------------------------------------------------------------

C = 3  # how many words a context has


def context_loss(V, U, M, Y, np=np):
    """Cross-entropy of words, predicted from contexts: M holds 1/C for each word of a context, V the vectors."""
    return cross_entropy(np.dot(np.dot(M, V), U), Y, np)


def context_gradient(V, U, M, Y):
    """Each of the C vectors has a C-th part in their mean, so it gets a C-th part of the error."""
    return {"dV": M.T @ _of_the_mean(V, U, M, Y)}


def context_step(V, U, M, Y):
    """Gives each of the C vectors the whole error of their mean.

    word2vec and its descendants: gensim, issue 1873 (by design, say its maintainers); facebookresearch/fastText 910.
    """
    in_context = M > 0
    return {"dV": in_context.T @ _of_the_mean(V, U, M, Y)}


def _of_the_mean(V, U, M, Y):
    return (softmax(M @ V @ U) - Y) @ U.T / len(M)


def _contexts(rng):
    M = np.array([rng.permutation([1 / C] * C + [0.0] * C) for _ in range(5)])
    return normal(rng, V=(6, 2), U=(2, 6)) | {"M": M, "Y": np.eye(6)[rng.integers(6, size=5)]}


SUMS = (
    Exhibit(
        "one step for all biases",
        classes_loss,
        _classes,
        wrt=["W", "b"],
        batch=["X", "Y"],
        right=classes_gradient,
        published=classifier,
    ),
    Exhibit(
        "mean in the loss, sum in the gradient",
        regression_loss,
        _regression,
        wrt=["W"],
        batch=["X", "Y"],
        right=regression_gradient,
        published=multi_output_regression,
    ),
    Exhibit(
        "the average of averages",
        token_loss,
        _tokens,
        wrt=["w"],
        right=token_gradient,
        published=accumulated_gradient,
        program=accumulated_loss,
    ),
    Exhibit(
        "the average's forgotten 1/C",
        context_loss,
        _contexts,
        wrt=["V"],
        batch=["M", "Y"],
        right=context_gradient,
        published=context_step,
    ),
)
