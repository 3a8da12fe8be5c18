"""The exercises of the book, one module a chapter: what the reader completes, the check, the solution, known mistakes.

This is the one place in the package that may join the derivation engine with the numeric modules, because an exercise
may ask for either.
"""
