"""What long checks found, kept in `evidence/` together with a hash of the sources that they were run on."""

import hashlib
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENGINE = "src/backprop/symbolic"
NUMERIC = "src/backprop/*.py"


def digest(sources):
    """A hash of all Python files of a folder, or of a pattern, by name and content; the same on every system."""
    out = hashlib.sha256()
    for path in sorted(ROOT.glob(sources if "*" in sources else f"{sources}/**/*.py")):
        out.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
        out.update(path.read_text(encoding="utf-8").encode() + b"\0")
    return out.hexdigest()


def write(name, found, before=None, sources=ENGINE):
    """Write what a check of these sources found; `before` is their hash, taken before the check began."""
    now = digest(sources)
    if before not in (None, now):
        raise AssertionError(f"{sources} has changed while it was examined: run the check again")
    text = json.dumps({"sources": {sources: now}, **found}, indent=1, ensure_ascii=False)
    (ROOT / "evidence").mkdir(exist_ok=True)
    (ROOT / "evidence" / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def read(name):
    """What a check found."""
    return json.loads((ROOT / "evidence" / f"{name}.json").read_text(encoding="utf-8"))


def is_current(found):
    """Whether the sources are still those that the check was run on."""
    return all(digest(sources) == seen for sources, seen in found["sources"].items())
