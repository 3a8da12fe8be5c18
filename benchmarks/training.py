"""What chapter 11 compares itself with, measured once: scikit-learn's accuracy on the digits, and a hundred mirrors.

Digits: `MLPClassifier` with its default settings (100 hidden units, Adam, an L2 penalty, 200 epochs) and ours, of the
same size, on the split that the chapter uses; ten starts each. Mirrors: the problem and the settings of Rumelhart,
Hinton and Williams (1986) from a hundred starts, all trained at once by a program of a few lines that shares nothing
with the package. Run: python benchmarks/training.py [--write], which keeps the numbers in src/backprop/data.
"""

import argparse
import json
import os
import platform
import warnings
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # matrices this small gain nothing from threads

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier

from backprop import datasets, training
from backprop.network import MLP
from backprop.optimizers import Adam

RECORD = Path(__file__).resolve().parents[1] / "src" / "backprop" / "data" / "measured.json"
SWEEPS, LONG = 1425, 5000


def digits(starts=10):
    """How many of the test digits each start reads."""
    data = datasets.split(*datasets.digits(), test=357, rng=np.random.default_rng(0))
    found = {"test": len(data.X_test), "scikit-learn": [], "ours": []}
    for seed in range(starts):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it stops after its 200 epochs and says so
            peer = MLPClassifier(random_state=seed).fit(data.X_train, data.Y_train)
        found["scikit-learn"].append(int((peer.predict(data.X_test) == data.Y_test).sum()))
        rng = np.random.default_rng(seed)
        run = training.fit(
            MLP.initialize([64, 100, 10], rng), data.X_train, data.Y_train, Adam(0.003),
            epochs=20, batch_size=32, rng=rng,
        )  # fmt: skip
        found["ours"].append(int(training.confusion_matrix(run.network, data.X_test, data.Y_test).trace()))
    return found


def sigma(z):
    return 0.5 + 0.5 * np.tanh(z / 2)


def mirrors(starts=100):
    """How many starts know the mirror after 1,425 and 5,000 sweeps, and how many of them have weights 1 : 2 : 4."""
    X, Y = datasets.mirror_patterns()
    parameters = []
    for seed in range(starts):
        rng = np.random.default_rng(seed)
        parameters.append([rng.uniform(-0.3, 0.3, shape) for shape in ((6, 2), (2, 1), (2,), (1,))])
    W1, W2, b1, b2 = map(np.array, zip(*parameters, strict=True))
    b1, b2 = b1[:, np.newaxis], b2[:, np.newaxis]
    moving, found = [np.zeros_like(each) for each in (W1, W2, b1, b2)], {"starts": starts}
    for sweep in range(1, LONG + 1):
        A1 = sigma(X @ W1 + b1)
        A2 = sigma(A1 @ W2 + b2)
        D2 = (A2 - Y) * A2 * (1 - A2)
        D1 = (D2 @ W2.swapaxes(1, 2)) * A1 * (1 - A1)
        slopes = X.T @ D1, A1.swapaxes(1, 2) @ D2, D1.sum(1, keepdims=True), D2.sum(1, keepdims=True)
        moving = [0.9 * v - 0.1 * g for v, g in zip(moving, slopes, strict=True)]
        W1, W2, b1, b2 = (each + v for each, v in zip((W1, W2, b1, b2), moving, strict=True))
        if sweep in (SWEEPS, LONG):
            right = ((sigma(sigma(X @ W1 + b1) @ W2 + b2) > 0.5) == (Y > 0.5)).all(axis=(1, 2))
            found[f"solved after {sweep}"] = int(right.sum())
    half = np.sort(np.abs(W1[:, :3]), axis=1)
    ratio = np.abs(half / half[:, :1] - np.array([1, 2, 4])[:, np.newaxis]).max(axis=(1, 2)) < 0.1
    mirrored = np.abs(W1 + W1[:, ::-1]).max(axis=(1, 2)) < 0.05 * np.abs(W1).max(axis=(1, 2))
    found["of these 1 : 2 : 4"] = int((right & ratio & mirrored).sum())
    answers = (sigma(sigma(X @ W1 + b1) @ W2 + b2) > 0.5)[~right]
    found["always no"] = int((~answers).all(axis=(1, 2)).sum())
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep the numbers for the chapter")
    write = parser.parse_args().write
    versions = {"python": platform.python_version(), "numpy": np.__version__, "scikit-learn": sklearn.__version__}
    found = {"versions": versions, "mirrors": mirrors(), "digits": digits()}
    text = json.dumps(found, indent=1)
    print(text)
    if write:
        RECORD.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
