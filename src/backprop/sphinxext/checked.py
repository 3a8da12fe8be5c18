"""MyST-NB's way in: a checked output in a notebook is validated and drawn; a malformed one stops a strict build."""

from __future__ import annotations

import json

from docutils import nodes
from myst_nb.core.render import MimeData, MimeRenderPlugin, NbElementRenderer
from sphinx.util import logging

from backprop.sphinxext import derivations, outcomes, refusals
from backprop.sphinxext.drawing import Place
from backprop.sphinxext.markup import UnbalancedMath
from backprop.sphinxext.records import FORMS, PREFIX, SUFFIX, BadRecord, kind_of, validated

logger = logging.getLogger(__name__)

DRAWN = {
    "derivation": derivations.derivation,
    "refusal": refusals.refusal,
    "check": outcomes.check,
    "claim": outcomes.claim,
    "summary": outcomes.summary,
    "table": outcomes.table,
    "feedback": outcomes.feedback,
}


class CheckedOutputRenderer(MimeRenderPlugin):
    """The entry point ``myst_nb.mime_renderers``: our records win over the LaTeX and text that travel along."""

    mime_priority_overrides = [("*", f"{PREFIX}{kind}{SUFFIX}", 1) for kind in FORMS]  # noqa: RUF012 (MyST-NB's form)

    @staticmethod
    def handle_mime(renderer: NbElementRenderer, data: MimeData, inline: bool) -> list[nodes.Element] | None:
        if data.mime_type == "image/svg+xml":
            return with_alternative(renderer, data)
        kind, env = kind_of(data.mime_type), renderer.renderer.sphinx_env
        if kind is None or env is None:
            return None
        place = Place(env, data.line)
        try:
            record = json.loads(data.content) if isinstance(data.content, (str, bytes)) else data.content
            sound = validated(kind, record)
            return [DRAWN[kind](place, sound)]
        except (BadRecord, UnbalancedMath, json.JSONDecodeError) as error:
            message = "a checked output is malformed: %s"
            logger.warning(message, error, location=place.location, type="backprop", subtype="record")
            return [nodes.literal_block(str(error), str(error), classes=["record-error"])]


def with_alternative(renderer: NbElementRenderer, data: MimeData) -> list[nodes.Element]:
    """A figure with the words given to `backprop.plotting.show`: MyST-NB itself reads only those of the cell."""
    images = renderer.render_image(data)
    alternative = data.output_metadata.get(data.mime_type, {}).get("alt")
    for image in images:
        # The theme dims pictures in the dark. Ours are drawn for both grounds, and would lose their contrast.
        image["classes"].append("dark-light")
        if alternative:
            image["alt"] = alternative
    return images
