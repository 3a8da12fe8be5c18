"""Exercises of chapter 13, more than one machine."""

from itertools import pairwise

import numpy as np

from backprop.course import Exercise, Wrong, computes, named, recalls
from backprop.exercises._derivations import tries, way
from backprop.symbolic import Derivation, Grad, column, dimensions, functional, indices, symbol, total
from backprop.symbolic.expressions import subexpressions

# -- 1. recall: what the average of averages does to a sample ---------------------------------------------------------


def times_too_much(sizes, r):
    """By what factor does a sample of shard r count too much, if the shards' means are averaged?"""
    return ...


def times_too_much_solution(sizes, r):
    # It gets 1/(k m_r) where 1/m is right.
    return sum(sizes) / (len(sizes) * sizes[r])


TIMES_TOO_MUCH_MISTAKES = {
    "That compares with a sample of the largest shard, not with what is right.": lambda sizes, r: max(sizes) / sizes[r],
    "That is the fraction upside down.": lambda sizes, r: len(sizes) * sizes[r] / sum(sizes),
    "That is the weight which the sample gets. How often does the right one go into it?": lambda sizes, r: (
        1 / (len(sizes) * sizes[r])
    ),
    "The number of shards is missing: an average divides by it.": lambda sizes, r: sum(sizes) / sizes[r],
}

TIMES_TOO_MUCH = Exercise(
    id="parallel-times-too-much",
    stub=times_too_much,
    reference=times_too_much_solution,
    judge=recalls(
        times_too_much_solution,
        cases=[{"sizes": [2, 50], "r": 0}, {"sizes": [2, 50], "r": 1}, {"sizes": [4, 4, 4], "r": 2}],
        mistakes=TIMES_TOO_MUCH_MISTAKES,
    ),
    wrong=named(TIMES_TOO_MUCH_MISTAKES),
)

# -- 2. implement: join the parts -------------------------------------------------------------------------------------


def joined(gradients, sizes):
    """The gradient of the mean over all samples, from those of k shards' means.

    `gradients`: (k, n), one row a shard. `sizes`: (k,), how many samples each has.
    """
    return ...


def joined_solution(gradients, sizes):
    # The same as a product of a row and a matrix: each shard's share of the samples, times its gradient.
    return (sizes / sizes.sum()) @ gradients


JOINED_MISTAKES = {
    "Your gradient is the average of averages: a small shard counts as much as a large one.": lambda gradients, sizes: (
        gradients.mean(axis=0)
    ),
    "Your gradient is weighted the wrong way round: the largest shard weighs least.": lambda gradients, sizes: (
        (1 / sizes) @ gradients / (1 / sizes).sum()
    ),
}

JOINED = Exercise(
    id="parallel-joined",
    stub=joined,
    reference=joined_solution,
    judge=computes(
        joined_solution,
        inputs=lambda rng: {
            "gradients": rng.normal(size=(3, 5)),
            "sizes": rng.permutation([2.0, 7.0, 20.0]),
        },
        name="gradient",
        mistakes=JOINED_MISTAKES,
    ),
    wrong={
        **named(JOINED_MISTAKES),
        "the sum": Wrong(lambda gradients, sizes: sizes @ gradients, says="the reference times 29"),
        "the average of weighted shares": Wrong(
            lambda gradients, sizes: (sizes[:, None] * gradients).mean(axis=0) / sizes.sum(),
            says="the reference times 0.33",
        ),
        "per shard, not added": Wrong(lambda gradients, sizes: sizes[:, None] / sizes.sum() * gradients, says="shape"),
    },
)

# -- 3. quantify: what a step sends -----------------------------------------------------------------------------------


def bytes_of_a_step(sizes, workers):
    """How many bytes does one step move, both ways, in float64, if every worker gets the network and sends gradients?

    sizes[0] counts the inputs. Leave out the numbers of the rows, and the loss.
    """
    return ...


def bytes_of_a_step_solution(sizes, workers):
    parameters = sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))
    # Down to each worker and up again, eight bytes a number. The samples stay where they are.
    return 2 * workers * 8 * parameters


BYTES_OF_A_STEP_MISTAKES = {
    "That is one way only.": lambda sizes, workers: bytes_of_a_step_solution(sizes, workers) // 2,
    "That counts one worker. Each of them gets the network, and each sends gradients.": lambda sizes, workers: (
        bytes_of_a_step_solution(sizes, 1)
    ),
    "That counts numbers. A float64 takes more than one byte.": lambda sizes, workers: (
        bytes_of_a_step_solution(sizes, workers) // 8
    ),
    "The biases are missing.": lambda sizes, workers: 2 * workers * 8 * sum(a * b for a, b in pairwise(sizes)),
}

BYTES_OF_A_STEP = Exercise(
    id="parallel-bytes",
    stub=bytes_of_a_step,
    reference=bytes_of_a_step_solution,
    judge=recalls(
        bytes_of_a_step_solution,
        cases=[{"sizes": [64, 32, 10], "workers": 2}, {"sizes": [5, 4], "workers": 3}],
        mistakes=BYTES_OF_A_STEP_MISTAKES,
    ),
    wrong=named(BYTES_OF_A_STEP_MISTAKES),
)

# -- 4. derive: sums instead of means ---------------------------------------------------------------------------------

m_1, m_2, n = dimensions("m_1 m_2 n")
i, j = indices("i j")
theta = column("theta", n, latex=r"\theta")
s, t = column("s", m_1), column("t", m_2)
L, L_1, L_2 = symbol("L"), symbol("L_1"), symbol("L_2")


def _sample(tag):
    return functional("F", theta, tag)


SHARDS = {
    L_1: total(_sample(s[i]), i) / m_1,
    L_2: total(_sample(t[j]), j) / m_2,
    L: (total(_sample(s[i]), i) + total(_sample(t[j]), j)) / (m_1 + m_2),
}
GOAL = (m_1 * Grad(L_1, theta) + m_2 * Grad(L_2, theta)) / (m_1 + m_2)


def shards_derivation():
    """From Grad(L, theta) to the gradients of L_1 and L_2, the means of two shards."""
    return ...


def shards_derivation_solution():
    sums = Grad(m_1 * L_1, theta) + Grad(m_2 * L_2, theta)
    return (
        Derivation(Grad(L, theta), let=SHARDS)
        .then(sums / (m_1 + m_2), because="a mean is a sum divided; the sums of the shards add")
        .then(GOAL, because="$m_1$ and $m_2$ are constants")
    )


def _what_is_left(derivation):
    left = Grad(L, theta) in subexpressions(derivation.result)
    return ". Go on until only the shards' gradients are left." if left else ""


_tries = tries(Grad(L, theta), let=SHARDS)

SHARDS_DERIVATION = Exercise(
    id="parallel-shards-derivation",
    stub=shards_derivation,
    reference=shards_derivation_solution,
    judge=way(
        Grad(L, theta),
        "Grad(L, theta)",
        steps="sums first, then means",
        unfinished=_what_is_left,
        goal=GOAL,
    ),
    wrong={
        "the average": Wrong(_tries((Grad(L_1, theta) + Grad(L_2, theta)) / 2), says="A step of yours is refused"),
        "the sizes exchanged": Wrong(
            _tries((m_2 * Grad(L_1, theta) + m_1 * Grad(L_2, theta)) / (m_1 + m_2)), says="A step of yours is refused"
        ),
        "in one leap": Wrong(_tries(GOAL), says="at least two steps"),
        "nothing gained": Wrong(
            _tries(2 * Grad(L, theta) / 2, 3 * Grad(L, theta) / 3), says="until only the shards' gradients"
        ),
        "another start": Wrong(
            lambda: Derivation(Grad(L_1, theta), let=SHARDS).then(Grad(L_1, theta), because="a try"),
            says="start from Grad(L, theta)",
        ),
    },
)

# -- 5. debug: gradient accumulation ----------------------------------------------------------------------------------


def repaired_accumulation(losses_and_slopes, counts):
    """The mean loss over all tokens and its slopes, from those of k micro-batches.

    `losses_and_slopes`: (k, n), each row a mean over its own tokens. `counts`: (k, longest), 1 for a token and 0 for
    padding.
    """
    return ...


def repaired_accumulation_solution(losses_and_slopes, counts):
    tokens = counts.sum(axis=1)
    # Undo each mean, add, and divide once, by all tokens. Padding counts nowhere.
    return tokens @ losses_and_slopes / tokens.sum()


def _micro_batches(rng):
    counts = (np.arange(12) < rng.permutation([2, 5, 9, 12])[:, None]).astype(float)
    return {"losses_and_slopes": rng.normal(size=(4, 3)), "counts": counts}


ACCUMULATION_MISTAKES = {
    "Your mean is the average of averages, as found: a part with few tokens counts as much as one with many.": (
        lambda losses_and_slopes, counts: losses_and_slopes.mean(axis=0)
    ),
}

REPAIRED_ACCUMULATION = Exercise(
    id="parallel-repaired-accumulation",
    stub=repaired_accumulation,
    reference=repaired_accumulation_solution,
    judge=computes(repaired_accumulation_solution, inputs=_micro_batches, name="mean", mistakes=ACCUMULATION_MISTAKES),
    wrong={
        **named(ACCUMULATION_MISTAKES),
        "padding counted": Wrong(
            lambda losses_and_slopes, counts: counts.shape[1] * losses_and_slopes.sum(axis=0) / counts.size,
            says="average of averages",
        ),
        "not divided": Wrong(
            lambda losses_and_slopes, counts: counts.sum(axis=1) @ losses_and_slopes, says="the reference times 28"
        ),
        "divided by the padded size": Wrong(
            lambda losses_and_slopes, counts: counts.sum(axis=1) @ losses_and_slopes / counts.size,
            says="the reference times 0.58",
        ),
    },
)
