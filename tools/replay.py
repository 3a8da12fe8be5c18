"""Run a notebook's cells in this process, and say of each whether it shows what is stored, as nbval would.

For commands that run one notebook many times and cannot pay for a kernel each time. The tests themselves use nbval.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections import defaultdict
from pathlib import Path

import nbformat
from pictures import same_picture

SVG = "image/svg+xml"


class Replay:
    """IPython in this process, shown what a notebook's kernel would be shown."""

    def __init__(self, folder: Path):
        from IPython.core.displayhook import DisplayHook
        from IPython.core.displaypub import DisplayPublisher
        from IPython.core.interactiveshell import InteractiveShell

        shown = self.shown = []

        class Hook(DisplayHook):
            def __call__(self, result=None):
                if result is not None and not self.quiet():
                    self.update_user_ns(result)
                    shown.append(self.compute_format_data(result)[0])

        class Publisher(DisplayPublisher):
            def publish(self, data, *_, **__):
                shown.append(data)

        class Quiet(InteractiveShell):
            displayhook_class = Hook
            display_pub_class = Publisher

            def _showtraceback(self, etype, evalue, stb):
                pass

        InteractiveShell.clear_instance()
        Quiet.clear_instance()
        self.shell, self.why = Quiet.instance(), ""
        self.shell.history_manager.enabled = False
        os.chdir(folder)

    def gives(self, cell: nbformat.NotebookNode, changed: str | None = None) -> bool:
        """Run a cell, or its changed source, and say whether it shows what is stored."""
        self.shown.clear()
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            done = self.shell.run_cell(cell.source if changed is None else changed)
        tags = cell.metadata.get("tags", [])
        if not done.success and "raises-exception" not in tags:
            self.why = f"{done.error_in_exec or done.error_before_exec!r}"
            return False
        if "nbval-ignore-output" in tags:
            return True
        here = _by_kind([{"data": data} for data in self.shown], out.getvalue(), err.getvalue())
        stored = _by_kind([o for o in cell.outputs if "data" in o], _stream(cell, "stdout"), _stream(cell, "stderr"))
        self.why = "" if _same(here, stored) else f"{here} instead of {stored}"[:2000]
        return not self.why


def _stream(cell: nbformat.NotebookNode, name: str) -> str:
    return "".join(o.text for o in cell.outputs if o.output_type == "stream" and o.name == name)


def _by_kind(outputs: list, out: str, err: str) -> dict[str, list]:
    """As nbval compares: the outputs of one kind in their order, kinds among themselves in none."""
    kinds: dict[str, list] = defaultdict(list, {"stdout": [out], "stderr": [err]})
    for output in outputs:
        for mime, data in output["data"].items():
            if mime == SVG or not mime.startswith("image/"):
                kinds[mime].append(data if isinstance(data, str) else json.dumps(data, sort_keys=True))
    return dict(kinds)


def _same(here: dict[str, list], stored: dict[str, list]) -> bool:
    if here.keys() != stored.keys() or any(len(here[kind]) != len(stored[kind]) for kind in here):
        return False
    return all(
        same_picture(a, b) if kind == SVG else a == b
        for kind in here
        for a, b in zip(here[kind], stored[kind], strict=True)
    )
