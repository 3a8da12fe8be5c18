"""The initialisers: their moments, to a stated false-alarm rate; their support and tails; bad input.

The draws are seeded, so a test either always passes or always fails. Each bound is nevertheless one that a right
initialiser breaks for at most one seed in 10⁵: it is 4.5 standard errors wide (7e-6, both sides together), or a
Kolmogorov–Smirnov bound of 1e-5. There are 60 of them, so a fresh set of seeds would raise a false alarm about once in
2,400 runs.
"""

import numpy as np
import pytest

from backprop.initializers import INITIALIZERS, glorot_normal, glorot_uniform, he_normal, lecun_normal

N_IN, N_OUT = 300, 500

VARIANCES = {
    he_normal: lambda n_in, n_out: 2 / n_in,
    lecun_normal: lambda n_in, n_out: 1 / n_in,
    glorot_normal: lambda n_in, n_out: 2 / (n_in + n_out),
    glorot_uniform: lambda n_in, n_out: 2 / (n_in + n_out),
}
NORMAL = [he_normal, lecun_normal, glorot_normal]
# The kurtosis E[w⁴]/E[w²]², which tells the distributions apart, and gives the variance of the sample variance.
KURTOSIS = dict.fromkeys(NORMAL, 3.0) | {glorot_uniform: 9 / 5}


@pytest.mark.parametrize("draw", list(VARIANCES))
@pytest.mark.parametrize("shape", [(N_IN, N_OUT), (N_OUT, N_IN)])
@pytest.mark.parametrize("seed", range(3))
def test_mean_and_variance(draw, shape, seed):
    W = draw(*shape, np.random.default_rng(seed))
    variance, n = VARIANCES[draw](*shape), W.size
    assert W.shape == shape
    assert abs(W.mean()) < 4.5 * np.sqrt(variance / n)
    assert abs((W**2).mean() / variance - 1) < 4.5 * np.sqrt((KURTOSIS[draw] - 1) / n)


@pytest.mark.parametrize("draw", list(VARIANCES))
def test_the_shape_of_the_distribution(draw):
    W = draw(N_IN, N_OUT, np.random.default_rng(0))
    w = np.sort(W.ravel()) / W.std()
    n = w.size
    if draw is glorot_uniform:
        cdf = np.clip((w / np.sqrt(3) + 1) / 2, 0, 1)
        assert np.abs(W).max() <= np.sqrt(6 / (N_IN + N_OUT))
    else:
        # The normal distribution function by the trapezoidal rule, which needs no library.
        grid = np.linspace(-8, 8, 20001)
        density = np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi)
        cumulative = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(grid))])
        cdf = np.interp(w, grid, cumulative)
    # Kolmogorov and Smirnov: P(distance > c/√n) < 2 exp(−2c²), which is 1e-5 for c = 2.47.
    assert np.abs(cdf - (np.arange(n) + 0.5) / n).max() < 2.47 / np.sqrt(n)


@pytest.mark.parametrize("draw", list(VARIANCES))
def test_rows_columns_and_entries_are_independent(draw):
    W = draw(N_IN, N_OUT, np.random.default_rng(1)) / np.sqrt(VARIANCES[draw](N_IN, N_OUT))
    n = W.size
    assert abs((W[1:] * W[:-1]).mean()) < 4.5 / np.sqrt(n - N_OUT)
    assert abs((W[:, 1:] * W[:, :-1]).mean()) < 4.5 / np.sqrt(n - N_IN)
    assert len(np.unique(W)) == n


def test_misreading_the_variance_as_the_standard_deviation_is_seen():
    """Note 002's N(0, √(2/n)): what comes out if the second number is taken for the variance is refused above."""
    rng = np.random.default_rng(0)
    variance = 2 / N_IN
    for wrong in (variance * rng.standard_normal((N_IN, N_OUT)), variance**0.25 * rng.standard_normal((N_IN, N_OUT))):
        assert abs((wrong**2).mean() / variance - 1) > 4.5 * np.sqrt(2 / wrong.size)


@pytest.mark.parametrize("draw", list(VARIANCES))
def test_the_rng_is_used_and_nothing_else(draw):
    np.testing.assert_array_equal(draw(4, 3, np.random.default_rng(7)), draw(4, 3, np.random.default_rng(7)))
    rng = np.random.default_rng(7)
    assert not np.array_equal(draw(4, 3, rng), draw(4, 3, rng))
    state = np.random.get_state()[1].copy()  # noqa: NPY002 - the global state, which must stay as it is
    draw(4, 3, np.random.default_rng(7))
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


@pytest.mark.parametrize("draw", list(VARIANCES))
def test_float32_is_the_float64_draw_rounded(draw):
    double = draw(4, 3, np.random.default_rng(7))
    single = draw(4, 3, np.random.default_rng(7), dtype=np.float32)
    assert (double.dtype, single.dtype) == (np.float64, np.float32)
    np.testing.assert_array_equal(single, double.astype(np.float32))


def test_the_table_of_names():
    assert {draw.__name__: draw for draw in VARIANCES} == INITIALIZERS


@pytest.mark.parametrize("draw", list(VARIANCES))
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0, 3), ValueError, "n_in is 0: expected at least 1"),
        ((3, -1), ValueError, "n_out is -1: expected at least 1"),
        ((3.0, 2), TypeError, "n_in is 3.0: expected an integer"),
        ((3, "2"), TypeError, "n_out is '2': expected an integer"),
        ((3, 2, 0), TypeError, "rng is 0: expected a numpy.random.Generator"),
        ((3, 2, np.random.default_rng(0), np.float16), TypeError, "dtype is float16: expected float32 or float64"),
        ((3, 2, np.random.default_rng(0), int), TypeError, "dtype is int64: expected float32 or float64"),
    ],
)
def test_bad_input_is_refused(draw, arguments, error, message):
    with pytest.raises(error, match=message):
        draw(*arguments, *[np.random.default_rng(0)][len(arguments) - 2 :])


@pytest.mark.parametrize("draw", list(VARIANCES))
def test_sizes_of_1_and_numpy_integers(draw):
    assert draw(1, np.int64(1), np.random.default_rng(0)).shape == (1, 1)
