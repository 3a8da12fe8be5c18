"""Start Chromium and hand out a folder: what every tool and test needs that looks at the built book in a browser."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page that asks another host is told at once that there is none; the request is still seen.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
MISSING = "Chromium is missing (Debian: apt-get install chromium; another one: BACKPROP_CHROMIUM=/path/to/chrome)"


def find_chromium() -> str | None:
    """The browser to drive: BACKPROP_CHROMIUM, or one on the PATH."""
    named = os.environ.get("BACKPROP_CHROMIUM")
    names = [named] if named else ["chromium", "chromium-browser", "google-chrome", "chrome"]
    return next(filter(None, map(shutil.which, names)), None)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and prints nothing."""

    def log_message(self, *arguments: object) -> None:
        """Print nothing."""


@contextmanager
def serving(folder: Path | str, handler: type[Quiet] = Quiet) -> Iterator[str]:
    """The address of a server of a folder, on a free port of this machine."""
    made = functools.partial(handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), made) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
