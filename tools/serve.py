"""Hand out the built book on this machine: python tools/serve.py PORT [FOLDER]

Any static server will do. This one also tells the browser to keep the pages to themselves (COOP and COEP), which lets a
page interrupt its Python and keep the variables; without that, stopping ends Python.
"""

from __future__ import annotations

import functools
import http.server
import sys
from pathlib import Path

HTML = Path(__file__).resolve().parents[1] / "_build" / "html"


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files, with the two headers; a browser asks again whether a file has changed, since books are rebuilt."""

    extensions_map = {  # noqa: RUF012 (the class's own form); a system may know neither
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def end_headers(self) -> None:
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


def server(port: int, folder: Path) -> http.server.ThreadingHTTPServer:
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Handler, directory=str(folder)))


def main(port: str, folder: str = str(HTML)) -> int:
    with server(int(port), Path(folder)) as serving:
        print(f"The book: http://127.0.0.1:{serving.server_port}/ (Ctrl+C ends)", flush=True)
        try:
            serving.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
