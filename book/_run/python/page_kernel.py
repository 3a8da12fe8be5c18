"""Runs the cells of a page: one namespace, outputs as notebooks store them, errors as Python shows them.

Imported by the worker of the page's runtime (book/_run/worker.mjs), inside Pyodide; the outputs have the form of
nbformat, so that the page draws, and the tests compare, what a notebook would hold.
"""

from __future__ import annotations

import ast
import builtins
import importlib.util
import io
import json
import linecache
import os
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("MPLBACKEND", "agg")
HOLD = 0.1  # seconds that printed text may wait for more of it
# A browser has no clock of a process's own work: its process_time runs while the machine does something else, and
# WebAssembly needs several times the seconds. A step's limit of 20 s of work must not depend on either.
SLOWER = 10


def work_time() -> float:
    """In place of `time.process_time`: seconds of work as outside a browser, by a cautious guess."""
    return time.monotonic() / SLOWER


class Stream(io.TextIOBase):
    """Standard output or error as outputs, in pieces that are not too small."""

    encoding = "utf-8"

    def __init__(self, name: str, send: Callable[[dict], None]) -> None:
        self._name, self._send, self._held, self._since = name, send, [], 0.0

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def write(self, text: str) -> int:
        if not self._held:
            self._since = time.monotonic()
        self._held.append(str(text))
        if time.monotonic() - self._since > HOLD:
            self.flush()
        return len(text)

    def flush(self) -> None:
        text = "".join(self._held)
        self._held = []
        if text:
            self._send({"output_type": "stream", "name": self._name, "text": text})


class Kernel:
    """The session of a page."""

    def __init__(self, send: Callable[[str], None]) -> None:
        from IPython.core.interactiveshell import InteractiveShell, get_ipython
        from IPython.display import display

        self._post = send
        self.shell = InteractiveShell.instance()
        self.shell.display_pub.send = self._display
        self.namespace = {"__name__": "__main__", "__builtins__": builtins}
        self.shell.user_ns = self.namespace
        builtins.display, builtins.get_ipython = display, get_ipython
        time.process_time = work_time
        # A browser starts no thread, and tqdm says of its own that it could not: a bar needs none.
        warnings.filterwarnings("ignore", message="tqdm:disabling monitor support")
        self.out, self.err = Stream("stdout", self._send), Stream("stderr", self._send)

    def _send(self, output: dict) -> None:
        self._post(json.dumps(output, default=str))

    def _display(self, output: dict) -> None:
        self.out.flush()
        self.err.flush()
        output["data"] = {mime: as_json(data) for mime, data in output.get("data", {}).items()}
        self._send(output)

    async def run(self, source: str, name: str) -> bool:
        """Run a cell; what it shows is sent. True when nothing was raised."""
        from pyodide.code import eval_code_async

        sys.stdout, sys.stderr = self.out, self.err
        # So that tracebacks and `inspect.getsource` find the lines.
        lines = [f"{line}\n" for line in source.split("\n")]
        linecache.cache[f"<{name}>"] = (len(source), None, lines, f"<{name}>")
        # In a page's cell nobody can answer a prompt: asking is an error with a reason, not a wait for ever.
        builtins.input = no_input
        try:
            value = await eval_code_async(source, self.namespace, filename=f"<{name}>")
            if value is not None:
                self.namespace["_"] = value
                data, metadata = self.shell.display_formatter.format(value)
                if data:
                    self._display(
                        {
                            "output_type": "execute_result",
                            "data": data,
                            "metadata": metadata,
                        }
                    )
            self._show_open_figures()
        except BaseException as error:  # KeyboardInterrupt and SystemExit too: the session goes on
            self.out.flush()
            self.err.flush()
            self._send(error_output(error))
            return False
        finally:
            self.out.flush()
            self.err.flush()
            sys.setprofile(None)
        return True

    def _show_open_figures(self) -> None:
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is None:
            return
        for number in pyplot.get_fignums():
            data, metadata = self.shell.display_formatter.format(pyplot.figure(number))
            self._display({"output_type": "display_data", "data": data, "metadata": metadata})
        pyplot.close("all")


def no_input(prompt: str = "") -> str:
    raise RuntimeError("input() cannot be answered here: write the value into the code")


def as_json(data: Any) -> Any:
    """Bytes as notebooks store them."""
    if isinstance(data, bytes):
        import base64

        return base64.b64encode(data).decode("ascii")
    return data


def error_output(error: BaseException) -> dict[str, Any]:
    """An error as a notebook stores it: Python's own words, without the frames of this module."""
    shown = error.__traceback__
    while shown is not None and not shown.tb_frame.f_code.co_filename.startswith("<cell"):
        shown = shown.tb_next
    lines = traceback.format_exception(type(error), error, shown)
    return {
        "output_type": "error",
        "ename": type(error).__name__,
        "evalue": str(error),
        "traceback": "".join(lines).rstrip("\n").split("\n"),
        "last": "".join(traceback.format_exception_only(error)).strip(),
        "unknown": getattr(error, "name", None) if isinstance(error, NameError) else None,
    }


# What a cell needs -----------------------------------------------------------------------------------------------


def needed(source: str, available: str) -> str:
    """The names, of those in a JSON list, that a cell imports, itself or through the course's package.

    They are loaded before the cell runs, because an import inside Python cannot wait for a download.
    """
    wanted = set(json.loads(available))
    return json.dumps(sorted(wanted & third_parties(source)))


def third_parties(source: str) -> set[str]:
    found: set[str] = set()
    seen: set[str] = set()
    waiting = list(imported(source, ""))
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        top = module.partition(".")[0]
        found.add(top)
        if top == "backprop" and (path := source_of(module)):
            # A package runs its __init__ before a module of it.
            package = module if path.name == "__init__.py" else module.rpartition(".")[0]
            waiting += [".".join(module.split(".")[:count]) for count in range(1, module.count(".") + 1)]
            waiting += imported(path.read_text(encoding="utf-8"), package)
    return found


def imported(source: str, package: str) -> Iterator[str]:
    """Modules that a source may import, wherever in it: also names after ``from``, which may be modules."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")[: package.count(".") + 2 - node.level]
                base = ".".join([*parts, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{each.name}" for each in node.names)


def source_of(module: str) -> Path | None:
    """The file of a module of the course's package, without importing it."""
    root = Path(importlib.util.find_spec("backprop").origin).parent
    place = root.joinpath(*module.split(".")[1:])
    for path in (place / "__init__.py", place.with_suffix(".py")):
        if path.is_file():
            return path
    return None
