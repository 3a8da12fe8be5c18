"""The words and signs of evidence: what each rung of the ladder may claim, said the same way everywhere."""

from __future__ import annotations

SIGNS = {"identical": "≡", "proved": "✓", "expanded": "#", "evaluated": "≈"}
EXPLAINED = {
    "identical": "Identical: both sides are the same expression once written out. True for all sizes.",
    "proved": "Proved: both sides have the same normal form, with every size left symbolic. True for all sizes.",
    "expanded": "Expanded: proved at the listed sizes only, entry by entry. Not a proof for all sizes.",
    "evaluated": "Evaluated: both sides agree at random points. This is evidence, not a proof.",
}
OF_THE_WHOLE = {
    "identical": "Every line is the same expression as the one before it, for all sizes.",
    "proved": "Every line is proved for all sizes.",
    "expanded": "At least one line is proved at the listed sizes only.",
    "evaluated": "At least one line was only compared at random points.",
}
OF_ONE_LINE = {
    "identical": "Both sides are the same expression, for all sizes.",
    "proved": "Proved for all sizes.",
    "expanded": "Proved at the listed sizes only.",
    "evaluated": "Only compared at random points.",
}
HOLDS_FOR_ALL_SIZES = ("identical", "proved")
REFUSED_BY = {
    "shapes": "The two sides do not have the same shape.",
    "refutation": "A counterexample was found.",
    "proof": "No counterexample was found, but no proof either.",
}
CHECKED_BY = {
    "numpy": "the NumPy code",
    "finite difference": "finite differences",
    "complex step": "the complex step",
    "autodiff": "automatic differentiation",
}
OUTCOMES = {"caught": "●", "stops": "■", "passes": "○", "not tried": "–"}
