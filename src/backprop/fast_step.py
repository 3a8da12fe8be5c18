"""A training step in buffers that are made once: the readable functions' numbers, to rounding, in less time.

Nothing here is new mathematics. Each trick leaves an equation as it is and changes where its numbers are kept, in which
order they are multiplied, or whether they are computed at all; chapter 12 takes them one by one. The readable functions
stay the reference that the tests hold this module against.
"""

import contextvars
import itertools
from math import isfinite

import numpy as np

from backprop import _in_place
from backprop._arguments import shown, to_ndarray, whole
from backprop._arrays import fit, to_array
from backprop.losses import sigmoid_cross_entropy
from backprop.network import LOSSES, MLP

# Products are the method `A.dot(B)`: the function np.dot first asks its arguments for a version of their own, and a
# step of 64-32-10 would ask ten times.
add, multiply, subtract = np.add, np.multiply, np.subtract

# A network of more parameters is updated layer by layer, while the layer's gradient is in the cache. In a smaller one
# a single call for all layers costs less than one for each.
ALL_AT_ONCE = 65_536

# OpenBLAS multiplies D Wᵀ slowly for few rows of float32; W Dᵀ is the same matrix, transposed.
FEW_ROWS = 64


class FastStep:
    """One optimizer step after another on a network of its own: `MLP.loss_and_gradients`, then `optimizer.step`.

    Parameters
    ----------
    network : MLP
        Where training starts. It is copied, and never changes.
    optimizer : GradientDescent, Momentum or Adam
        Its state starts as `optimizer.init` makes it.
    batch_size : int
        The largest number of samples in a step. A smaller batch, such as the last of an epoch, uses the same buffers.

    Attributes
    ----------
    optimizer, batch_size
    network : MLP
        The network as it is now: a copy.
    nbytes : int
        The size of all arrays that are kept from step to step, the parameters among them.

    Raises
    ------
    TypeError
        A network that is no `MLP` or is complex, an optimizer of another class, a batch size that is not an integer.
    ValueError
        A batch size below 1.

    Notes
    -----
    With P parameters, m = `batch_size` and n₁ … n_N units, it keeps P numbers for the parameters; P for their
    gradients, or in a large network only as many as the largest layer has; m (n₁ + … + n_{N−1}) activations; and a few
    arrays as large as the largest activation, which all layers share. A step allocates nothing that grows with them,
    if the activations are not softmax and the loss at the output is softmax with its cross-entropy, or the squared
    error of the identity. Every other output goes through its readable loss, which allocates m n_N numbers.

    Examples
    --------
    >>> from backprop.datasets import running_example
    >>> from backprop.optimizers import GradientDescent
    >>> X, Y, weights, biases = running_example()
    >>> network, descent = MLP(weights, biases), GradientDescent(learning_rate=0.125)
    >>> fast = FastStep(network, descent, batch_size=4)
    >>> [round(fast.step(X, Y), 3) for _ in range(4)]
    [1.201, 0.307, 0.189, 0.151]
    >>> loss, gradients = network.loss_and_gradients(X, Y)
    >>> after, _ = descent.step(network, gradients, descent.init(network))
    >>> round(loss, 3), round(after.loss(X, Y), 3)
    (1.201, 0.307)
    """

    def __init__(self, network, optimizer, batch_size):
        if not isinstance(network, MLP):
            raise TypeError(f"network is {shown(network)}: expected an MLP")
        if type(optimizer) not in _in_place.UPDATES:
            known = ", ".join(kind.__name__ for kind in _in_place.UPDATES)
            raise TypeError(f"optimizer is {shown(optimizer)}: expected one of {known}")
        network._refuse_complex()
        self.optimizer, self.batch_size = optimizer, whole("batch_size", batch_size, 1)
        self._start, self._dtype = network, network.weights[0].dtype
        self._sizes = [len(network.weights[0]), *(W.shape[1] for W in network.weights)]
        self._lay_out_parameters()
        self._lay_out_buffers()
        self._passes = {}
        # What overflows is noticed by its loss, not by a warning. Entering a context that was made before takes a tenth
        # of the time that `np.errstate` takes.
        with np.errstate(over="ignore", invalid="ignore"):
            self._quietly = contextvars.copy_context().run

    @property
    def network(self) -> MLP:
        return self._start.with_parameters(self._weights, self._biases)

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in self._kept)

    def __repr__(self) -> str:
        return f"FastStep({self._start!r}, {self.optimizer!r}, batch_size={self.batch_size})"

    def step(self, X, Y) -> float:
        """Move the parameters by one step of the optimizer, and return the loss from before it.

        Parameters
        ----------
        X, Y : array
            As for `MLP.loss_and_gradients`, at most `batch_size` samples. They are read in the network's dtype, and
            not changed.

        Returns
        -------
        loss : float

        Raises
        ------
        ValueError, TypeError
            As `MLP.loss_and_gradients`; more than `batch_size` samples; a loss beyond the range of the dtype. The
            parameters are then as before.

        Examples
        --------
        >>> from backprop.optimizers import GradientDescent
        >>> network = MLP([[[1.0], [2.0]]], [[0.0]], loss="mean_squared_error")
        >>> fast = FastStep(network, GradientDescent(0.25), batch_size=3)
        >>> print(f"{fast.step([[1, 1], [2, 0], [0, 3]], [[3], [1], [6]]):.4f}")
        0.3333
        >>> fast.network.weights[0].ravel().round(4)
        array([0.6667, 2.    ])
        """
        inputs, labels = self._read_inputs(X), self._read_labels(Y)
        m = len(inputs)
        forward, backward = self._passes.get(m) or self._new_pass(m)
        loss, moved = self._quietly(_run, forward, backward, inputs, labels)
        if not moved:
            raise self._fault(X, Y, loss)
        return loss

    # -- the arrays ----------------------------------------------------------------------------------------------------

    def _lay_out_parameters(self):
        """All parameters in one array, each layer's weights and biases side by side; their gradients likewise."""
        layers = [(i + 1) * o for i, o in itertools.pairwise(self._sizes)]
        self._large = sum(layers) > ALL_AT_ONCE
        theta = np.empty(sum(layers), self._dtype)
        # Layer by layer, a gradient is used up before the next is computed: they may share their place.
        g = np.empty(max(layers) if self._large else sum(layers), self._dtype)
        starts = list(itertools.accumulate(layers, initial=0))
        self._kept = [theta, g]
        self._weights, self._biases = self._views(theta, starts)
        self._dW, self._db = self._views(g, [0] * len(layers) if self._large else starts)
        for own, given in zip(self._weights + self._biases, self._start.weights + self._start.biases, strict=True):
            own[...] = given
        method = _in_place.UPDATES[type(self.optimizer)](self.optimizer)
        self._rate = method.rate
        if self._large:
            pairs = [(theta[at : at + n], g[:n]) for at, n in zip(starts, layers, strict=False)]
            self._moves = [method.update(*pair) for pair in pairs]
        else:
            self._moves = [method.update(theta, g)] + [None] * (len(layers) - 1)

    def _views(self, flat, starts):
        """The weights and the biases of each layer in a flat array."""
        shapes = list(itertools.pairwise(self._sizes))
        weights = tuple(flat[at : at + i * o].reshape(i, o) for at, (i, o) in zip(starts, shapes, strict=False))
        biases = tuple(flat[at + i * o : at + (i + 1) * o] for at, (i, o) in zip(starts, shapes, strict=False))
        return weights, biases

    def _lay_out_buffers(self):
        """Flat arrays for a full batch, which every pass cuts to its own number of samples."""
        m, outputs = self.batch_size, self._sizes[1:]
        widest = m * max(outputs)
        self._activations = [np.empty(m * n, self._dtype) for n in outputs]
        self._zeros, self._ones = np.zeros(widest, self._dtype), np.ones(m, self._dtype)
        self._slopes, *self._deltas = (np.empty(widest, self._dtype) for _ in range(3))
        self._transposed = np.empty(widest, self._dtype) if self._large and self._dtype == np.float32 else None
        self._kept += [*self._activations, self._zeros, self._ones, self._slopes, *self._deltas]
        self._kept += [] if self._transposed is None else [self._transposed]

    # -- what comes in -------------------------------------------------------------------------------------------------

    def _read_inputs(self, X):
        if not (type(X) is np.ndarray and X.dtype is self._dtype and X.ndim == 2 and X.flags.c_contiguous):
            X = self._converted("X", X)
        if X.ndim != 2 or X.shape[1] != self._sizes[0]:
            fit("X", X.shape, "m n_in", {"n_in": (self._sizes[0], "weights[0]")})
        if not 0 < len(X) <= self.batch_size:
            raise ValueError(f"X has {len(X)} samples: expected 1 to {self.batch_size}, the batch size")
        return X

    def _read_labels(self, Y):
        if type(Y) is np.ndarray and Y.ndim == 1 and Y.dtype == np.intp:
            return Y
        Y = to_ndarray("Y", Y)
        if Y.ndim == 1:
            # Other dtypes than integers are refused by the loss. Numbers too large for a class become negative ones.
            return Y.astype(np.intp) if Y.dtype.kind in "iu" else Y
        return self._converted("Y", Y)

    def _converted(self, name, array):
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(to_array(name, array).astype(self._dtype, copy=False))

    def _fault(self, X, Y, loss):
        """The error for a loss or gradient that is not finite: the readable functions say what is wrong, if any can."""
        with np.errstate(over="ignore", invalid="ignore"):
            self.network.loss_and_gradients(X, Y)
        what = "a gradient is" if isfinite(loss) else f"the loss is {loss},"
        return ValueError(
            f"{what} beyond the range of the network's {self._dtype}: expected smaller numbers in X and Y"
        )

    # -- a pass over m samples -----------------------------------------------------------------------------------------

    def _new_pass(self, m):
        """Two functions, forward(X, Y) -> loss and backward(X), with the views on the buffers that m samples need."""
        output = self._output(m)
        weights, biases = self._weights[:-1], self._biases[:-1]
        A = [_cut(flat, m, n) for flat, n in zip(self._activations, self._sizes[1:], strict=True)]
        zeros, slopes = ([_cut(flat, m, n) for n in self._sizes[1:]] for flat in (self._zeros, self._slopes))
        steps = [_in_place.ACTIVATIONS[name] for name in self._start.activations[:-1]]
        look_at_inputs = self._large or m == 1
        hidden = list(zip(weights, biases, A, zeros, slopes, (step.forward for step in steps), strict=False))

        def forward(X, Y):
            # In a small network an X that is not finite shows in the gradients, before anything has moved.
            if look_at_inputs and not _all_finite(X.reshape(-1)):
                return np.nan
            below = X
            for W, b, a, zero, slope, activate in hidden:
                below.dot(W, out=a)
                add(a, b, out=a)
                activate(a, zero, slope)
                below = a
            return output.loss(below, Y)

        layers = [self._layer_backward(l, m, A, zeros, slopes, steps) for l in reversed(range(1, len(A)))]
        last, dW, db, ones = self._moves[0], self._dW[0], self._db[0], self._ones[:m]
        in_time = None if self._large else self._kept[1]

        def backward(X):
            D = output.delta
            for layer in layers:
                D = layer(D)
            # The first layer's input is data, and nothing asks for its gradient.
            X.T.dot(D, out=dW)
            ones.dot(D, out=db)
            if in_time is not None and not _all_finite(in_time):
                return False
            last()
            return True

        self._passes[m] = forward, backward
        return forward, backward

    def _layer_backward(self, l, m, A, zeros, slopes, steps):
        """dZ of layer l ↦ dZ of the layer below; the gradients of layer l, and in a large network its update."""
        W, W_transposed, dW, db = self._weights[l], self._weights[l].T, self._dW[l], self._db[l]
        below, below_transposed, zero, slope = A[l - 1], A[l - 1].T, zeros[l - 1], slopes[l - 1]
        n, ones, move, through = self._sizes[l], self._ones[:m], self._moves[l], steps[l - 1].backward
        # The two buffers take turns: dZ of this layer is in the one, so the other is free, and then the first.
        dA, spare = _cut(self._deltas[(l - 1) % 2], m, n), _cut(self._deltas[l % 2], m, n)
        dA_transposed = _cut(self._transposed, n, m) if self._transposed is not None and m <= FEW_ROWS else None

        def layer(D):
            # dA with the weights as they were, then dW, then the update that changes them.
            if dA_transposed is None:
                D.dot(W_transposed, out=dA)
                dA_in = dA
            else:
                W.dot(D.T, out=dA_transposed)
                dA_in = dA_transposed.T
            below_transposed.dot(D, out=dW)
            ones.dot(D, out=db)
            if move is not None:
                move()
            through(dA_in, below, zero, slope, spare, dA)
            return dA

        return layer

    def _output(self, m):
        W, b, n = self._weights[-1], self._biases[-1], self._sizes[-1]
        pair = (self._start.activations[-1], self._start.loss_name)
        place = self._deltas[(len(self._sizes) - 2) % 2]
        if pair == ("softmax", "cross_entropy"):
            return _SoftmaxOutput(W, b, m, self._rate)
        if pair in _SQUARED:
            return _SquaredOutput(W, b, _cut(place, m, n), self._rate, *_SQUARED[pair](m))
        return _ReadableOutput(W, b, pair, *(_cut(f, m, n) for f in (self._activations[-1], place, self._zeros,
                                                                     self._slopes)), self._rate)  # fmt: skip


class _SoftmaxOutput:
    """The last layer under softmax and cross-entropy, its logits transposed: Zᵀ = Wᵀ Aᵀ + b."""

    def __init__(self, W, b, m, rate):
        self.W_transposed, self.b, self.m = W.T, b.reshape(-1, 1), m
        self.cross_entropy = _in_place.SoftmaxCrossEntropy(len(b), m, rate / m, W.dtype)
        self.Z, self.delta = self.cross_entropy.Z, self.cross_entropy.E.T

    def loss(self, A, Y):
        self.W_transposed.dot(A.T, out=self.Z)
        add(self.Z, self.b, out=self.Z)
        if Y.shape == (self.m,) and Y.dtype == np.intp:
            return self.cross_entropy.classes(Y)
        return self.cross_entropy.rows(Y) if Y.shape == self.delta.shape else np.nan


class _SquaredOutput:
    """The last layer under the identity and a squared error: L = share Σ (z − y)², and D = slope (Z − Y)."""

    def __init__(self, W, b, D, rate, share, slope):
        self.W, self.b, self.delta, self.share = W, b, D, share
        self.flat, self.slope = D.reshape(-1), np.array(rate * slope, D.dtype)

    def loss(self, A, Y):
        if Y.shape != self.delta.shape:
            return np.nan
        A.dot(self.W, out=self.delta)
        add(self.delta, self.b, out=self.delta)
        subtract(self.delta, Y, out=self.delta)
        loss = self.flat.dot(self.flat).item() * self.share
        multiply(self.delta, self.slope, out=self.delta)
        return loss


# With m samples, the share and the slope of `_SquaredOutput`.
_SQUARED = {
    ("identity", "mean_squared_error"): lambda m: (1 / m, 2 / m),
    ("identity", "half_squared_error"): lambda m: (1 / 2, 1.0),
}


class _ReadableOutput:
    """The last layer under any other pair: its loss is the readable one, which allocates."""

    def __init__(self, W, b, pair, A, D, zeros, slopes, rate):
        activation, self.loss_name = pair
        self.W, self.b, self.A, self.delta, self.rate = W, b, A, D, np.array(rate, D.dtype)
        self.zeros, self.slopes, self.spare = zeros, slopes, np.empty_like(A)
        self.activation, self.fused = _in_place.ACTIVATIONS[activation], pair == ("sigmoid", "binary_cross_entropy")

    def loss(self, A, Y):
        if Y.shape[:1] != self.A.shape[:1]:
            return np.nan
        A.dot(self.W, out=self.A)
        add(self.A, self.b, out=self.A)
        if not np.isfinite(self.A).all():
            return np.nan
        if self.fused:
            loss, dZ = sigmoid_cross_entropy(self.A, Y)
            multiply(dZ, self.rate, out=self.delta)
            return loss
        self.activation.forward(self.A, self.zeros, self.slopes)
        loss, dA = LOSSES[self.loss_name](self.A, Y)
        multiply(dA, self.rate, out=self.delta)
        self.activation.backward(self.delta, self.A, self.zeros, self.slopes, self.spare, self.delta)
        return loss


def _run(forward, backward, X, Y):
    """The loss, and whether the parameters have moved."""
    loss = forward(X, Y)
    return loss, isfinite(loss) and backward(X)


def _all_finite(flat) -> bool:
    # A sum of squares is finite only where every entry is: one fast call. If it is not, look at each.
    return isfinite(flat.dot(flat)) or bool(np.isfinite(flat).all())


def _cut(flat, rows, columns):
    return flat[: rows * columns].reshape(rows, columns)
