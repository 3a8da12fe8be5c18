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
