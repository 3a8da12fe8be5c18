"""P2.7, P2.8, P2.9: the errors of differences, the relative error, and what a difference says at a kink."""

from fractions import Fraction

from backprop.symbolic import (
    Limit,
    Partial,
    absolute,
    column,
    dimensions,
    elementwise,
    norm,
    relu,
    scalars,
    step,
    symbol,
)

from .identity import at_most, identity

n = dimensions("n")
a, b = column("a", n), column("b", n)
t, h, z = scalars("t h z")
c = scalars("c")
step_size, unit, size, third = scalars("s u A M", positive=True)
f, f_prime = elementwise("f")
best = (3 * unit * size / third) ** Fraction(1, 3)
rounding_and_truncation = unit * size / step_size + step_size**2 * third / 6
s = symbol("s", positive=True)


def inside(rng, world):
    """A point closer to the kink than the step."""
    return rng.uniform(-1, 1) * world.value(step_size)


def ahead(rng, world):
    """A point above the kink by more than the step."""
    return world.value(step_size) * (1 + rng.uniform(0.1, 1))


IDENTITIES = [
    identity("difference-centred", "P2.7", Limit((f(t + h) - f(t - h)) / (2 * h), h, 0), f_prime(t)),
    identity("difference-forward", "P2.7", Limit((f(t + h) - f(t)) / h, h, 0), f_prime(t)),
    identity(
        "difference-centred-error",
        "P2.7",
        Limit(((f(t + h) - f(t - h)) / (2 * h) - f_prime(t)) / h**2, h, 0),
        f_prime.prime.prime(t) / 6,
    ),
    identity(
        "difference-forward-error",
        "P2.7",
        Limit(((f(t + h) - f(t)) / h - f_prime(t)) / h, h, 0),
        f_prime.prime(t) / 2,
    ),
    identity(
        "difference-cubic",
        "P2.7",
        ((t + h) ** 3 - (t - h) ** 3) / (2 * h),
        3 * t**2 + h**2,
        Partial(t**3, t) + h**2 / 6 * Partial(Partial(Partial(t**3, t), t), t),
    ),
    identity(
        "difference-slope-of-error",
        "P2.7",
        Partial(rounding_and_truncation, step_size),
        step_size * third / 3 - unit * size / step_size**2,
    ),
    identity("difference-best-step", "P2.7", Partial(rounding_and_truncation, s), 0, let={s: best}),
    identity("relative-error-below", "P2.8", 0, at_most(norm(a - b) / (norm(a) + norm(b)))),
    identity("relative-error-triangle", "P2.8", norm(a - b), at_most(norm(a) + norm(b))),
    identity(
        "relative-error-above",
        "P2.8",
        norm(a - b) / (norm(a) + norm(b)),
        at_most(1),
        given=[norm(a) + norm(b) > 0],
    ),
    identity(
        "relative-error-factor",
        "P2.8",
        norm(a - c * a) / (norm(a) + norm(c * a)),
        absolute(1 - c) / (1 + absolute(c)),
    ),
    identity("relative-error-squared", "P2.8", norm(a - c * a) ** 2 / norm(a) ** 2, (1 - c) ** 2),
    identity(
        "difference-kink-signs",
        "P2.9",
        (relu(z + step_size) - relu(z - step_size)) / (2 * step_size),
        (1 + z / step_size) / 2,
        given=[z + step_size > 0, step_size - z > 0],
        draw={z: inside},
    ),
    identity(
        "difference-kink",
        "P2.9",
        (relu(z + step_size) - relu(z - step_size)) / (2 * step_size),
        (z + step_size) / (2 * step_size),
        (1 + z / step_size) / 2,
        given={step(z + step_size): 1, step(z - step_size): 0},
        draw={z: inside},
    ),
    identity(
        "difference-past-kink",
        "P2.9",
        (relu(z + step_size) - relu(z - step_size)) / (2 * step_size),
        1,
        given=[z - step_size > 0],
        draw={z: ahead},
    ),
    identity(
        "difference-at-kink",
        "P2.9",
        (relu(step_size) - relu(-step_size)) / (2 * step_size),
        Fraction(1, 2),
    ),
]
