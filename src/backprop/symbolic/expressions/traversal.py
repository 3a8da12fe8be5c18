"""Changing an expression: its parts replaced, its shapes checked again."""

from .core import Constant, Entry, Expression, Functional, Matrix, Number, Sum, Symbol, entry_of


def rebuild(e, replace):
    """`e` with `replace` applied to each part; the shapes are checked again."""

    def walk(a):
        if isinstance(a, Expression):
            return replace(a)
        return tuple(walk(x) for x in a) if isinstance(a, tuple) else a

    if isinstance(e, Symbol | Number | Constant):
        return e
    args = [walk(a) for a in e.args]
    if isinstance(e, Matrix):
        return Matrix(*args, latex=e.latex)
    if isinstance(e, Functional):
        return Functional(*args, latex=e.latex)
    if isinstance(e, Sum):
        return Sum(args[0], *args[1])
    if isinstance(e, Entry):
        return entry_of(args[0], tuple(args[1:]))
    return type(e)(*args)


def substitute(e, mapping):
    """`e` with whole subexpressions replaced; bound indices are not touched by name."""
    memo = {}

    def replace(x):
        if x not in memo:
            memo[x] = mapping[x] if x in mapping else rebuild(x, replace)
        return memo[x]

    return replace(e)
