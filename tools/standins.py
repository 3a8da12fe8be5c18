"""What stands in for a part of a page until the browser lays it out: a height, estimated from what the part holds.

backprop.css lets a browser lay out cells, boxes and parts of a chapter when they come near the window. Until then each
has the height that is written here. One that is too small would let the part's own content, when something asks where
it is, lie over what follows; one that is far off makes the scroll bar jump. So the estimate is for a phone, where text
is highest, and rather too large.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

# Everything else flows with the text around it.
BLOCKS = (
    "article|aside|blockquote|caption|dd|details|div|dl|dt|fieldset|figure|h1|h2|h3|h4|label|li|main|nav|ol|p|pre|section"
    "|summary|table|tbody|td|tfoot|th|thead|tr|ul"
)
TAG = re.compile(rf"<(?:(/?)({BLOCKS})|(img))\b((?:[^<>\"]|\"[^\"]*\")*)>")
INLINE = re.compile(r"<[^>]*>")
ENTITY = re.compile(r"&#?\w+;")
# What has no text on the screen of its own; its place is kept, so that all positions hold.
SILENT = re.compile(r"<(math|svg|script|style|template)\b.*?</\1>", flags=re.DOTALL)
CELLS = frozenset(("td", "th"))
HEADINGS = frozenset(("h1", "h2", "h3", "h4"))
PUT_OFF = frozenset(("cell", "box", "pst-scrollable-table-container"))  # and parts of a chapter: as in backprop.css
EQUATIONS = frozenset(("math-display", "derivation-line"))

# CSS pixels and characters on a window 360 wide, measured on this book (tests/test_browser.py holds them to be enough).
COLUMN = 328
PER_LINE, PER_LINE_IN_CODE, PER_LINE_IN_EQUATION = 34, 44, 27
PER_ROW, PER_WIDE_ROW, WIDE = 52, 105, 5  # all cells together; a table of five columns scrolls, and is wider
LINE, BLOCK, HEADING = 27, 14, 80
CODE_LINE, CODE = 20, 60
EQUATION_LINE, EQUATION = 62, 12
ROW, FOLDED = 26, 45
STEP = 50  # heights are rounded up to a multiple of it


@dataclass(slots=True)
class Part:
    """An element that is open: what it holds so far."""

    tag: str
    classes: frozenset[str]
    at: int  # behind its name in the page
    folded: bool
    put_off: bool
    height: float = 0.0
    characters: int = 0
    lines: int = 0
    cells: int = 0

    def text(self) -> float:
        """The height of the text that is in the element itself."""
        if not self.characters:
            return 0.0
        if self.classes & EQUATIONS:
            return math.ceil(self.characters / PER_LINE_IN_EQUATION) * EQUATION_LINE + EQUATION
        return math.ceil(self.characters / PER_LINE) * LINE + BLOCK

    def total(self) -> float:
        """The height of the whole element."""
        if self.tag == "pre":
            return self.lines * CODE_LINE + CODE
        if self.folded:
            return FOLDED
        if self.tag == "tr":
            per_line = (PER_WIDE_ROW if self.cells >= WIDE else PER_ROW) / max(1, self.cells)
            return max(self.height, math.ceil(self.characters / per_line) * LINE) + ROW
        return self.height + self.text() + (HEADING if self.tag in HEADINGS else 0)

    def add(self, child: Part) -> None:
        """Cells of a row stand beside one another, and their text flows; everything else stands below what there is."""
        if child.tag in CELLS:
            self.cells += 1
            self.height = max(self.height, child.height)
            self.characters = max(self.characters, child.characters)
        elif self.tag in CELLS:
            self.height += child.height
            self.characters += child.characters
        else:
            self.height += child.total()

    def read(self, markup: str) -> None:
        """Add what stands between two tags of blocks."""
        text = INLINE.sub("", markup)
        if self.tag == "pre":
            lines = ENTITY.sub("x", text).rstrip("\n").split("\n")
            self.lines += sum(math.ceil(max(1, len(line)) / PER_LINE_IN_CODE) for line in lines)
        elif text and not text.isspace():
            self.characters += len(" ".join(ENTITY.sub("x", text).split()))


def opened(match: re.Match, parent: Part | None) -> Part:
    tag, attributes = match[2], match[4]
    found = re.search(r"\bclass=\"([^\"]*)\"", attributes)
    classes = frozenset(found[1].split()) if found else frozenset()
    return Part(
        tag,
        classes,
        match.end(2),
        folded=tag == "details" and not re.search(r"\bopen\b", attributes),
        put_off=bool(parent and parent.tag == "section") and (tag == "section" or bool(classes & PUT_OFF)),
    )


def picture(attributes: str) -> float:
    """The height of a picture that is made as narrow as the column."""
    sides = [re.search(rf"\b{side}=\"(\d+)\"", attributes) for side in ("width", "height")]
    if not all(sides):
        return 0.0
    width, height = (int(side[1]) for side in sides)
    return height * min(1.0, COLUMN / width)


def heights(html: str) -> dict[int, int]:
    """The heights of what is laid out late, each with the place behind the element's name.

    Examples
    --------
    >>> heights('<section><div class="cell"><pre>a\\nb\\n</pre></div></section>')
    {13: 100}
    """
    seen = SILENT.sub(lambda match: " " * len(match[0]), html)
    stack: list[Part] = []
    found: dict[int, int] = {}
    last = 0
    for match in TAG.finditer(seen):
        if stack:
            stack[-1].read(seen[last : match.start()])
        last = match.end()
        ends, tag, image, attributes = match.groups()
        if image and stack:
            stack[-1].height += picture(attributes)
        elif ends:
            while any(part.tag == tag for part in stack):  # an end tag may be left out, as </p> is
                part = stack.pop()
                if stack:
                    stack[-1].add(part)
                if part.put_off:
                    found[part.at] = math.ceil(part.total() / STEP) * STEP
                if part.tag == tag:
                    break
        elif tag:
            stack.append(opened(match, stack[-1] if stack else None))
    return found


def reserved(html: str) -> str:
    """The page, with a height written to each element that is laid out late.

    Examples
    --------
    >>> reserved('<section><div class="cell"><pre>a\\nb\\n</pre></div></section>')
    '<section><div style="--high:100px" class="cell"><pre>a\\nb\\n</pre></div></section>'
    """
    made, last = [], 0
    for at, height in sorted(heights(html).items()):
        made += [html[last:at], f' style="--high:{height}px"']
        last = at
    return "".join([*made, html[last:]])
