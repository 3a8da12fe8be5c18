"""The language: what can be written, and what is refused while it is being written."""

from fractions import Fraction

import pytest

from backprop.symbolic import (
    DefinitionError,
    Derivation,
    ExpressionError,
    Grad,
    HypothesisError,
    Jacobian,
    Limit,
    NameClash,
    Partial,
    ShapeError,
    Sum,
    column,
    delta,
    diag,
    dimensions,
    divide,
    elementwise,
    exp,
    functional,
    hadamard,
    identity,
    indices,
    inner,
    matrix,
    norm,
    ones,
    outer,
    row,
    scalars,
    total,
    trace,
    zeros,
)

N, D, K = dimensions("N D K")
n, i, j, k = indices("n i j k")
X, W, G, Z = matrix("X", N, D), matrix("W", D, K), matrix("G", N, K), matrix("Z", N, K)
b, z, y = row("b", K), column("z", K), column("y", K)
x, t = scalars("x t")


def test_shapes_follow_the_operations():
    assert (X * W).shape == (N, K)
    assert (X.T * G).shape == (D, K)
    assert (X @ W + ones(N) * b).shape == (N, K)
    assert hadamard(G, Z).shape == (N, K)
    assert (2 * (G - Z) / N).shape == (N, K)
    assert Grad(functional("L", Z), W).shape == (D, K)
    assert Jacobian(exp(z), z).shape == (K, K)
    assert diag(b).shape == (K, K)
    assert outer(z, b).shape == (K, K)
    assert identity(K).shape == (K, K)
    assert trace(X.T * X).shape == inner(G, Z).shape == norm(W).shape == ()
    assert (z.T * y)[0, 0].shape == ()


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda: X * G, r"cannot multiply X \(N×D\) by G \(N×K\): expected D rows on the right, but there are N"),
        (lambda: X + G, r"cannot add X \(N×D\) and G \(N×K\)"),
        (lambda: 1 - G, r"cannot add 1 \(scalar\) and -G \(N×K\); write ones\(rows, columns\)"),
        (lambda: hadamard(X, G), r"cannot multiply X \(N×D\) and G \(N×K\) entry by entry: expected equal shapes"),
        (lambda: divide(X, G), r"cannot divide X \(N×D\) and G \(N×K\) entry by entry"),
        (lambda: trace(X), r"trace: expected a square matrix, but X has shape N×D"),
        (lambda: G / Z, r"cannot divide by the matrix Z \(N×K\); divide\(A, B\) divides entry by entry"),
        (lambda: G**2, r"G is a matrix; square its entries with hadamard"),
        (lambda: diag(G), r"diag: expected a row or a column, but G has shape N×K"),
        (lambda: outer(G, z), r"outer: expected a row or a column"),
        (lambda: x.T, r"transpose: expected a matrix, but x is a scalar"),
        (lambda: x[0, 0], r"indexing: expected a matrix, but x is a scalar"),
        (lambda: Partial(G, x), r"Partial: expected a scalar, but G has shape N×K"),
        (lambda: matrix("A", 2, 3)[2, 0], r"the index 2 is out of range in A, which has shape 2×3"),
        (lambda: X[1, 0], r"the index 1 is out of range in X, which has shape N×D"),
        (lambda: matrix("A", x, 3), r"a dimension is a positive whole number or one of dimensions\('N K'\), not x"),
        (lambda: matrix("A", 0, 3), r"a dimension is a positive whole number"),
        (lambda: total(x * t, n), r"does not say which range n runs over: write \(n, N\) or \(n, 0, N - 1\)"),
    ],
)
def test_clashing_shapes_are_refused(write, message):
    with pytest.raises(ShapeError, match=message):
        write()


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda: 0.5 * x, r"0.5 is a float and not exact: write Fraction\(0.5\)"),
        (lambda: x + True, r"True is a truth value"),
        (lambda: x + "y", r"'y' \(str\) is not an expression"),
        (lambda: X[n], r"X has shape N×D and takes two indices, not 1"),
        (lambda: X[n, x], r"an index is one of indices\('n k'\) or a whole number from 0, not x"),
        (lambda: X[n, -1], r"not -1"),
        (lambda: delta(n, x), r"a delta compares two indices, not x"),
        (lambda: x / 0, r"cannot divide x by zero"),
        (lambda: Partial(x, X), r"Partial needs one entry such as X\[i, j\]; Grad\(e, X\) is all of them"),
        (lambda: Partial(x, x * t), r"differentiates by a symbol or by an entry of a named matrix, not by x t"),
        (lambda: Partial(x, (X * W)[n, k]), r"not by \(X W\)\[n,k\]"),
        (lambda: Partial(x, N), r"cannot differentiate by N, which stands for whole numbers"),
        (lambda: Grad(x, X * W), r"Grad differentiates by a named matrix, not by X W"),
        (lambda: Jacobian(z, z + y), r"Jacobian differentiates by a named vector"),
        (lambda: Sum(x), r"has no index"),
        (lambda: Sum(x, (x, 0, N - 1)), r"a sum runs over one of indices\('n k'\), not over x"),
        (lambda: Sum(x, (N, 0, 3)), r"a sum runs over one of indices\('n k'\), not over N"),
        (lambda: Sum(x, (n, 0, N - 1), (n, 0, K - 1)), r"the index n is summed over twice"),
        (lambda: Sum(x, (n, 0, k)), r"the range of n ends at k: expected numbers and dimensions only"),
        (lambda: Limit(x, x, 0, "above"), r"a limit's direction is '\+', '-' or '\+-', not 'above'"),
        (lambda: elementwise("tanh"), r"tanh is a known function; an undefined one needs another name"),
        (lambda: exp.prime, r"exp is a known function: write its derivative as a formula"),
        (lambda: functional("L"), r"the functional L needs at least one argument"),
        (lambda: matrix("", N, K), r"a name is a text that begins with a letter, not ''"),
        (lambda: scalars("~3"), r"a name is a text that begins with a letter, not '~3'"),
        (lambda: dimensions(""), r"no name was given"),
    ],
)
def test_what_has_no_meaning_is_refused(write, message):
    with pytest.raises(ExpressionError, match=message):
        write()


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda: Derivation(total(X[n, i] * G[i, k], n)), r"the index i runs over D values elsewhere, but over N in G"),
        (lambda: Derivation(total(X[n, i] * G[k, j], (n, 0, N))), r"n runs from 0 to N, but X has N entries"),
        (lambda: Derivation(total(X[n, i], (n, K))), r"n runs from 0 to K − 1, but X has N entries"),
        (lambda: Derivation(total(X[n, i], (n, -1, N - 1))), r"n runs from -1 to N − 1"),
        (lambda: Derivation(Sum(x, (n, 2, N - 1))), r"n runs from 2 to N − 1, which is backwards at some sizes"),
        (lambda: Derivation(X[n, i] * delta(n, i)), r"in δ\[n,i\] the index n runs over N values, but i over D"),
    ],
)
def test_index_ranges_must_fit(write, message):
    with pytest.raises(ShapeError, match=message):
        write()


def test_part_of_a_range_is_allowed():
    assert Derivation(total(X[n, i], (n, 1, N - 1))).then(total(X[n, i], n) - X[0, i], because="all but the first")


@pytest.mark.parametrize(
    ("let", "error", "message"),
    [
        ({Z: X * X.T}, ShapeError, r"Z has shape N×K, but its definition X Xᵀ has shape N×N"),
        ({X * W: Z}, DefinitionError, r"a definition's left side is a name or an entry of one, not X W"),
        ({Z: X * W, Z[n, k]: G[n, k]}, DefinitionError, r"Z is defined twice"),
        ({matrix("A", N, N)[n, n]: x}, DefinitionError, r"A\[n,n\] defines one entry only"),
        ({x: t, t: x + 1}, DefinitionError, r"the definitions go round in a circle: x → t → x"),
        ({N: 3}, DefinitionError, r"N is a dimension or an index, which is not defined by let"),
        ({Z[n, k]: X[n, k]}, ShapeError, r"the index k runs over"),
        (
            {t: X[n, i] ** 2},
            DefinitionError,
            r"the definition of t has the free index n: sum over it",
        ),
    ],
)
def test_definitions_that_mean_nothing(let, error, message):
    with pytest.raises(error, match=message):
        Derivation(x * t, let=let)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (
            lambda: matrix("W", D, K)[i, k] * matrix("W", N, K)[n, k],
            r"W is used twice: for a matrix of shape D×K and for a",
        ),
        (lambda: matrix("n", N, K)[n, k] * x, r"the name n is used twice"),
        (lambda: scalars("s") * scalars("s", positive=True), r"the name s is used twice"),
        (lambda: functional("x", Z) * x, r"the name x is used twice"),
        (lambda: functional("L", Z) * functional("L", W), r"the name L is used twice"),
        (lambda: elementwise("x")[0](x), r"the name x is used twice"),
    ],
)
def test_one_name_for_two_things(start, message):
    with pytest.raises(NameClash, match=message):
        Derivation(start())


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({x: Z}, ShapeError, r"the hypothesis x = Z has shape scalar on the left, but N×K on the right"),
        ([x], HypothesisError, r"a hypothesis is an equation \(left, right\) or an inequality such as p > 0, not x"),
        ({sum([0]): 1}, HypothesisError, r"the hypothesis 0 = 1 cannot be met"),
        ([x * 0 + 1 > 1, x.__class__("q") > 0, Fraction(2) < x - x + 1, 2 * x - 2 * x > 3], None, ""),
    ],
)
def test_hypotheses_that_cannot_be_read(given, error, message):
    if error is None:
        with pytest.raises(HypothesisError, match="no point was found at which all the hypotheses hold"):
            Derivation(x, given=given).then(x + 1 - 1, because="never")
        return
    with pytest.raises(error, match=message):
        Derivation(x, given=given)


def test_expressions_are_immutable_values():
    assert X * W == X * W
    assert X * W != W.T * X.T
    assert hash(total(X[n, i], n)) == hash(total(X[n, i], n))
    with pytest.raises(AttributeError, match="expressions do not change"):
        X.shape = (K, K)
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(x)
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(x < 1)
    with pytest.raises(TypeError, match="not a sequence"):
        list(z)


def test_zeros_and_a_square_world():
    assert Derivation(G + zeros(N, K)).then(G, because="zero adds nothing")
