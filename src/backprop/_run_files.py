"""A training in one file: NumPy's own format, without pickles, so that opening a stranger's file runs no code."""

import json
import os
from pathlib import Path

import numpy as np

from backprop._arguments import shown, whole
from backprop._runs import History, Run, State
from backprop.network import MLP
from backprop.optimizers import AdamState

FORMAT = 1


def save(path, run: Run) -> None:
    """Write a run to one .npz file.

    The file is complete or it is not there: it is written beside its place and then moved, so that a crash leaves the
    file of before.

    Parameters
    ----------
    path : str or path
        Written as it is named, whatever its ending.
    run : Run

    Raises
    ------
    TypeError
        path is no path; run is not a Run of an `MLP`, a `State` and a `History`; an optimiser's state that is neither a
        tuple of arrays nor an `AdamState`; a place in the training that is not in integers.
    ValueError
        A place in the training below 0.
    OSError
        A folder that is not there.

    Examples
    --------
    >>> import tempfile
    >>> from backprop.optimizers import Momentum
    >>> rng = np.random.default_rng(0)
    >>> network = MLP.initialize([2, 3], rng)
    >>> state = State(Momentum(0.1).init(network), rng.bit_generator.state, epoch=2, batch=0, batches=5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(f"{folder}/run.npz", Run(network, state, History(np.array([0.7, 0.6]))))
    ...     again = load(f"{folder}/run.npz")
    >>> again.network, again.state.epoch, again.history.loss
    (MLP(2-3, softmax, cross_entropy), 2, array([0.7, 0.6]))
    """
    if not isinstance(run, Run):
        raise TypeError(f"run is {type(run).__name__}: expected a Run, as fit returns it")
    path = _path(path)
    network, state, history = run
    parts = (("network", network, MLP), ("state", state, State), ("history", history, History))
    for name, part, kind in (*parts, ("state.rng", state.rng if isinstance(state, State) else state, dict)):
        if not isinstance(part, kind):
            raise TypeError(f"run.{name} is {shown(part)}: expected {kind.__name__}")
    for name in ("epoch", "batch", "batches"):
        whole(f"run.state.{name}", getattr(state, name), 0)
    arrays = {f"weights/{l}": W for l, W in enumerate(network.weights)}
    arrays |= {f"biases/{l}": b for l, b in enumerate(network.biases)}
    arrays |= _packed(state.optimizer) | {"history/loss": history.loss}
    about = {
        "format": FORMAT,
        "activations": network.activations,
        "loss": network.loss_name,
        "rng": state.rng,
        "place": state[2:],
    }
    arrays["about"] = np.array(json.dumps(about, default=np.ndarray.tolist))
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            np.savez(file, **arrays)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def load(path) -> Run:
    """Read a run that `save` has written. Trained on from here, it ends as if it had never been stopped.

    Raises
    ------
    ValueError
        A file that is not one of ours.
    OSError
        No such file.
    TypeError
        path is no path.

    Examples
    --------
    See `save`.
    """
    path = _path(path)
    # NumPy tries to unpickle what is neither an archive nor an array, and says so when it may not.
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        about = json.loads(arrays["about"].item())
    except (ValueError, EOFError, KeyError, AttributeError) as error:
        raise ValueError(f"path is {str(path)!r}: expected a file that save has written ({error})") from None
    if about["format"] != FORMAT:
        raise ValueError(f"path is {str(path)!r}, of format {about['format']}: expected format {FORMAT}")
    network = MLP(_listed(arrays, "weights"), _listed(arrays, "biases"), about["activations"], about["loss"])
    state = State(_unpacked(arrays), about["rng"], *about["place"])
    return Run(network, state, History(arrays["history/loss"]))


def _path(path) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path is {shown(path)}: expected the name of a file")
    return Path(path)


def _packed(memory) -> dict[str, np.ndarray]:
    """An optimiser's state under names: nothing, one array a parameter, or what Adam holds."""
    if isinstance(memory, AdamState):
        means = {f"adam/mean/{k}": each for k, each in enumerate(memory.mean)}
        squares = {f"adam/square/{k}": each for k, each in enumerate(memory.square)}
        return {"adam/steps": np.array(memory.steps)} | means | squares
    if isinstance(memory, tuple) and all(isinstance(each, np.ndarray) for each in memory):
        return {f"memory/{k}": each for k, each in enumerate(memory)}
    raise TypeError(f"run.state.optimizer is {type(memory).__name__}: expected a tuple of arrays, or an AdamState")


def _unpacked(arrays):
    if "adam/steps" in arrays:
        means, squares = (tuple(_listed(arrays, f"adam/{name}")) for name in ("mean", "square"))
        return AdamState(arrays["adam/steps"].item(), means, squares)
    return tuple(_listed(arrays, "memory"))


def _listed(arrays, name: str) -> list[np.ndarray]:
    """The arrays name/0, name/1, … in order."""
    return [arrays[f"{name}/{k}"] for k in range(sum(key.startswith(f"{name}/") for key in arrays))]
