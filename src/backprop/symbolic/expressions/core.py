"""What every expression shares, and the scalars: names, sums, products, entries and functions."""

from fractions import Fraction
from itertools import pairwise
from numbers import Rational

from ..errors import ExpressionError, ShapeError


class Expression:
    """What all expressions share: the parts (`args`), the shape, equality by structure, and Python's operators."""

    __slots__ = ("_hash", "args", "shape")
    # SymPy's operators give way to the operand with the higher priority, so `sympy_object * ours` stays ours.
    _op_priority = 100.0
    __array_ufunc__ = None

    def __init__(self, *args, shape=()):
        object.__setattr__(self, "args", args)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "_hash", hash((type(self).__name__, args)))

    def __setattr__(self, name, value):
        raise AttributeError(f"expressions do not change: cannot set {name!r}")

    def __hash__(self):
        return self._hash

    def __eq__(self, other):
        return self is other or (type(self) is type(other) and self._hash == other._hash and self.args == other.args)

    def __bool__(self):
        raise TypeError("an expression is neither true nor false; compare two of them with ==")

    def __iter__(self):
        raise TypeError(f"{self} is one expression, not a sequence")

    @property
    def is_matrix(self):
        """Whether the expression has rows and columns."""
        return self.shape != ()

    @property
    def rows(self):
        """The number of rows of a matrix."""
        return require_matrix(self, "the number of rows").shape[0]

    @property
    def cols(self):
        """The number of columns of a matrix."""
        return require_matrix(self, "the number of columns").shape[1]

    @property
    def T(self):
        """The transpose."""
        return Transpose(self)

    def children(self):
        """The expressions that this one is directly made of."""
        return tuple(_expressions_in(self.args))

    def __getitem__(self, at):
        return entry_of(self, at)

    def __neg__(self):
        return times(Number(-1), self)

    def __pos__(self):
        return self

    def __add__(self, other):
        return plus(self, sympify(other))

    def __radd__(self, other):
        return plus(sympify(other), self)

    def __sub__(self, other):
        return plus(self, -sympify(other))

    def __rsub__(self, other):
        return plus(sympify(other), -self)

    def __mul__(self, other):
        return times(self, sympify(other))

    def __rmul__(self, other):
        return times(sympify(other), self)

    __matmul__, __rmatmul__ = __mul__, __rmul__

    def __truediv__(self, other):
        return Quotient(self, sympify(other))

    def __rtruediv__(self, other):
        return Quotient(sympify(other), self)

    def __pow__(self, exponent):
        return Power(self, sympify(exponent))

    def __rpow__(self, base):
        return Power(sympify(base), self)

    def __lt__(self, other):
        return _inequality(self, sympify(other), True)

    def __le__(self, other):
        return _inequality(self, sympify(other), False)

    def __gt__(self, other):
        return _inequality(sympify(other), self, True)

    def __ge__(self, other):
        return _inequality(sympify(other), self, False)

    def __str__(self):
        from ..printing import text

        return text(self)

    __repr__ = __str__

    def _repr_latex_(self):
        from ..printing import latex

        return f"$${latex(self)}$$"

    def _sympy_(self):
        from ..interop import to_sympy

        return to_sympy(self)


def _inequality(less, more, strict):
    from ..hypotheses import Inequality

    return Inequality(less, more, strict)


def _expressions_in(args):
    for a in args:
        if isinstance(a, Expression):
            yield a
        elif isinstance(a, tuple):
            yield from _expressions_in(a)


def sympify(value):
    """The expression for `value`: an expression, an integer, a fraction, or an object of SymPy.

    Raises
    ------
    ExpressionError
        For a float (it is not exact) and for anything that the language does not know.
    """
    if isinstance(value, Expression):
        return value
    if isinstance(value, bool):
        raise ExpressionError(f"{value!r} is a truth value, not a number")
    if isinstance(value, Rational):
        return Number(Fraction(value.numerator, value.denominator))
    if isinstance(value, float):
        raise ExpressionError(f"{value!r} is a float and not exact: write Fraction({value!r}) or an exact expression")
    if hasattr(value, "_sympy_") or "sympy" in {
        base.__module__.partition(".")[0] for base in type(value).__mro__ if base.__module__
    }:
        from ..interop import from_sympy

        return from_sympy(value)
    raise ExpressionError(f"{value!r} ({type(value).__name__}) is not an expression")


def require_matrix(e, wanted_for):
    """`e`, or an error that says what needed a matrix."""
    if not e.is_matrix:
        raise ShapeError(f"{wanted_for}: expected a matrix, but {e} is a scalar")
    return e


def scalar(value, wanted_for):
    """`value` as a scalar expression; a 1×1 matrix counts as its only entry."""
    e = sympify(value)
    if e.shape == (ONE, ONE):
        return Entry(e, ZERO, ZERO)
    if e.is_matrix:
        raise ShapeError(f"{wanted_for}: expected a scalar, but {e} has shape {shape_text(e.shape)}")
    return e


def shape_text(shape):
    """A shape as a person writes it: ``N×K``."""
    return "×".join(str(d) for d in shape) if shape else "scalar"


class Number(Expression):
    """An exact rational number."""

    __slots__ = ()

    def __init__(self, value):
        super().__init__(Fraction(value))

    @property
    def value(self):
        """The number as a fraction."""
        return self.args[0]


ZERO, ONE = Number(0), Number(1)


class Constant(Expression):
    """A named number: π, or infinity as an end of an integral or a limit."""

    __slots__ = ()

    @property
    def name(self):
        """The constant's name."""
        return self.args[0]


PI, INFINITY = Constant("pi"), Constant("oo")


class Symbol(Expression):
    """A real scalar, a dimension or an index, by name."""

    __slots__ = ("latex",)

    def __init__(self, name, latex=None, *, positive=False, integer=False):
        super().__init__(_name(name), bool(positive), bool(integer))
        object.__setattr__(self, "latex", latex)

    @property
    def name(self):
        """The symbol's name."""
        return self.args[0]

    @property
    def positive(self):
        """Whether it stands for positive numbers only."""
        return self.args[1]

    @property
    def integer(self):
        """Whether it stands for whole numbers only: dimensions and indices do."""
        return self.args[2]


class Matrix(Expression):
    """A matrix of real entries, by name: ``Matrix("X", N, K)``; a vector is a matrix with one row or one column."""

    __slots__ = ("latex",)

    def __init__(self, name, rows, cols, latex=None):
        super().__init__(_name(name), dimension(rows), dimension(cols), shape=(dimension(rows), dimension(cols)))
        object.__setattr__(self, "latex", latex)

    @property
    def name(self):
        """The matrix's name."""
        return self.args[0]


def _name(name):
    if not (isinstance(name, str) and name[:1].isalpha()):
        raise ExpressionError(f"a name is a text that begins with a letter, not {name!r}")
    return name


def dimension(value):
    """`value` as a dimension: a positive whole number, or a symbol for one."""
    d = sympify(value)
    if isinstance(d, Number) and d.value.denominator == 1 and d.value > 0:
        return d
    if isinstance(d, Symbol) and d.integer:
        return d
    raise ShapeError(f"a dimension is a positive whole number or one of dimensions('N K'), not {d}")


class Plus(Expression):
    """Terms of one shape, in the written order."""

    __slots__ = ()

    def __init__(self, *terms):
        shapes = {t.shape: t for t in terms}
        if len(shapes) > 1:
            (s, a), (r, b) = list(shapes.items())[:2]
            hint = "; write ones(rows, columns) for a constant matrix" if () in shapes else ""
            raise ShapeError(f"cannot add {a} ({shape_text(s)}) and {b} ({shape_text(r)}){hint}")
        super().__init__(*terms, shape=terms[0].shape)


def plus(a, b):
    """``a + b``; a sum on the left is continued, one on the right keeps its parentheses."""
    if a.shape != b.shape:
        a, b = (scalar(x, "sum") if x.shape == (ONE, ONE) else x for x in (a, b))
    return Plus(*(a.args if isinstance(a, Plus) else (a,)), b)


class Times(Expression):
    """Factors in the written order: scalars anywhere, matrices so that neighbours conform."""

    __slots__ = ()

    def __init__(self, *factors):
        matrices = [f for f in factors if f.is_matrix]
        for a, b in pairwise(matrices):
            if a.cols != b.rows:
                raise ShapeError(
                    f"cannot multiply {a} ({shape_text(a.shape)}) by {b} ({shape_text(b.shape)}): "
                    f"expected {a.cols} rows on the right, but there are {b.rows}"
                )
        super().__init__(*factors, shape=(matrices[0].rows, matrices[-1].cols) if matrices else ())


def times(a, b):
    """``a * b``; a product on the left is continued, one on the right keeps its parentheses."""
    if a.is_matrix and b.is_matrix and a.cols != b.rows:
        a, b = (scalar(x, "product") if x.shape == (ONE, ONE) else x for x in (a, b))
    if a == Number(-1) and isinstance(b, Number):
        return Number(-b.value)
    if a == Number(-1) and isinstance(b, Times):
        return Times(a, *b.args)
    return Times(*(a.args if isinstance(a, Times) else (a,)), b)


class Quotient(Expression):
    """A scalar or a matrix divided by a scalar."""

    __slots__ = ()

    def __init__(self, numerator, denominator):
        if denominator.is_matrix and denominator.shape != (ONE, ONE):
            raise ShapeError(
                f"cannot divide by the matrix {denominator} ({shape_text(denominator.shape)}); "
                "divide(A, B) divides entry by entry"
            )
        denominator = scalar(denominator, "denominator")
        if denominator == ZERO:
            raise ExpressionError(f"cannot divide {numerator} by zero")
        super().__init__(numerator, denominator, shape=numerator.shape)


class Power(Expression):
    """A scalar raised to a scalar."""

    __slots__ = ()

    def __init__(self, base, exponent):
        if base.is_matrix and base.shape != (ONE, ONE):
            raise ShapeError(f"{base} is a matrix; square its entries with hadamard(A, A), or write A*A")
        super().__init__(scalar(base, "base"), scalar(exponent, "exponent"))


class Sum(Expression):
    """``Sum(body, (n, 0, N - 1), …)``: the sum of a scalar over indices and their ranges, both ends included.

    `total` reads the ranges off the entries instead.

    Raises
    ------
    ExpressionError
        If there is no index, an index comes twice, or a range ends at anything but numbers and dimensions.

    Examples
    --------
    >>> from backprop.symbolic import Derivation, Sum, dimensions, indices, scalars
    >>> N, n, x = dimensions("N"), indices("n"), scalars("x")
    >>> Derivation(Sum(x, (n, 0, N - 1))).then(N * x, because="N equal terms").evidence.name
    'PROVED'
    """

    __slots__ = ()

    def __init__(self, body, *limits):
        if not limits:
            raise ExpressionError(f"the sum of {body} has no index")
        limits = tuple(tuple(sympify(x) for x in limit) for limit in limits)
        body, seen = sympify(body), set()
        for k, low, high in limits:
            if not (isinstance(k, Symbol) and k.integer and not k.positive):
                raise ExpressionError(f"a sum runs over one of indices('n k'), not over {k}")
            for end in (low, high):
                _refuse_moving(end, k)
            if k in seen:
                raise ExpressionError(f"the index {k} is summed over twice in one sum")
            seen.add(k)
        super().__init__(scalar(body, "the body of a sum"), limits)

    @property
    def body(self):
        """What is summed."""
        return self.args[0]

    @property
    def limits(self):
        """``((index, low, high), …)``."""
        return self.args[1]


def _refuse_moving(end, k):
    """Refuse a sum whose range is not the same for every value of other indices: the prover has no rule for it."""
    for s in subexpressions(end):
        if isinstance(s, Entry | Functional | Apply) or (isinstance(s, Symbol) and not (s.integer and s.positive)):
            raise ExpressionError(f"the range of {k} ends at {end}: expected numbers and dimensions only")


class Entry(Expression):
    """One entry of a matrix expression: ``X[n, p]``; a row or a column takes one index."""

    __slots__ = ()

    @property
    def matrix(self):
        """The matrix whose entry it is."""
        return self.args[0]


def entry_of(e, at):
    """``e[at]``, with one index for a row or a column."""
    require_matrix(e, "indexing")
    at = at if isinstance(at, tuple) else (at,)
    if len(at) == 1 and ONE in e.shape:
        at = (at[0], ZERO) if e.cols == ONE else (ZERO, at[0])
    if len(at) != 2:
        raise ExpressionError(f"{e} has shape {shape_text(e.shape)} and takes two indices, not {len(at)}")
    return Entry(e, *(_index(k, d, e) for k, d in zip(at, e.shape, strict=True)))


def _index(value, size, e):
    k = sympify(value)
    if isinstance(k, Symbol) and k.integer:
        return k
    if isinstance(k, Number) and k.value.denominator == 1 and k.value >= 0:
        largest = size.value - 1 if isinstance(size, Number) else 0
        if k.value > largest:
            raise ShapeError(f"the index {k} is out of range in {e}, which has shape {shape_text(e.shape)}")
        return k
    raise ExpressionError(f"an index is one of indices('n k') or a whole number from 0, not {k}")


class Delta(Expression):
    """The Kronecker delta: 1 where both indices agree, otherwise 0."""

    __slots__ = ()

    def __init__(self, i, j):
        i, j = sympify(i), sympify(j)
        for k in (i, j):
            if not (isinstance(k, Number) or (isinstance(k, Symbol) and k.integer)):
                raise ExpressionError(f"a delta compares two indices, not {k}")
        super().__init__(i, j)


class Apply(Expression):
    """A function of one number, applied to a scalar or to every entry of a matrix."""

    __slots__ = ()

    def __init__(self, function, argument):
        super().__init__(function, argument, shape=argument.shape)

    @property
    def function(self):
        """The function."""
        return self.args[0]

    @property
    def argument(self):
        """What it is applied to."""
        return self.args[1]


class Functional(Expression):
    """An undefined real function of all entries of one or more matrices."""

    __slots__ = ("latex",)

    def __init__(self, name, arguments, latex=None):
        if not arguments:
            raise ExpressionError(f"the functional {name} needs at least one argument")
        super().__init__(_name(name), tuple(arguments))
        object.__setattr__(self, "latex", latex)

    @property
    def name(self):
        """The functional's name."""
        return self.args[0]

    @property
    def arguments(self):
        """The matrices and scalars that it depends on."""
        return self.args[1]


class Transpose(Expression):
    """Rows and columns exchanged."""

    __slots__ = ()

    def __init__(self, matrix):
        require_matrix(matrix, "transpose")
        super().__init__(matrix, shape=(matrix.cols, matrix.rows))


def subexpressions(e):
    """`e` and everything that it is made of, each once, outermost first."""
    seen, stack, out = set(), [e], []
    while stack:
        x = stack.pop()
        if x not in seen:
            seen.add(x)
            out.append(x)
            stack.extend(reversed(x.children()))
    return out


def mentions(e, part):
    """Whether `part` occurs anywhere in `e`."""
    return any(x == part for x in subexpressions(sympify(e)))
