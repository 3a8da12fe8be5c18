"""Exercises of chapter 3, activations and losses."""

import numpy as np

from backprop.course import Exercise, Wrong, computes, named, recalls
from backprop.exercises._derivations import tries, way
from backprop.symbolic import Derivation, Partial, log, scalars, sigmoid, softplus

# Where the naive formulas fail, between entries of ordinary size.
EXTREMES = np.array([-1000.0, -40.0, 40.0, 1000.0])


def _with_extremes(rng):
    return {"z": rng.permutation(np.concatenate([rng.normal(size=6), EXTREMES]))}


def _far_left(rng):
    return {"z": -rng.uniform(30, 45, size=6)}


def _both(*judges):
    """The first judge that is not content speaks."""

    def judge(answer):
        for one in judges:
            feedback = one(answer)
            if not feedback.passed:
                break
        return feedback

    return judge


def _quietly(function):
    """The function with NumPy's warnings off: a wrong answer is judged by its numbers."""

    def quiet(*args, **kwargs):
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return quiet


# -- 1. recall: the same error, another normalisation ----------------------------------------------------------------


def library_loss(loss, m, n_out):
    """What a library reports, as the mean over every entry, for this course's loss."""
    return ...


def library_loss_solution(loss, m, n_out):
    # This course divides the sum of squares by m, the library by m · n_out. The samples are already averaged.
    return loss / n_out


LIBRARY_LOSS_MISTAKES = {
    "Over the samples the mean is taken already.": lambda loss, m, n_out: loss / m,
    "Divided by every size. Over one of the two the mean is taken already.": lambda loss, m, n_out: loss / (m * n_out),
    "Multiplied, where the library divides by more than this course does.": lambda loss, m, n_out: loss * n_out,
    "That is the half of note 004, which belongs to another loss.": lambda loss, m, n_out: loss / 2,
}

LIBRARY_LOSS = Exercise(
    id="loss-library",
    stub=library_loss,
    reference=library_loss_solution,
    judge=recalls(
        library_loss_solution,
        cases=[{"loss": 6.0, "m": 5, "n_out": 3}, {"loss": 10.5, "m": 4, "n_out": 7}],
        mistakes=LIBRARY_LOSS_MISTAKES,
    ),
    wrong=named(LIBRARY_LOSS_MISTAKES),
)

# -- 2. implement: the derivative from what the forward pass left behind ---------------------------------------------


def tanh_backward(dA, A):
    """The gradient dZ, where A = tanh(Z) is all that was kept of the forward pass."""
    return ...


def tanh_backward_solution(dA, A):
    # tanh' = 1 - tanh², and tanh(Z) is A itself.
    return dA * (1 - A**2)


TANH_BACKWARD = Exercise(
    id="activation-tanh-backward",
    stub=tanh_backward,
    reference=tanh_backward_solution,
    judge=computes(
        tanh_backward_solution,
        inputs=lambda rng: {"dA": rng.normal(size=(5, 3)), "A": np.tanh(rng.normal(size=(5, 3)))},
        name="dZ",
        m="A",
    ),
    wrong={
        "tanh taken a second time": Wrong(
            lambda dA, A: dA * (1 - np.tanh(A) ** 2), says="f′ is taken at A instead of at Z"
        ),
        "the derivative left out": Wrong(lambda dA, A: dA, says="f′"),
        "averaged over the batch": Wrong(lambda dA, A: dA * (1 - A**2) / len(A), says="m = 5"),
        "the logistic function's": Wrong(lambda dA, A: dA * A * (1 - A), says="the slope of the logistic function"),
        "the sign of the update": Wrong(lambda dA, A: dA * (A**2 - 1), says="sign"),
    },
)

# -- 3. implement: a form that survives ------------------------------------------------------------------------------


def stable_softplus(z):
    """ln(1 + eᶻ), entry by entry, for every float64."""
    return ...


def stable_softplus_solution(z):
    # Only e^(-|z|) is ever computed. It is at most 1, so nothing overflows, and log1p keeps the digits of a small one.
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


SOFTPLUS_MISTAKES = {
    "Your softplus is right below zero only: the part that grows with z is missing.": lambda z: np.log1p(
        np.exp(-np.abs(z))
    ),
    "Your softplus is what is left far from zero: the part that decays is missing.": lambda z: np.maximum(z, 0),
    "Your softplus is cut off: where z was clipped, softplus goes on to grow.": lambda z: np.log1p(
        np.exp(np.minimum(z, 500))
    ),
}

LOST_DIGITS = {
    "Far left of zero the digits are lost: 1 + eᶻ, rounded, has no room for a small eᶻ.": lambda z: (
        np.maximum(z, 0) + np.log(1 + np.exp(-np.abs(z)))
    ),
}

STABLE_SOFTPLUS = Exercise(
    id="loss-stable-softplus",
    stub=stable_softplus,
    reference=stable_softplus_solution,
    # A lost digit shows only where no large entry stands beside it, hence the second set of inputs.
    judge=_both(
        computes(stable_softplus_solution, inputs=_with_extremes, name="softplus", mistakes=SOFTPLUS_MISTAKES),
        computes(stable_softplus_solution, inputs=_far_left, name="softplus", mistakes=LOST_DIGITS),
    ),
    wrong={
        "as defined": Wrong(_quietly(lambda z: np.log(1 + np.exp(z))), says="NaN or infinite"),
        "mirrored once for all": Wrong(_quietly(lambda z: z + np.log1p(np.exp(-z))), says="NaN or infinite"),
        **named(SOFTPLUS_MISTAKES),
        **named(LOST_DIGITS),
    },
)

# -- 4. derive: the logits form, with the engine as judge ------------------------------------------------------------

y, z = scalars("y z")
ell = scalars("ell")
ONE_LOGIT = {ell: -(y * log(sigmoid(z)) + (1 - y) * log(1 - sigmoid(z)))}


def logit_derivation():
    """Derive ∂ℓ/∂z of the binary cross-entropy of one logit, in at least two steps."""
    return ...


def logit_derivation_solution():
    return (
        Derivation(Partial(ell, z), let=ONE_LOGIT)
        .then(Partial(softplus(z) - y * z, z), because=r"$-\ln\sigma(z)$ and $-\ln(1-\sigma(z))$ are softplus")
        .then(sigmoid(z) - y, because="the derivative of softplus is the logistic function")
    )


def _what_is_left(derivation):
    if {name: meaning.body for name, meaning in derivation.let.items()} != ONE_LOGIT:
        return ", but of another loss: take let=exercises.ONE_LOGIT."
    if derivation.result not in (sigmoid(z) - y, -y + sigmoid(z)):
        return ", but the last line is not sigmoid(z) - y yet."
    return ""


_logit = tries(Partial(ell, z), let=ONE_LOGIT)

LOGIT_DERIVATION = Exercise(
    id="loss-logit-derivation",
    stub=logit_derivation,
    reference=logit_derivation_solution,
    judge=way(
        Partial(ell, z),
        "Partial(ell, z)",
        steps="another form of the loss, then its derivative",
        unfinished=_what_is_left,
    ),
    wrong={
        "the sign": Wrong(_logit(y - sigmoid(z)), says="A step of yours is refused"),
        "the derivative of σ once too often": Wrong(
            _logit((sigmoid(z) - y) * sigmoid(z) * (1 - sigmoid(z))), says="A step of yours is refused"
        ),
        "in one leap": Wrong(_logit(sigmoid(z) - y), says="at least two steps"),
        "one leap, said twice": Wrong(_logit(sigmoid(z) - y, sigmoid(z) - y), says="at least two steps"),
        "another loss": Wrong(
            lambda: (
                Derivation(Partial(ell, z), let={ell: softplus(z) - y * z})
                .then(Partial(softplus(z) - y * z, z), because="a try")
                .then(sigmoid(z) - y, because="a try")
            ),
            says="of another loss",
        ),
        "not there yet": Wrong(
            _logit(Partial(softplus(z) - y * z, z), sigmoid(z) * (1 - y) - y * (1 - sigmoid(z))), says="not sigmoid(z)"
        ),
    },
)

# -- 5. debug: a mask that was published -----------------------------------------------------------------------------


def repaired_mask(dA, Z):
    """The gradient dZ through A = relu(Z)."""
    return ...


def repaired_mask_solution(dA, Z):
    # A is never negative, so A >= 0 is true everywhere. What decides is the sign of Z.
    return dA * (Z > 0)


REPAIRED_MASK = Exercise(
    id="activation-repaired-mask",
    stub=repaired_mask,
    reference=repaired_mask_solution,
    judge=computes(
        repaired_mask_solution,
        inputs=lambda rng: {"dA": rng.normal(size=(5, 3)), "Z": rng.normal(size=(5, 3))},
        name="dZ",
        m="Z",
    ),
    wrong={
        "as found": Wrong(lambda dA, Z: dA * (np.maximum(Z, 0) >= 0), says="f′"),
        "relu for its derivative": Wrong(lambda dA, Z: dA * np.maximum(Z, 0), says="f(Z)"),
        "the mask of the gradient": Wrong(lambda dA, Z: dA * (dA > 0), says="mask"),
        "the mask the wrong way round": Wrong(lambda dA, Z: dA * (Z <= 0), says="wrong way round"),
        "the caller's gradient changed": Wrong(
            lambda dA, Z: np.multiply(dA, Z > 0, out=dA), says="changes its argument dA"
        ),
    },
)

# -- 6. transfer: an activation that no note has ---------------------------------------------------------------------


def silu_derivative(z):
    """The derivative of silu(z) = z σ(z), entry by entry, for every float64."""
    return ...


def silu_derivative_solution(z):
    # The product rule: σ(z) + z σ'(z), with σ' = σ(z) σ(-z). Only e^(-|z|) is ever computed.
    e = np.exp(-np.abs(z))
    large, small = 1 / (1 + e), e / (1 + e)  # σ(|z|) and σ(-|z|)
    return np.where(z >= 0, large, small) + z * large * small


SILU_MISTAKES = {
    "Your derivative is one half of the product rule: z stands in front, and it has a derivative of its own.": _quietly(
        lambda z: 1 / (1 + np.exp(-z))
    ),
    "Your derivative is the product of two derivatives, which is not the derivative of a product.": _quietly(
        lambda z: np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))) ** 2
    ),
}

SILU_DERIVATIVE = Exercise(
    id="activation-silu-derivative",
    stub=silu_derivative,
    reference=silu_derivative_solution,
    judge=computes(silu_derivative_solution, inputs=_with_extremes, name="derivative", mistakes=SILU_MISTAKES),
    wrong={
        **named(SILU_MISTAKES),
        "right on paper": Wrong(
            _quietly(lambda z: (1 + np.exp(-z) + z * np.exp(-z)) / (1 + np.exp(-z)) ** 2), says="NaN or infinite"
        ),
    },
)
