"""The derivation engine: seconds per step on every derivation of the course, and SymPy's matrix calculus beside it.

The first table holds the median time of a step for each derivation of the corpus (`tests/corpus`). The second asks
SymPy for the gradients that the engine proves, in the same process, one after the other, in rounds. SymPy's answer is
put into numbers at small sizes and held against centred differences of the loss in NumPy: right, wrong, does not
conform, or raises. The engine's time is that of refuting and proving the answer; SymPy's is that of finding one.

Run: python benchmarks/engine.py [--rounds 3] [--only softmax] [--no-corpus]
"""

import argparse
import contextlib
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import sympy as sp

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from corpus import CORPUS

from backprop.symbolic import (
    Derivation,
    Grad,
    column,
    dimensions,
    exp,
    hadamard,
    indices,
    inner,
    matrix,
    norm,
    ones,
    total,
    trace,
)

SIZES = {"N": 3, "D": 2, "H": 4, "K": 5}


def median_step_times(identity, rounds):
    """The median over rounds of the time of each step."""
    times = [[] for _ in identity.lines]
    for _ in range(rounds):
        derivation = identity.begin()
        for line, seen in zip(identity.lines, times, strict=True):
            start = time.perf_counter()
            derivation = derivation.then(line.expression, because="a benchmark", relation=line.relation)
            seen.append(time.perf_counter() - start)
    return [statistics.median(seen) for seen in times]


def corpus_table(rounds, only):
    """Print the time of a step for each derivation of the course."""
    steps = []
    print(f"{'derivation':36} {'proves':14} {'steps':>5} {'median step':>12} {'slowest':>9} {'all':>8}")
    for identity in (one for one in CORPUS if only in one.name):
        times = median_step_times(identity, rounds)
        steps += times
        print(
            f"{identity.name:36} {' '.join(identity.proves):14} {len(times):5} {statistics.median(times):10.3f} s "
            f"{max(times):7.3f} s {sum(times):6.2f} s"
        )
    if steps:
        quick = sum(t < 0.1 for t in steps) / len(steps)
        print(f"{len(steps)} steps: median {statistics.median(steps):.3f} s, below 0.1 s {quick:.0%}, "
              f"below 0.5 s {sum(t < 0.5 for t in steps) / len(steps):.0%}, slowest {max(steps):.2f} s")  # fmt: skip


# -- the same gradients by SymPy -----------------------------------------------------------------------


class Problem:
    """One gradient: our derivation, SymPy's expression of the loss, and the loss in NumPy."""

    def __init__(self, name, by, shapes, ours, theirs, loss, square=False):
        self.name, self.by, self.shapes, self.loss, self.square = name, by, shapes, loss, square
        self.ours, self.theirs = ours, theirs
        self.size = {"1": 1} | {d: 3 if square else n for d, n in SIZES.items()}

    def dimension(self, word, of):
        return of("N" if self.square else word)

    def ours_once(self):
        names = {d: self.dimension(d, dimensions) for d in SIZES}
        sized = {"1": 1, **names}
        make = {name: matrix(name, sized[r], sized[c]) for name, (r, c) in self.shapes.items()}
        start, let, gradient = self.ours(make, names)
        return Derivation(Grad(start, make[self.by]), let=let).then(gradient, because="a benchmark")

    def theirs_once(self):
        names = {d: self.dimension(d, lambda w: sp.Symbol(w, integer=True, positive=True)) for d in SIZES}
        sized = {"1": sp.S.One, **names}
        make = {name: sp.MatrixSymbol(name, sized[r], sized[c]) for name, (r, c) in self.shapes.items()}
        return sp.diff(self.theirs(make, names), make[self.by]), names, make

    def verdict(self):
        """What SymPy's answer is worth."""
        try:
            answer, names, make = self.theirs_once()
        except Exception as error:  # whatever SymPy raises is what the table is about
            return f"raises {type(error).__name__}"
        rng = np.random.default_rng(0)
        arrays = {n: rng.integers(1, 9, (self.size[r], self.size[c])) / 8 for n, (r, c) in self.shapes.items()}
        try:
            found = in_numbers(answer, {v: self.size[str(v)] for v in names.values()}, make, arrays)
        except Exception:
            return "no matrix (cannot be evaluated)"
        true = differences(self.loss, arrays, self.by)
        if found.shape != true.shape:
            return f"wrong (shape {found.shape[0]}×{found.shape[1]} for {true.shape[0]}×{true.shape[1]})"
        return "right" if np.allclose(found, true, rtol=1e-5, atol=1e-6) else "wrong"


def in_numbers(answer, sizes, make, arrays):
    """SymPy's expression at small sizes, as an array."""
    answer = sp.sympify(answer).subs(sizes)
    values = {m.subs(sizes): sp.ImmutableMatrix(arrays[name].tolist()) for name, m in make.items()}
    explicit = answer.xreplace(values).doit()
    if hasattr(explicit, "as_explicit"):
        explicit = explicit.as_explicit()
    return np.array(sp.Matrix(explicit).evalf().tolist(), dtype=float)


def differences(loss, arrays, by, h=1e-6):
    """Centred differences of the loss by every entry of one array."""
    out = np.empty(arrays[by].shape)
    for place in np.ndindex(*out.shape):
        ahead, behind = ({**arrays, by: arrays[by].copy()} for _ in range(2))
        ahead[by][place] += h
        behind[by][place] -= h
        out[place] = (loss(**ahead) - loss(**behind)) / (2 * h)
    return out


def linear(by, answer):
    shapes = {"X": "ND", "W": "DK", "b": "1K", "G": "NK"}
    return Problem(
        f"linear layer, d{by}",
        by,
        shapes,
        lambda m, d: (inner(m["G"], m["X"] * m["W"] + ones(d["N"]) * m["b"]), {}, answer(m, d)),
        lambda m, d: sp.Trace(m["G"].T * (m["X"] * m["W"] + sp.OneMatrix(d["N"], 1) * m["b"])),
        lambda X, W, b, G: (G * (X @ W + b)).sum(),
    )


def activation_in_columns(by, answer):
    return Problem(
        f"column through an activation, d{by}",
        by,
        {"W": "KD", "x": "D1", "b": "K1", "g": "K1"},
        lambda m, d: (inner(m["g"], exp(m["W"] * m["x"] + m["b"])), {}, answer(m)),
        lambda m, d: sp.Trace(m["g"].T * (m["W"] * m["x"] + m["b"]).applyfunc(sp.exp)),
        lambda W, x, b, g: (g * np.exp(W @ x + b)).sum(),
    )


def upstream(m):
    return hadamard(m["g"], exp(m["W"] * m["x"] + m["b"]))


def two_layers(square):
    where = "all square" if square else "columns"
    return Problem(
        f"two layers, {where}, dW1",
        "W1",
        {"A": "DN", "W1": "HD", "W2": "KH", "G": "KN"},
        lambda m, d: (
            inner(m["G"], m["W2"] * exp(m["W1"] * m["A"])),
            {},
            hadamard(m["W2"].T * m["G"], exp(m["W1"] * m["A"])) * m["A"].T,
        ),
        lambda m, d: sp.Trace(m["G"].T * m["W2"] * (m["W1"] * m["A"]).applyfunc(sp.exp)),
        lambda A, W1, W2, G: (G * (W2 @ np.exp(W1 @ A))).sum(),
        square,
    )


def two_layers_in_rows():
    return Problem(
        "two layers, rows, dW1",
        "W1",
        {"X": "ND", "W1": "DH", "W2": "HK", "G": "NK"},
        lambda m, d: (
            inner(m["G"], exp(m["X"] * m["W1"]) * m["W2"]),
            {},
            m["X"].T * hadamard(m["G"] * m["W2"].T, exp(m["X"] * m["W1"])),
        ),
        lambda m, d: sp.Trace(m["G"].T * (m["X"] * m["W1"]).applyfunc(sp.exp) * m["W2"]),
        lambda X, W1, W2, G: (G * (np.exp(X @ W1) @ W2)).sum(),
    )


def squared_error(activation):
    def predicted(m):
        return exp(m["X"] * m["W"]) if activation else m["X"] * m["W"]

    def gradient(m, d):
        error = 2 * (predicted(m) - m["Y"])
        return m["X"].T * (hadamard(error, predicted(m)) if activation else error)

    def theirs(m, d):
        product = m["X"] * m["W"]
        error = (product.applyfunc(sp.exp) if activation else product) - m["Y"]
        return sp.Trace(error.T * error)

    def loss(X, W, Y):
        return ((np.exp(X @ W) if activation else X @ W) - Y).ravel() @ (
            (np.exp(X @ W) if activation else X @ W) - Y
        ).ravel()

    return Problem(
        "squared error" + (" of an activation" if activation else "") + ", dW",
        "W",
        {"X": "ND", "W": "DK", "Y": "NK"},
        lambda m, d: (norm(predicted(m) - m["Y"]) ** 2, {}, gradient(m, d)),
        theirs,
        loss,
    )  # fmt: skip


def softmax():
    (k,) = (indices("k"),)

    def ours(m, d):
        p = column("p", d["K"])
        let = {p: exp(m["z"]) / total(exp(m["z"][k]), k)}
        return inner(m["u"], p), let, hadamard(p, m["u"] - inner(p, m["u"]) * ones(d["K"]))

    def theirs(m, d):
        e = m["z"].applyfunc(sp.exp)
        return sp.Trace(m["u"].T * e) / (sp.OneMatrix(1, d["K"]) * e)[0, 0]

    def loss(z, u):
        return (u * np.exp(z)).sum() / np.exp(z).sum()

    return Problem("softmax, dz", "z", {"z": "K1", "u": "K1"}, ours, theirs, loss)


def quadratic():
    return Problem(
        "quadratic form, dx",
        "x",
        {"A": "DD", "x": "D1"},
        lambda m, d: (trace(m["x"].T * m["A"] * m["x"]), {}, (m["A"] + m["A"].T) * m["x"]),
        lambda m, d: sp.Trace(m["x"].T * m["A"] * m["x"]),
        lambda A, x: (x.T @ A @ x).item(),
    )


PROBLEMS = [
    linear("W", lambda m, d: m["X"].T * m["G"]),
    linear("X", lambda m, d: m["G"] * m["W"].T),
    linear("b", lambda m, d: ones(d["N"]).T * m["G"]),
    quadratic(),
    squared_error(False),
    squared_error(True),
    activation_in_columns("b", upstream),
    activation_in_columns("x", lambda m: m["W"].T * upstream(m)),
    activation_in_columns("W", lambda m: upstream(m) * m["x"].T),
    two_layers_in_rows(),
    two_layers(False),
    two_layers(True),
    softmax(),
]


def timed(run):
    start = time.perf_counter()
    with contextlib.suppress(Exception):  # SymPy's errors are judged elsewhere; here they only take time
        run()
    return time.perf_counter() - start


def sympy_table(rounds):
    """Print the same gradients by both, in turns."""
    print(f"\n{'gradient':38} {'engine':>10} {'verdict':8} {'SymPy':>10} verdict")
    for problem in PROBLEMS:
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(timed(problem.ours_once))
            theirs.append(timed(problem.theirs_once))
        said = problem.ours_once().evidence.name.lower()
        print(
            f"{problem.name:38} {statistics.median(ours):8.3f} s {said:8} {statistics.median(theirs):8.3f} s "
            f"{problem.verdict()}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="derivations whose name holds this text")
    parser.add_argument("--no-corpus", action="store_true")
    arguments = parser.parse_args()
    if not arguments.no_corpus:
        corpus_table(arguments.rounds, arguments.only)
    sympy_table(arguments.rounds)


if __name__ == "__main__":
    main()
