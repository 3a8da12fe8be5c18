"""What a worker computes: seconds for the gradients of one shard, on one thread, and for one sample and one parameter.

    python benchmarks/data_parallel.py

Chapter 13 estimates from this number when more machines pay. It is an input there, stated with its origin.
"""

import os

# Before NumPy is imported: a worker is one thread.
os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1"))

import itertools
import platform
import time

import numpy as np

from backprop.data_parallel import part_of
from backprop.network import MLP

NETWORKS = ((64, 32, 10), (784, 512, 256, 10), (784, 2048, 2048, 10))
SAMPLES = 256
REPEATS = 15


def seconds(sizes, dtype) -> float:
    """The least time of one shard's part. One thread's processor time: waiting for a busy machine does not count."""
    rng = np.random.default_rng(0)
    network = MLP.initialize(sizes, rng, dtype=dtype)
    shard = rng.normal(size=(SAMPLES, sizes[0])).astype(dtype), rng.integers(sizes[-1], size=SAMPLES)
    rows, times = np.arange(SAMPLES), []
    for _ in range(REPEATS):
        start = time.process_time()
        part_of(network, shard, rows)
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    print(f"{platform.machine()}, NumPy {np.__version__}, one thread, {SAMPLES} samples a shard, best of {REPEATS}")
    for sizes in NETWORKS:
        parameters = sum((a + 1) * b for a, b in itertools.pairwise(sizes))
        for dtype in (np.float64, np.float32):
            took = seconds(sizes, dtype)
            each = took / SAMPLES / parameters
            name = "-".join(map(str, sizes))
            print(f"{name:18} {dtype.__name__}  {1e3 * took:8.2f} ms  {1e12 * each:6.0f} ps a sample and parameter")


if __name__ == "__main__":
    main()
