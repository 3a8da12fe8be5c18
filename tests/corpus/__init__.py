"""Every formula of the course that is an equation or a stated inequality, as true identities with symbolic sizes.

The engine is examined with them from outside: each is proved (`test_corpus`), each is mutated (`test_mutants`), and
each is evaluated by numbers that share nothing with the engine but the expression classes (`numbers`).
"""

from . import (
    activations_and_losses,
    delta_recursion,
    gradient_checking,
    hidden_layers,
    initialization,
    linear_layer,
    matrix_form,
    mean,
    networks,
    softmax_cross_entropy,
)

CHAPTERS = (
    linear_layer,
    matrix_form,
    activations_and_losses,
    softmax_cross_entropy,
    mean,
    gradient_checking,
    initialization,
    hidden_layers,
    delta_recursion,
    networks,
)
CORPUS = [identity for chapter in CHAPTERS for identity in chapter.IDENTITIES]

# Formulas with no identity here: what they say is no equation between expressions.
NOT_EQUATIONS = {
    "P0.5": "says that products differ: each of the wrong ones is a planted error, refused when all sizes are equal",
}

# What a formula says beyond its identities here, and why the language cannot say it.
SAID_OTHERWISE = {
    "P1.2": "any activation is a map f(U g(z)) that mixes all entries, and softmax; the language has no undefined map",
    "P2.2": "the rank K - 1 is shown by the kernel (J 1 = 0) and by uᵀJu = ½ Σ pᵢpⱼ(uᵢ - uⱼ)², zero there only",
    "P2.7": "Taylor's theorem with a point ξ says that a point exists; the limits of the errors are proved instead",
    "P2.10": "an expectation over independent weights is written as its rule, E[wᵢwⱼ] = v δᵢⱼ; SELU is for numbers",
    "P4.6": "any number of layers is one link of the chain and two whole layers; no ellipsis is in the language",
    "P4.9": "a cost is a count of multiplications and additions, summed over layers with unequal widths",
}
