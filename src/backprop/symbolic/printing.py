"""How expressions are written: as LaTeX and as plain text, in the author's order."""

from .errors import ExpressionError
from .latex_writer import LatexWriter
from .text_writer import TextWriter


def latex(e):
    r"""An expression as LaTeX.

    Examples
    --------
    >>> from backprop.symbolic import dimensions, hadamard, indices, latex, matrix, total
    >>> N, K, M = dimensions("N K M")
    >>> n, p, q = indices("n p q")
    >>> X, G = matrix("X", N, K), matrix("G", N, M)
    >>> print(latex(total(X[n, p] * G[n, q], n)))
    \sum_{n} X_{np} G_{nq}
    >>> print(latex(X.T * hadamard(G, G)))
    X^{\top} \left(G \odot G\right)
    """
    return _written(_LATEX, e)


def text(e):
    """An expression as plain text.

    Examples
    --------
    >>> from backprop.symbolic import dimensions, matrix, text
    >>> N, K = dimensions("N K")
    >>> X = matrix("X", N, K)
    >>> print(text(X.T * X / N))
    Xᵀ X / N
    """
    return _written(_TEXT, e)


def _written(writer, e):
    try:
        return writer.write(e)
    except RecursionError:
        raise ExpressionError("an expression is nested too deeply to be written") from None


_LATEX, _TEXT = LatexWriter(), TextWriter()
