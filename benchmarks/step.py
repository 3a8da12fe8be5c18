"""One training step side by side: the readable functions, `FastStep`, the bare matrix products, PyTorch and JAX.

Whichever peers are installed take part. Every peer runs in a process of its own, on one core with one thread, and first
proves that it computes the same losses. Blocks of steps are taken from all of them in shuffled rounds; a ratio is the
median of the rounds' ratios. Time is the processor's, so that other programs on the machine count little.

Then the same step in stages on the way to `FastStep` (`_tricks.py`), and how its time grows with width, depth and
batch. Run: python benchmarks/step.py [--quick] [--rounds 15] [--parts peers stages traps growth] [--record]
With --record the results go to src/backprop/data/speed.json, which chapter 12 draws; otherwise to _build/bench.
"""

import argparse
import functools
import importlib.util
import itertools
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # settings of one machine would be measured, not the step
    os.environ.pop(variable, None)
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

import numpy as np  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parent))

from _tricks import RATE, STAGES, make_ours, make_readable, make_stage, start, traps  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
NETS = {"small": (64, 32, 10), "medium": (784, 512, 256, 10), "large": (784, 2048, 2048, 10)}
OUT, PARTS = ROOT / "_build" / "bench", ("peers", "stages", "traps", "growth")
BATCHES, DTYPES = (32, 128, 1024), ("float32", "float64")
BLOCK, BUDGET = 0.02, 12.0  # seconds of a block of steps, and of a configuration


def data(sizes, m, dtype):
    rng = np.random.default_rng(1)
    return rng.standard_normal((m, sizes[0])).astype(dtype), rng.integers(0, sizes[-1], m)


# -- peers: make(sizes, dtype) -> step(X, y) -> loss, or None where there is none --------------------------------------


def make_products(sizes, dtype):
    """The matrix products of a step and nothing else: no step of this layout can take less."""
    W, plans = start(sizes, dtype).weights, {}

    def plan(X):
        rng, m = np.random.default_rng(2), len(X)
        A = [X, *(rng.standard_normal((m, n)).astype(dtype) for n in sizes[1:])]
        D = [rng.standard_normal((m, n)).astype(dtype) for n in sizes]
        todo = [(A[l], W[l], A[l + 1]) for l in range(len(W))]
        for l in reversed(range(len(W))):
            todo.append((A[l].T, D[l + 1], np.empty_like(W[l])))
            todo += [(D[l + 1], W[l].T, D[l])] if l else []
        return todo

    def step(X, y):
        if len(X) not in plans:
            plans[len(X)] = plan(X)
        for a, b, out in plans[len(X)]:
            np.dot(a, b, out=out)

    return step


def make_torch(sizes, dtype, update="loop"):
    import torch

    torch.set_num_threads(1)
    layers = []
    for W in start(sizes, dtype).weights:
        layer = torch.nn.Linear(*W.shape, dtype=getattr(torch, dtype))
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(W.T.copy()))
            layer.bias.zero_()
        layers += [layer, torch.nn.ReLU()]
    model, cross_entropy = torch.nn.Sequential(*layers[:-1]), torch.nn.CrossEntropyLoss()
    parameters = list(model.parameters())
    descent = torch.optim.SGD(parameters, lr=RATE, fused=True if update == "fused" else None)

    def step(X, y):
        if update == "foreach":
            loss = cross_entropy(model(X), y)
            gradients = torch.autograd.grad(loss, parameters)
            with torch.no_grad():
                torch._foreach_add_(parameters, gradients, alpha=-RATE)
            return loss
        descent.zero_grad(set_to_none=True)
        loss = cross_entropy(model(X), y)
        loss.backward()
        descent.step()
        return loss

    step.prepare = lambda X, y: (torch.from_numpy(X), torch.from_numpy(y))
    return step


def make_jax(sizes, dtype):
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    network = start(sizes, dtype)
    state = [[(jnp.asarray(W), jnp.asarray(b)) for W, b in zip(network.weights, network.biases, strict=True)]]

    def loss(parameters, X, y):
        for W, b in parameters[:-1]:
            X = jax.nn.relu(X @ W + b)
        W, b = parameters[-1]
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(X @ W + b), y[:, None], axis=1))

    def moved(parameters, X, y):
        value, gradients = jax.value_and_grad(loss)(parameters, X, y)
        return value, jax.tree.map(lambda p, g: p - RATE * g, parameters, gradients)

    compiled = jax.jit(moved, donate_argnums=0)

    def step(X, y):
        value, state[0] = compiled(state[0], X, y)
        return value.block_until_ready()

    step.prepare = lambda X, y: (jnp.asarray(X), jnp.asarray(y))
    return step


PEERS = {
    "ours": make_ours,
    "readable": make_readable,
    "products": make_products,
    "torch": make_torch,
    "torch fused": lambda sizes, dtype: make_torch(sizes, dtype, "fused"),
    "torch foreach": lambda sizes, dtype: make_torch(sizes, dtype, "foreach"),
    "jax jit": make_jax,
}
NEEDS = {"torch": "torch", "torch fused": "torch", "torch foreach": "torch", "jax jit": "jax"}
EAGER = ("torch", "torch fused", "torch foreach")


# -- a worker process per peer -----------------------------------------------------------------------------------------


def worker(name):
    """Answer requests on standard input: build a step, or run it k times."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    step = arguments = None
    for line in sys.stdin:
        request = json.loads(line)
        if "sizes" in request:
            step = PEERS[name](tuple(request["sizes"]), request["dtype"])
            arguments = data(request["sizes"], request["m"], request["dtype"])
            arguments = step.prepare(*arguments) if hasattr(step, "prepare") else arguments
            losses = [step(*arguments) for _ in range(3)]
            answer = [None if loss is None else float(loss) for loss in losses]
        else:
            answer = seconds(step, arguments, request["k"])
        print(json.dumps(answer), flush=True)


def seconds(step, arguments, k):
    """The processor's time for a step, from k of them."""
    begin = time.process_time()
    for _ in range(k):
        step(*arguments)
    return (time.process_time() - begin) / k


class Peer:
    def __init__(self, name):
        command = [sys.executable, __file__, "--worker", name]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


def compare_peers(configurations, rounds):
    """For each configuration the time of every peer, and the median ratio to ours."""
    installed = [n for n in PEERS if n not in NEEDS or importlib.util.find_spec(NEEDS[n])]
    peers, out, shuffled = {name: Peer(name) for name in installed}, [], random.Random(0)
    try:
        for net, m, dtype in configurations:
            losses = {n: peer.ask(sizes=NETS[net], m=m, dtype=dtype) for n, peer in peers.items()}
            refuse_other_losses(losses, dtype)
            first = {n: max(peer.ask(k=2), 1e-6) for n, peer in peers.items()}
            k = {n: max(1, int(BLOCK / t)) for n, t in first.items()}
            times = {n: [] for n in peers}
            affordable = int(BUDGET / sum(k[n] * first[n] for n in peers))
            for _ in range(max(3, min(rounds, affordable))):
                for n in shuffled.sample(installed, len(installed)):
                    times[n].append(peers[n].ask(k=k[n]))
            out.append({"net": net, "m": m, "dtype": dtype, **summary(times)})
            print(row(out[-1]), flush=True)
    finally:
        for peer in peers.values():
            peer.close()
    return out


def refuse_other_losses(losses, dtype):
    """A peer that computes something else is no peer."""
    bound = 2e-3 if dtype == "float32" else 1e-9
    for name, found in losses.items():
        for a, b in zip(found, losses["ours"], strict=True):
            if a is not None and not abs(a - b) <= bound * abs(b):
                raise SystemExit(f"{name} computes other losses: {found} against {losses['ours']}")


def summary(times):
    ratios = {n: [a / b for a, b in zip(t, times["ours"], strict=True)] for n, t in times.items()}
    return {
        "us": {n: round(1e6 * statistics.median(t), 1) for n, t in times.items()},
        "ratio": {n: round(statistics.median(r), 3) for n, r in ratios.items() if n != "ours"},
    }


def row(result):
    shown = "  ".join(f"{n} {r:.2f}" for n, r in result["ratio"].items())
    return f"{result['net']:7} m={result['m']:<5} {result['dtype']:8} ours {result['us']['ours']:10.1f} µs | {shown}"


def geometric_means(results):
    """For each network the mean ratio of every peer; for PyTorch the best of its variants in each configuration."""
    out = {}
    for net in dict.fromkeys(r["net"] for r in results):
        of_net = [dict(r["ratio"]) for r in results if r["net"] == net]
        for ratios in of_net:
            eager = [ratios.pop(n) for n in EAGER if n in ratios]
            if eager:
                ratios["torch, the best"] = min(eager)
        out[net] = {n: round(statistics.geometric_mean(r[n] for r in of_net), 3) for n in of_net[0]}
    return out


# -- stages, traps, growth: NumPy alone, in this process ---------------------------------------------------------------


def in_turns(steps, rounds, block=0.004):
    """Seconds of each call, measured in turns. The fastest round is the one that was least disturbed."""
    k = {n: max(1, int(block / max(min(seconds(f, (), 1) for _ in range(3)), 1e-6))) for n, f in steps.items()}
    times = {n: [] for n in steps}
    for _, (n, f) in itertools.product(range(rounds), steps.items()):
        times[n].append(seconds(f, (), k[n]))
    return {n: min(t) for n, t in times.items()}


def ladder(sizes, m, dtype, rounds):
    X, y = data(sizes, m, dtype)
    steps = [make_stage(stage, sizes, dtype) for stage in range(len(STAGES))]
    refuse_other_losses({**{STAGES[i]: [f(X, y) for _ in range(3)] for i, f in enumerate(steps[:-1])},
                         "ours": [steps[-1](X, y) for _ in range(3)]}, dtype)  # fmt: skip
    times = in_turns({name: lambda f=f: f(X, y) for name, f in zip(STAGES, steps, strict=True)}, rounds)
    stages = [{"name": n, "us": round(1e6 * t, 1)} for n, t in times.items()]
    print(f"\n{'-'.join(map(str, sizes))}, m = {m}, {dtype}")
    for stage in stages:
        print(f"  {stage['name']:40} {stage['us']:10.1f} µs")
    return {"sizes": sizes, "m": m, "dtype": dtype, "stages": stages}


def trapped(rounds):
    out = []
    print("\ntraps, float32")
    for name, (trap, instead) in traps().items():
        times = in_turns({"trap": trap, "instead": instead}, rounds)
        out.append({"name": name, **{n: round(1e6 * t, 1) for n, t in times.items()}})
        print(f"  {name:40} {out[-1]['trap']:8.1f} µs, without it {out[-1]['instead']:8.1f} µs")
    return out


SWEEPS = {
    "width": [((64, w, w, 10), 128) for w in (8, 16, 32, 64, 128, 256, 512, 1024)],
    "depth": [((64, *[128] * d, 10), 128) for d in (1, 2, 4, 8, 16)],
    "batch": [((64, 128, 128, 10), m) for m in (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)],
}


def multiplications(sizes, m):
    """Of the matrix products of a step: three a layer, without dX of the first."""
    links = [i * o for i, o in itertools.pairwise(sizes)]
    return m * (3 * sum(links) - links[0])


def growth(rounds):
    """All cases in turns, so that a processor that slows down for a while slows all of them down alike."""
    cases = [(sweep, sizes, m) for sweep, of in SWEEPS.items() for sizes, m in of]
    steps = {}
    for sizes, m in dict.fromkeys((sizes, m) for _, sizes, m in cases):
        X, y = data(sizes, m, "float32")
        for name, make in {"us": make_ours, "readable": make_readable}.items():
            steps[sizes, m, name] = functools.partial(make(sizes, "float32"), X, y)
    times = in_turns(steps, rounds)
    out = []
    for sweep, sizes, m in cases:
        own = {name: round(1e6 * times[sizes, m, name], 1) for name in ("us", "readable")}
        out.append({"sweep": sweep, "sizes": sizes, "m": m, "multiplications": multiplications(sizes, m),
                    "parameters": sum((i + 1) * o for i, o in itertools.pairwise(sizes)), **own})  # fmt: skip
        network = "-".join(map(str, sizes))
        print(f"  {sweep:6} {network:30.30} m={m:<5} {out[-1]['multiplications']:12,} {own['us']:10.1f} µs")
    return out


# -- what is kept ------------------------------------------------------------------------------------------------------


def machine():
    """What the numbers belong to."""
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    for name in ("torch", "jax"):
        if importlib.util.find_spec(name):
            versions[name] = importlib.import_module(name).__version__.split("+")[0]
    blas = np.show_config("dicts")["Build Dependencies"]["blas"]
    return {"processor": processor(), "cores used": 1, "system": platform.system(), "versions": versions,
            "blas": f"{blas['name']} {blas['version']}"}  # fmt: skip


def processor():
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line]
        return f"{names[0]}, {platform.machine()}" if names else platform.machine()
    return platform.processor() or platform.machine()


def draw(results, path):
    """A bar for each peer and network: how many times our time it takes."""
    from backprop import plotting

    plotting.use_style()
    figure = plotting.Figure(figsize=(6.4, 3.2))
    axes = figure.add_subplot()
    means = geometric_means(results)
    names = list(next(iter(means.values())))
    for place, (net, ratios) in enumerate(means.items()):
        across = np.arange(len(names)) + 0.25 * (place - 1)
        axes.bar(across, [ratios[n] for n in names], width=0.22, label="-".join(map(str, NETS[net])),
                 color=plotting.PALETTE[place])  # fmt: skip
    axes.axhline(1, color=plotting.INK, linewidth=1)
    axes.set(ylabel="time / FastStep's time", yscale="log")
    axes.set_xticks(np.arange(len(names)), names)
    axes.legend()
    path.write_text(plotting.svg(figure, "Bars: the time of each peer over FastStep's, for three networks."), "utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="two networks, two batches, float32")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="the rest stays as it was recorded")
    parser.add_argument("--record", action="store_true", help="write src/backprop/data/speed.json")
    arguments = parser.parse_args()
    if arguments.worker:
        return worker(arguments.worker)
    grid = (NETS, BATCHES, DTYPES) if not arguments.quick else (("small", "medium"), (32, 128), ("float32",))
    path = (ROOT / "src" / "backprop" / "data" if arguments.record else OUT) / "speed.json"
    OUT.mkdir(parents=True, exist_ok=True)
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    found["machine"] = machine()
    if "peers" in arguments.parts:
        found["peers"] = compare_peers(itertools.product(*grid), arguments.rounds)
        found["means"] = geometric_means(found["peers"])
        print("\ngeometric means, peer's time / ours; of 'products' the part of our step that they take")
        for net, ratios in found["means"].items():
            print(f"  {net:8}", "  ".join(f"{n} {r:.2f}" for n, r in ratios.items()))
        draw(found["peers"], OUT / "step.svg")
    if "stages" in arguments.parts:
        cases = ("small", 32), ("medium", 128)
        found["stages"] = [ladder(NETS[n], m, "float32", 4 * arguments.rounds) for n, m in cases]
    if "traps" in arguments.parts:
        found["traps"] = trapped(4 * arguments.rounds)
    if "growth" in arguments.parts:
        found["growth"] = growth(2 * arguments.rounds)
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"written: {path.relative_to(ROOT)}")
    return None


if __name__ == "__main__":
    main()
