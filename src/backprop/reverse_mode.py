"""Reverse-mode automatic differentiation: a tape, a topological order, and one rule for each primitive.

A program is written once, with ``+ - * / @ .T`` and the functions below. On arrays it computes; on nodes it also leaves
a tape behind, along which `backward` carries a gradient from the result to everything that the result was made of.
"""

from collections.abc import Callable, Iterator

import numpy as np

from backprop._arrays import to_array
from backprop._traced import a_node, applied, constant, documented, from_above, kind_of, product, rule_of, within_range
from backprop.primitives import PRIMITIVES


def _operation(primitive: str, swapped: bool = False) -> Callable:
    def operation(*operands):
        return apply(primitive, *(operands[::-1] if swapped else operands))

    return documented(operation, primitive)


class Traced:
    """What the operators work on: `value`, and whatever else a mode of differentiation carries along."""

    # NumPy's arrays leave `array + traced` to the operators of the right operand.
    __array_ufunc__ = None
    value: np.ndarray

    __add__, __radd__ = _operation("add"), _operation("add", swapped=True)
    __sub__, __rsub__ = _operation("subtract"), _operation("subtract", swapped=True)
    __mul__, __rmul__ = _operation("multiply"), _operation("multiply", swapped=True)
    __truediv__, __rtruediv__ = _operation("divide"), _operation("divide", swapped=True)
    __matmul__, __rmatmul__ = _operation("matmul"), _operation("matmul", swapped=True)
    T = property(_operation("transpose"))

    def __neg__(self):
        return -1.0 * self


exp, log, tanh, sigmoid, relu = map(_operation, ("exp", "log", "tanh", "sigmoid", "relu"))
log_softmax, total = _operation("log_softmax"), _operation("total")


class Node(Traced):
    """A value on the tape, with the primitive and the operands that it was made by; a variable has neither."""

    def __init__(self, value, primitive: str = "", operands: tuple = ()):
        self.value, self.primitive, self.operands = value, primitive, operands

    def __repr__(self) -> str:
        return f"Node({self.primitive or 'variable'}, shape {np.shape(self.value)})"

    @property
    def parents(self) -> list["Node"]:
        """The operands that are nodes, not constants; one that was used twice stands here twice."""
        return [operand for operand in self.operands if isinstance(operand, Node)]

    @classmethod
    def made_by(cls, primitive: str, value, operands: tuple, values: list) -> "Node":
        return cls(value, primitive, operands)


def variable(value) -> Node:
    """A node that nothing was computed for: where a sweep ends.

    Parameters
    ----------
    value : array of any shape, or a number
        Copied, and read-only from then on, so that what the tape remembers stays what it was.

    Returns
    -------
    Node

    Raises
    ------
    ValueError
        NaN or ±inf.
    TypeError
        A dtype other than float32, float64, integers and bool.

    Examples
    --------
    >>> variable([[1, 2, 3]])
    Node(variable, shape (1, 3))
    """
    value = np.array(to_array("value", value))
    value.flags.writeable = False
    return Node(value)


def apply(primitive: str, *operands):
    """Apply a primitive: to arrays and numbers, which gives an array, or to traced values, which gives another.

    Parameters
    ----------
    primitive : str
        A name of `PRIMITIVES`.
    *operands : array, number, Node, …
        Arrays and numbers among nodes are constants: no gradient is computed for them. Anything else that has a shape
        is a symbol, and goes to the primitive as it is.

    Raises
    ------
    ValueError
        A primitive that is not there, shapes that do not fit, NaN, ±inf, a result that is not finite: beyond the range
        of the dtype, or a logarithm of what is not positive.
    TypeError
        Another number of operands than the primitive has, nodes and dual numbers in one operation, a dtype other than
        float32, float64, integers and bool.

    Examples
    --------
    >>> apply("multiply", np.array([1.0, 2.0]), 3.0)
    array([3., 6.])
    >>> apply("multiply", variable([1.0, 2.0]), 3.0)
    Node(multiply, shape (2,))
    """
    rule = rule_of(primitive, operands)
    kind = kind_of(primitive, [x for x in operands if isinstance(x, Traced)])
    values = [x.value if isinstance(x, Traced) else constant(primitive, i, x) for i, x in enumerate(operands)]
    value = applied(primitive, rule.function, values)
    return kind.made_by(primitive, value, operands, values) if kind else value


def tape(output: Node) -> list[Node]:
    """Every node that `output` depends on, once, operands before what was made of them: a topological order.

    Depth first, with a stack of our own, so that a program of any length can be followed.

    Raises
    ------
    TypeError
        An output that is no `Node`.

    Examples
    --------
    >>> x = variable(3.0)
    >>> y = x * x
    >>> tape(y + x)
    [Node(variable, shape ()), Node(multiply, shape ()), Node(add, shape ())]
    """
    order, seen, stack = [], set(), [(a_node("output", output), False)]
    while stack:
        node, operands_done = stack.pop()
        if operands_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            # The last one pushed is followed first: reversed, so that the tape is in the program's own order.
            stack.extend((parent, False) for parent in reversed(node.parents))
    return order


def shares(node: Node, v) -> Iterator[tuple[Node, np.ndarray]]:
    """What a node sends to each of its parents, by its primitive's rule, when its own gradient is v.

    Raises
    ------
    ValueError
        A v of another shape than the node's, NaN, ±inf, a product beyond the range of the dtype.
    TypeError
        A node that is none, a dtype other than float32, float64, integers and bool.

    Examples
    --------
    >>> x = variable(3.0)
    >>> [float(share) for _, share in shares(x * x, 1.0)]
    [3.0, 3.0]
    """
    values = [x.value if isinstance(x, Node) else x for x in a_node("node", node).operands]
    for i, operand in enumerate(node.operands):
        if isinstance(operand, Node):
            yield operand, product(PRIMITIVES[node.primitive].vjps[i], v, node, values)


@within_range
def backward(output: Node, cotangent=None) -> dict[Node, np.ndarray]:
    """The gradient of `output` with respect to every node on its tape.

    The tape is read from its end. When a node's turn comes, everything that used it has had its turn, so that its
    gradient is complete; then its rule is applied, once for each of its operands.

    Parameters
    ----------
    output : Node
        What is differentiated: one number, unless a cotangent is given.
    cotangent : array, the shape of `output`, optional
        The gradient that arrives at `output` from above; 1 for a number. The result is then Jᵀ times it.

    Returns
    -------
    dict of Node to array
        Each gradient has the shape of its node's value. A variable that `output` does not depend on is not there.

    Raises
    ------
    TypeError
        An output that is no `Node`; a cotangent of a dtype other than float32, float64, integers and bool.
    ValueError
        An output that is not one number, without a cotangent; a cotangent of another shape, NaN or ±inf; a gradient
        beyond the range of the dtype.

    Notes
    -----
    The algorithm of Griewank and Walther (2008), chapter 3, and what ``loss.backward()`` does in the libraries of the
    field. Each rule is applied once, whatever the number of paths through the graph.

    Examples
    --------
    >>> x = variable([1.0, -2.0, 3.0])
    >>> backward(total(x * x))[x]
    array([ 2., -4.,  6.])
    """
    gradients = {output: from_above(output, cotangent)}
    for node in reversed(tape(output)):
        for parent, share in shares(node, gradients[node]):
            gradients[parent] = gradients[parent] + share if parent in gradients else share
    return gradients
