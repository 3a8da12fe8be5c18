"""Activation functions, each beside its derivative: notes 001 to 003.

Each is written in the form that holds for every finite z, and at ±inf it gives the limit. For the complex step the
functions take complex128: comparisons look at the real part, and |z| is z or −z, never the modulus, which is not
analytic. (z · sign(Re z) would do, except at Re z = 0, where it is 0 and loses the derivative.)
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from backprop._arrays import refuse, takes

# Overflow gives ±inf and underflow gives 0: both are the limit that is asked for, and not worth a warning.
LIMITS = {"over": "ignore", "under": "ignore"}

# Klambauer et al. (2017): with these, z ~ N(0, 1) gives an output of mean 0 and variance 1.
SELU_LAMBDA = 1.0507009873554804934193349852946
SELU_ALPHA = 1.6732632423543772848170429916717


def _elementwise(complex_step: str = "") -> Callable[[Callable], Callable]:
    def decorate(function: Callable) -> Callable:
        @takes(z="...", infinite="z", complex_step=complex_step, errors=LIMITS)
        @functools.wraps(function)
        def checked(z):
            # NumPy 1 promotes a float32 of no axes like a Python float, so a number becomes an array of one.
            return function(z) if z.ndim else function(z[np.newaxis])[0]

        return checked

    return decorate


@_elementwise(complex_step="z")
def relu(z):
    """relu(z) = max(0, z), entry by entry.

    Parameters
    ----------
    z : array of any shape

    Returns
    -------
    a : array, the shape of z

    Raises
    ------
    ValueError
        NaN.
    TypeError
        A dtype other than float32, float64, complex128 (for the complex step), integers and bool.

    Notes
    -----
    Note 002, "Activation Derivatives".

    Examples
    --------
    >>> relu([-2, 0, 3])
    array([0., 0., 3.])
    """
    return np.where(z.real > 0, z, 0)


@_elementwise()
def relu_derivative(z):
    """relu′(z) = 1 where z > 0, else 0. At z = 0 relu has no derivative; 0 is the convention of this book.

    Parameters
    ----------
    z : array of any shape

    Returns
    -------
    array, the shape of z

    Raises
    ------
    ValueError
        NaN.
    TypeError
        A dtype other than float32, float64, integers and bool.

    Notes
    -----
    Note 002. At the kink every slope in [0, 1] is a subgradient, and centred differences give ½ for every h.

    Examples
    --------
    >>> relu_derivative([-2, 0, 3])
    array([0., 0., 1.])
    """
    return (z > 0).astype(z.dtype)


@_elementwise(complex_step="z")
def sigmoid(z):
    """σ(z) = 1 / (1 + e⁻ᶻ), the logistic function, entry by entry.

    Parameters
    ----------
    z : array of any shape

    Returns
    -------
    a : array, the shape of z, entries in [0, 1]

    Raises
    ------
    ValueError
        NaN.
    TypeError
        A dtype other than float32, float64, complex128 (for the complex step), integers and bool.

    Notes
    -----
    Note 002. Where z < 0 the same number is eᶻ / (1 + eᶻ). Only e^(−|z|) is ever computed, which cannot overflow.

    Examples
    --------
    >>> sigmoid([-1000, 0, 1000])
    array([0. , 0.5, 1. ])
    """
    e = np.exp(-_magnitude(z))
    return np.where(z.real >= 0, 1, e) / (1 + e)


@_elementwise()
def sigmoid_derivative(z):
    """σ′(z) = σ(z) σ(−z) = σ(z) (1 − σ(z)), at most ¼.

    Parameters
    ----------
    z : array of any shape

    Returns
    -------
    array, the shape of z

    Raises
    ------
    ValueError
        NaN.
    TypeError
        A dtype other than float32, float64, integers and bool.

    Notes
    -----
    Note 002. The form σ(z) σ(−z) keeps its accuracy where σ(z) rounds to 1 and 1 − σ(z) to 0.

    Examples
    --------
    >>> print(sigmoid_derivative(0.0))
    0.25
    >>> bool(sigmoid_derivative(40.0) > 0), bool(sigmoid(40.0) * (1 - sigmoid(40.0)) > 0)
    (True, False)
    """
    return sigmoid(z) * sigmoid(-z)


@_elementwise(complex_step="z")
def tanh(z):
    """tanh(z) = (eᶻ − e⁻ᶻ) / (eᶻ + e⁻ᶻ) = 2σ(2z) − 1, entry by entry.

    Parameters
    ----------
    z : array of any shape

    Returns
    -------
    a : array, the shape of z, entries in [−1, 1]

    Raises
    ------
    ValueError
        NaN.
    TypeError
        A dtype other than float32, float64, complex128 (for the complex step), integers and bool.

    Notes
    -----
    Note 002.

    Examples
    --------
    >>> tanh([-1000, 0, 1000])
    array([-1.,  0.,  1.])
    """
    return np.tanh(z)


@_elementwise()
def tanh_derivative(z):
    """tanh′(z) = 1 − tanh²(z) = 4σ′(2z), at most 1.

    Parameters
    ----------
    z : array of any shape

    Returns
    -------
    array, the shape of z

    Raises
    ------
    ValueError
        NaN.
    TypeError
        A dtype other than float32, float64, integers and bool.

    Notes
    -----
    Note 002. The form 4σ′(2z) keeps its accuracy where tanh(z) rounds to 1: from z = 19 on, of the integers.

    Examples
    --------
    >>> print(tanh_derivative(0.0))
    1.0
    >>> bool(tanh_derivative(20.0) > 0), bool(1 - tanh(20.0) ** 2 > 0)
    (True, False)
    """
    return 4 * sigmoid_derivative(2 * z)


@_elementwise(complex_step="z")
def identity(z):
    """The identity, f(z) = z: the output of a regression. The result is a copy.

    Parameters
    ----------
    z : array of any shape

    Returns
    -------
    a : array, the shape of z

    Raises
    ------
    ValueError
        NaN.
    TypeError
        A dtype other than float32, float64, complex128 (for the complex step), integers and bool.

    Notes
    -----
    Note 002 has no name for it; its output layer for mean squared error needs it.

    Examples
    --------
    >>> identity([-2, 0, 3])
    array([-2.,  0.,  3.])
    """
    return z.copy()


@_elementwise()
def identity_derivative(z):
    """f′(z) = 1.

    Parameters
    ----------
    z : array of any shape

    Returns
    -------
    array, the shape of z

    Raises
    ------
    ValueError
        NaN.
    TypeError
        A dtype other than float32, float64, integers and bool.

    Notes
    -----
    The derivative of `identity`.

    Examples
    --------
    >>> identity_derivative([-2, 0, 3])
    array([1., 1., 1.])
    """
    return np.ones_like(z)


@_elementwise(complex_step="z")
def selu(z):
    """selu(z) = λz where z > 0, else λα(eᶻ − 1), entry by entry.

    Parameters
    ----------
    z : array of any shape

    Returns
    -------
    a : array, the shape of z

    Raises
    ------
    ValueError
        NaN.
    TypeError
        A dtype other than float32, float64, complex128 (for the complex step), integers and bool.

    Notes
    -----
    Klambauer, Unterthiner, Mayr and Hochreiter, "Self-Normalizing Neural Networks" (2017). λ and α are such
    that z ~ N(0, 1) gives an output of mean 0 and variance 1; this is what LeCun's initialisation in note 002 rests on.

    Examples
    --------
    >>> selu([-1000, 0, 1]) / SELU_LAMBDA
    array([-1.67326324,  0.        ,  1.        ])
    """
    decay = np.expm1(np.where(z.real > 0, 0, z))
    return np.where(z.real > 0, SELU_LAMBDA * z, SELU_LAMBDA * SELU_ALPHA * decay)


@_elementwise()
def selu_derivative(z):
    """selu′(z) = λ where z > 0, else λα eᶻ. At the kink z = 0 it is the slope from the left, λα, as for relu.

    Parameters
    ----------
    z : array of any shape

    Returns
    -------
    array, the shape of z

    Raises
    ------
    ValueError
        NaN.
    TypeError
        A dtype other than float32, float64, integers and bool.

    Notes
    -----
    Klambauer et al. (2017), the derivative of `selu`.

    Examples
    --------
    >>> selu_derivative([-1000, 0, 1]) / SELU_LAMBDA
    array([0.        , 1.67326324, 1.        ])
    """
    decay = np.exp(np.minimum(z, 0))
    return np.where(z > 0, SELU_LAMBDA, SELU_LAMBDA * SELU_ALPHA * decay).astype(z.dtype)


@takes(Z="... K", infinite="Z", complex_step="Z", errors=LIMITS)
def softmax(Z):
    """pₖ = e^{zₖ} / Σⱼ e^{zⱼ}, row by row.

    Parameters
    ----------
    Z : array, shape (m, K), or (K,) for one row

    Returns
    -------
    P : array, the shape of Z; the entries of a row are in [0, 1] and sum to 1

    Raises
    ------
    ValueError
        NaN, K = 0, or a row with infinite entries that has no limit: more than one entry +inf, or all entries −inf.
    TypeError
        A dtype other than float32, float64, complex128 (for the complex step), integers and bool.

    Notes
    -----
    Notes 002 and 003. A common factor of all eᶻ cancels, so the largest entry is subtracted first: nothing overflows.

    Examples
    --------
    >>> softmax([[1e4, -1e4, 1e4], [0, 0, -np.inf]])
    array([[0.5, 0. , 0.5],
           [0.5, 0.5, 0. ]])
    """
    D, _ = _minus_largest(Z)
    E = np.exp(D)
    return E / E.sum(axis=-1, keepdims=True)


@takes(Z="... K", infinite="Z", complex_step="Z", errors=LIMITS)
def log_softmax(Z):
    """ln pₖ = zₖ − ln Σⱼ e^{zⱼ}, row by row.

    Parameters
    ----------
    Z : array, shape (m, K), or (K,) for one row

    Returns
    -------
    log_P : array, the shape of Z

    Raises
    ------
    ValueError
        As `softmax`.
    TypeError
        A dtype other than float32, float64, complex128 (for the complex step), integers and bool.

    Notes
    -----
    The logarithm of notes 002 and 003's softmax, by log-sum-exp: with t the place of the largest entry,
    ln Σⱼ e^{zⱼ} = zₜ + ln(1 + Σ_{j≠t} e^{zⱼ−zₜ}). Leaving the 1 out of the sum keeps ln pₜ
    accurate when pₜ rounds to 1.

    Examples
    --------
    >>> log_softmax([1e4, 0, 0])
    array([     0., -10000., -10000.])
    """
    D, t = _minus_largest(Z)
    others = np.arange(Z.shape[-1]) != t
    return D - np.log1p(np.sum(np.exp(D), axis=-1, keepdims=True, where=others))


@takes(z="K", infinite="z", errors=LIMITS)
def softmax_jacobian(z):
    """J = diag(p) − p pᵀ, where Jₖⱼ = ∂pₖ/∂zⱼ and p = softmax(z).

    Parameters
    ----------
    z : array, shape (K,)

    Returns
    -------
    J : array, shape (K, K)

    Raises
    ------
    ValueError
        As `softmax`; more than one row.
    TypeError
        A dtype other than float32, float64, integers and bool.

    Notes
    -----
    Note 002 mentions the K × K Jacobian; the quotient rule gives it. It is symmetric and has rank K − 1.

    Examples
    --------
    >>> softmax_jacobian([0, 0])
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    _refuse_no_limit("z", z)
    p = softmax(z)
    return np.diag(p) - np.outer(p, p)


@takes(dP="... K", P="... K", unit="P")
def softmax_backward(dP, P):
    """dZ = P ⊙ (dP − ⟨dP, P⟩), row by row: Jᵀ dP without the Jacobian, in O(K) a row.

    Parameters
    ----------
    dP : array, shape (m, K), or (K,) for one row
        The gradient ∂L/∂P.
    P : array, the shape of dP
        softmax(Z).

    Returns
    -------
    dZ : array, the shape of dP

    Raises
    ------
    ValueError
        Shapes that differ, NaN, ±inf, a P that no softmax gives (an entry outside [0, 1], or a row that does not sum
        to 1), or a dZ beyond the range of the dtype.
    TypeError
        A dtype other than float32, float64, integers and bool.

    Notes
    -----
    Notes 002 and 003 skip this product. J = diag(p) − p pᵀ gives Jᵀu = p ⊙ u − p ⟨p, u⟩.

    Examples
    --------
    >>> softmax_backward(dP=[[4, 0], [1, 1]], P=[[0.5, 0.5], [0.25, 0.75]])
    array([[ 1., -1.],
           [ 0.,  0.]])
    """
    refuse(abs(P.sum(axis=-1) - 1) > 1e-4, "the sum of a row of P", P.sum(axis=-1), "expected 1")
    return P * (dP - np.sum(dP * P, axis=-1, keepdims=True))


def _magnitude(z):
    """|z| for the complex step: z or −z by the sign of the real part. The modulus would not be analytic."""
    return np.where(z.real >= 0, z, -z)


def _minus_largest(Z):
    """Z − zₜ and t, where t is the place of the entry of the largest real part, row by row.

    zₜ keeps its imaginary part, so that e^{zₜ−zₜ} is 1 for the complex step too. Entries equal to zₜ
    give 0, infinite ones too.
    """
    _refuse_no_limit("Z", Z)
    t = Z.real.argmax(axis=-1, keepdims=True)
    largest = np.take_along_axis(Z, t, axis=-1) if Z.dtype.kind == "c" else Z.max(axis=-1, keepdims=True)
    if np.isfinite(largest).all():
        return Z - largest, t
    return np.subtract(Z, largest, out=np.zeros_like(Z), where=largest != Z), t


def _refuse_no_limit(name, Z):
    if Z.shape[-1] == 0:
        raise ValueError(f"{name} has shape {Z.shape}: expected at least one class")
    if np.isinf(Z).any():
        largest = Z.max(axis=-1, keepdims=True)
        no_limit = np.isinf(largest[..., 0]) & (np.sum(largest == Z, axis=-1) > 1)
        expected = "softmax has a limit where it is unique"
        refuse(no_limit, f"the largest entry of a row of {name}", largest[..., 0], expected)


class Activation(NamedTuple):
    """A function, its derivative (None where it is not element-wise), and `backward(dA, Z, A) -> dZ`.

    All three raise ValueError for shapes that do not fit, NaN, and ±inf where it has no limit, and TypeError for a
    dtype other than float32, float64, integers and bool (the function takes complex128 too).
    """

    function: Callable
    derivative: Callable | None
    backward: Callable


def _element_by_element(function: Callable, derivative: Callable) -> Activation:
    @takes(dA="...", Z="...", A="...", infinite="Z A")
    def backward(dA, Z, A):
        """dZ = dA ⊙ f′(Z): the Jacobian of an element-wise function is diagonal.

        Raises
        ------
        ValueError
            Shapes that differ, NaN, an infinite dA, a dZ beyond the range of the dtype.
        TypeError
            A dtype other than float32, float64, integers and bool.
        """
        return dA * derivative(Z)

    return Activation(function, derivative, backward)


@takes(dA="... K", Z="... K", A="... K", infinite="Z", unit="A")
def _backward_of_softmax(dA, Z, A):
    """dZ = Jᵀ dA, row by row: softmax mixes the entries of a row, so there is no f′ to multiply with.

    Raises
    ------
    ValueError
        Shapes that differ, NaN, an infinite dA or A, an A that no softmax gives, a dZ beyond the range of the dtype.
    TypeError
        A dtype other than float32, float64, integers and bool.
    """
    refuse(abs(A.sum(axis=-1) - 1) > 1e-4, "the sum of a row of A", A.sum(axis=-1), "expected 1")
    return softmax_backward.__wrapped__(dA, A)  # the mathematics alone: the arguments are read


ACTIVATIONS = {
    "relu": _element_by_element(relu, relu_derivative),
    "sigmoid": _element_by_element(sigmoid, sigmoid_derivative),
    "tanh": _element_by_element(tanh, tanh_derivative),
    "identity": _element_by_element(identity, identity_derivative),
    "selu": _element_by_element(selu, selu_derivative),
    "softmax": Activation(softmax, None, _backward_of_softmax),
}
