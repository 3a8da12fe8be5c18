"""Functions of one number: the known ones, and undefined ones with a derivative that has a name.

A function is applied to a scalar or, entry by entry, to a matrix. The prover and the refuter each give the known
functions their meaning on their own, from the name; nothing is shared but the name.
"""

from .errors import ExpressionError
from .expressions import Apply, Functional, Number, sympify


class Function:
    """A function of one number, by name; `order` counts the derivatives taken of an undefined one."""

    __slots__ = ("known", "latex", "name", "order")

    def __init__(self, name, latex, *, known, order=0):
        self.name, self.latex, self.known, self.order = name, latex, known, order

    def __call__(self, argument):
        return Apply(self, sympify(argument))

    def __eq__(self, other):
        return isinstance(other, Function) and self._identity == other._identity

    def __hash__(self):
        return hash(self._identity)

    @property
    def _identity(self):
        return (self.name, self.known, self.order)

    @property
    def prime(self):
        """The derivative of an undefined function, as a function."""
        if self.known:
            raise ExpressionError(f"{self.name} is a known function: write its derivative as a formula")
        return Function(self.name, self.latex, known=False, order=self.order + 1)

    def __repr__(self):
        return self.name + "'" * self.order


exp = Function("exp", r"\exp", known=True)
log = Function("log", r"\ln", known=True)
sqrt = Function("sqrt", r"\sqrt", known=True)
sin = Function("sin", r"\sin", known=True)
cos = Function("cos", r"\cos", known=True)
sinh = Function("sinh", r"\sinh", known=True)
cosh = Function("cosh", r"\cosh", known=True)
tanh = Function("tanh", r"\tanh", known=True)
sigmoid = Function("sigmoid", r"\sigma", known=True)
softplus = Function("softplus", r"\operatorname{softplus}", known=True)
relu = Function("relu", r"\operatorname{relu}", known=True)
step = Function("step", r"\mathbf{1}", known=True)
absolute = Function("abs", r"\operatorname{abs}", known=True)
sign = Function("sign", r"\operatorname{sign}", known=True)

KNOWN = {f.name: f for f in (exp, log, sqrt, sin, cos, sinh, cosh, tanh, sigmoid, softplus, relu, step, absolute, sign)}


def elementwise(name, latex=None):
    r"""An undefined smooth function of one number, and its derivative.

    What is proved with it holds for every such function.

    Parameters
    ----------
    name : str
    latex : str, optional
        How it is typeset; the name if not given.

    Returns
    -------
    f, f_prime : Function
        Apply them to scalars, or to matrices entry by entry.

    Raises
    ------
    ExpressionError
        If the name is that of a known function: the two would mean different things.

    Examples
    --------
    >>> from backprop.symbolic import dimensions, elementwise, matrix
    >>> N, K = dimensions("N K")
    >>> f, f_prime = elementwise("f")
    >>> f_prime(matrix("Z", N, K))
    f′(Z)
    """
    if name in KNOWN:
        raise ExpressionError(f"{name} is a known function; an undefined one needs another name")
    f = Function(name, latex or name, known=False)
    return f, f.prime


def functional(name, *arguments, latex=None):
    r"""An undefined smooth real function of all entries of its arguments: "any loss".

    Parameters
    ----------
    name : str
    *arguments : matrices or scalars
    latex : str, optional

    Examples
    --------
    >>> from backprop.symbolic import dimensions, functional, matrix
    >>> N, K = dimensions("N K")
    >>> functional("L", matrix("Z", N, K))
    L(Z)
    """
    return Functional(name, [sympify(a) for a in arguments], latex)


def maximum(a, b):
    """The larger of two scalars, as ``a + relu(b - a)``; ``maximum(0, z)`` is ``relu(z)``.

    Examples
    --------
    >>> from backprop.symbolic import maximum, scalars
    >>> maximum(0, scalars("z"))
    relu(z)
    """
    a, b = sympify(a), sympify(b)
    if a == Number(0):
        return relu(b)
    return a + relu(b - a)
