"""To SymPy's expressions and back."""
