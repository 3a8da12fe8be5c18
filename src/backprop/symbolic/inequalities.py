"""Which inequalities count as proved."""


def at_most(prover, left, right):
    """The rule by which left ≤ right, or None."""
    return None
