"""Derivatives, integrals and limits, not yet worked out."""

from ..errors import ExpressionError
from .core import ONE, Entry, Expression, Matrix, Symbol, scalar, sympify
from .matrices import length


class Partial(Expression):
    r"""``Partial(e, v)``: ∂e/∂v, not yet worked out.

    Parameters
    ----------
    e : scalar expression
        What is differentiated. Definitions (`let`) are unfolded until `v` appears.
    v : Symbol, or an entry of a named matrix
        What is varied. It is held as a variable of its own, even where it has a definition.

    Raises
    ------
    ExpressionError
        If `e` is not a scalar, or `v` is neither a symbol nor an entry of a named matrix.

    Examples
    --------
    >>> from backprop.symbolic import Partial, dimensions, functional, indices, matrix
    >>> N, K = dimensions("N K")
    >>> n, k = indices("n k")
    >>> Z = matrix("Z", N, K)
    >>> Partial(functional("L", Z), Z[n, k])
    ∂L/∂Z[n,k]
    """

    __slots__ = ()

    def __init__(self, e, v):
        e, v = scalar(e, "Partial"), sympify(v)
        if isinstance(v, Matrix) and v.shape == (ONE, ONE):
            v = v[0, 0]
        entry_of_name = isinstance(v, Entry) and isinstance(v.matrix, Matrix)
        if isinstance(v, Matrix):
            raise ExpressionError(f"Partial needs one entry such as {v}[i, j]; Grad(e, {v}) is all of them")
        if not (isinstance(v, Symbol) or entry_of_name):
            raise ExpressionError(f"Partial differentiates by a symbol or by an entry of a named matrix, not by {v}")
        if isinstance(v, Symbol) and v.integer:
            raise ExpressionError(f"cannot differentiate by {v}, which stands for whole numbers")
        super().__init__(e, v)


class Grad(Expression):
    r"""``Grad(e, V)``: the matrix of all ∂e/∂V[i, j], in the shape of V.

    Parameters
    ----------
    e : scalar expression
    V : a named matrix, or a symbol (then it is ∂e/∂V)

    Raises
    ------
    ExpressionError
        If `e` is not a scalar or `V` has no name.

    Examples
    --------
    >>> from backprop.symbolic import Grad, dimensions, functional, matrix
    >>> N, K = dimensions("N K")
    >>> Z = matrix("Z", N, K)
    >>> Grad(functional("L", Z), Z), Grad(functional("L", Z), Z).shape
    (∂L/∂Z, (N, K))
    """

    __slots__ = ()

    def __new__(cls, e, V):
        if isinstance(sympify(V), Symbol):
            return Partial(e, V)
        return super().__new__(cls)

    def __init__(self, e, V):
        e, V = scalar(e, "Grad"), sympify(V)
        if not isinstance(V, Matrix):
            raise ExpressionError(f"Grad differentiates by a named matrix, not by {V}")
        super().__init__(e, V, shape=V.shape)


class Jacobian(Expression):
    """``Jacobian(z, x)``: the matrix of all ∂z[i]/∂x[j], one row for each entry of z, one column for each entry of x.

    Parameters
    ----------
    z : a row or a column, by name or as an expression
    x : a named row or column

    Raises
    ------
    ShapeError
        If one of them is neither a row nor a column.
    ExpressionError
        If `x` has no name.

    Examples
    --------
    >>> from backprop.symbolic import Derivation, Jacobian, column, diag, dimensions, elementwise
    >>> f, f_prime = elementwise("f")
    >>> z = column("z", dimensions("K"))
    >>> Derivation(Jacobian(f(z), z)).then(diag(f_prime(z)), because="entry by entry").evidence.name
    'PROVED'
    """

    __slots__ = ()

    def __init__(self, z, x):
        z, x = sympify(z), sympify(x)
        if not isinstance(x, Matrix):
            raise ExpressionError(f"Jacobian differentiates by a named vector, not by {x}")
        super().__init__(z, x, shape=(length(z, "Jacobian"), length(x, "Jacobian")))


class Integral(Expression):
    """``Integral(f, (x, a, b))``: the integral of a scalar over one variable.

    Parameters
    ----------
    f : scalar expression
        It may have kinks at x = 0, such as relu(x) has.
    (x, a, b) : a symbol and two ends
        An end is an expression, `INFINITY` or `-INFINITY`.

    Raises
    ------
    ExpressionError
        If `x` is not a symbol.

    Examples
    --------
    >>> from backprop.symbolic import Derivation, Integral, scalars
    >>> x, l = scalars("x"), scalars("l", positive=True)
    >>> Derivation(Integral(x**2 / (2 * l), (x, -l, l))).then(l**2 / 3, because="variance of U[-l, l]").evidence.name
    'PROVED'
    """

    __slots__ = ()

    def __init__(self, body, limit):
        x, a, b = (sympify(v) for v in limit)
        if not isinstance(x, Symbol):
            raise ExpressionError(f"an integral runs over a symbol, not over {x}")
        super().__init__(scalar(body, "the integrand"), (x, a, b))


class Limit(Expression):
    """``Limit(f, x, point, direction)``: what f comes close to when x comes close to the point.

    Parameters
    ----------
    f : scalar expression
    x : symbol
    point : expression, `INFINITY` or `-INFINITY`
    direction : "+" from above, "-" from below, "+-" from both sides

    Raises
    ------
    ExpressionError
        If `x` is not a symbol, or the direction is none of the three.

    Examples
    --------
    >>> from backprop.symbolic import Derivation, Limit, elementwise, scalars
    >>> f, f_prime = elementwise("f")
    >>> t, h = scalars("t h")
    >>> slope = Derivation(Limit((f(t + h) - f(t - h)) / (2 * h), h, 0))
    >>> slope.then(f_prime(t), because="Taylor").evidence.name
    'PROVED'
    """

    __slots__ = ()

    def __init__(self, body, x, point, direction="+-"):
        x = sympify(x)
        if not isinstance(x, Symbol):
            raise ExpressionError(f"a limit moves a symbol, not {x}")
        if direction not in ("+", "-", "+-"):
            raise ExpressionError(f"a limit's direction is '+', '-' or '+-', not {direction!r}")
        super().__init__(scalar(body, "the body of a limit"), x, sympify(point), direction)
