"""Backpropagation with executable derivations."""
