"""``solution-start`` … ``solution-end``: a directive cannot hold cells, so two marks enclose them."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from backprop.sphinxext.markup import element

logger = logging.getLogger(__name__)

GATES = {"solution": "Solution", "answer": "Compare with the answer"}


class Gate(nodes.General, nodes.Element):
    """Where a gate opens; removed by :class:`FoldGates`."""


class GateEnd(nodes.General, nodes.Element):
    """Where it ends."""


class FoldGates(SphinxTransform):
    """Put the siblings between a gate and its end into a closed ``<details>``."""

    default_priority = 200

    def apply(self, **kwargs: object) -> None:
        for gate in list(self.document.findall(Gate)):
            self.fold(gate)
        for stray in list(self.document.findall(GateEnd)):
            self.complain(stray, f"{stray['kind']}-end without {stray['kind']}-start before it, in the same section")

    def fold(self, gate: Gate) -> None:
        parent, start = gate.parent, gate.parent.index(gate)
        end = next(
            (
                n
                for n in range(start, len(parent))
                if isinstance(parent[n], GateEnd) and parent[n]["kind"] == gate["kind"]
            ),
            None,
        )
        if end is None:
            self.complain(gate, f"{gate['kind']}-start without {gate['kind']}-end after it, in the same section")
            return
        held = parent[start + 1 : end]
        content = element("div", *held, classes="reveal-content")
        folded = element("details", element("summary", gate["label"]), content, classes=f"reveal {gate['kind']}")
        parent[start : end + 1] = [folded]

    def complain(self, node: nodes.Element, message: str) -> None:
        logger.warning("%s", message, location=node, type="backprop", subtype="gate")
        node.parent.remove(node)


def setup(app: Sphinx) -> None:
    app.add_node(Gate)
    app.add_node(GateEnd)
    app.add_transform(FoldGates)
