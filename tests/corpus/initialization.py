"""P2.10: how second moments pass through a layer, and the variance that keeps them."""

from fractions import Fraction

from backprop.symbolic import (
    INFINITY,
    PI,
    Integral,
    column,
    delta,
    dimensions,
    exp,
    indices,
    relu,
    scalars,
    sqrt,
    step,
    symbol,
    total,
)

from .identity import identity

n_in, n_out = dimensions("n_in n_out")
i, j, k = indices("i j k")
a, g = column("a", n_in), column("g", n_out)
x = scalars("x")
s, l, v = scalars("s l v", positive=True)
second = symbol("E")
density = exp(-(x**2) / (2 * s**2)) / (sqrt(2 * PI) * s)
WHOLE = (x, -INFINITY, INFINITY)


def mean_square(rng, world):
    """The second moment of this world's inputs, taken over the units."""
    values = world.value(a)
    return (values**2).sum() / len(values)


IDENTITIES = [
    # E[w_i w_j] = v δ_ij is what "independent, mean 0, variance v" says of the weights.
    identity(
        "init-forward",
        "P2.10",
        total(a[i] * a[j] * v * delta(i, j), i, j),
        v * total(a[i] ** 2, i),
        n_in * v * second,
        given={second: total(a[i] ** 2, i) / n_in},
        draw={second: mean_square},
    ),
    identity(
        "init-backward",
        "P2.10",
        total(g[i] * g[j] * v * delta(i, j), i, j),
        v * total(g[j] ** 2, j),
    ),
    identity("init-normal-mass", "P2.10", Integral(density, WHOLE), 1),
    identity("init-normal-second", "P2.10", Integral(x**2 * density, WHOLE), s**2),
    identity("init-relu-second", "P2.10", Integral(relu(x) ** 2 * density, WHOLE), s**2 / 2),
    identity("init-relu-slope", "P2.10", Integral(step(x) ** 2 * density, WHOLE), Fraction(1, 2)),
    identity("init-relu-half", "P2.10", Integral(x**2 * density, (x, 0, INFINITY)), s**2 / 2),
    identity("init-uniform-mean", "P2.10", Integral(x / (2 * l), (x, -l, l)), 0),
    identity("init-uniform", "P2.10", Integral(x**2 / (2 * l), (x, -l, l)), l**2 / 3),
    identity(
        "init-he",
        "P2.10",
        n_in * v * second / 2,
        second,
        given={v: 2 / n_in},
        draw={v: lambda rng, world: 2 / world.size(n_in)},
    ),
    identity("init-he-uniform", "P2.10", sqrt(6 / n_in) ** 2 / 3, 2 / n_in),
    identity("init-glorot-uniform", "P2.10", sqrt(6 / (n_in + n_out)) ** 2 / 3, 2 / (n_in + n_out)),
    identity("init-glorot-between", "P2.10", 1 / (2 / (n_in + n_out)), (n_in + n_out) / 2),
    identity("init-lecun", "P2.10", n_in * (1 / n_in) * second, second),
    identity("init-misread", "P2.10", n_in * sqrt(2 / n_in) / 2, sqrt(n_in / 2)),
]
