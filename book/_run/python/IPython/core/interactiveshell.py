"""What IPython's `display` asks of a shell: formatting a value, and handing the result to the page."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import Any

METHODS = {
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "image/svg+xml": "_repr_svg_",
    "image/png": "_repr_png_",
    "image/jpeg": "_repr_jpeg_",
    "text/latex": "_repr_latex_",
    "application/json": "_repr_json_",
    "application/javascript": "_repr_javascript_",
}


def _data_and_metadata(answer: Any) -> tuple[Any, dict]:
    return answer if isinstance(answer, tuple) else (answer, {})


class DisplayFormatter:
    """A value as a bundle of MIME types, as IPython's formatter makes it."""

    def format(self, obj: object, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
        from IPython.lib.pretty import _type_pprinters as pretty_printers
        from IPython.lib.pretty import pretty

        data, metadata = {"text/plain": pretty(obj)}, {}
        if self._is_figure(obj):
            return {"image/svg+xml": svg_of(obj), **data}, {}
        for mime, name in METHODS.items():
            method = None if isinstance(obj, type) else getattr(obj, name, None)
            found, about = _data_and_metadata(self._called(method)) if callable(method) else (None, {})
            if found is not None:
                data[mime] = found
                if about:
                    metadata[mime] = about
        bundle = None if isinstance(obj, type) else getattr(obj, "_repr_mimebundle_", None)
        if callable(bundle):
            found, about = _data_and_metadata(self._called(bundle, include=include, exclude=exclude))
            # As IPython has it: a way of printing registered for a type (exceptions) goes before an object's own text.
            registered = any(each in pretty_printers for each in type(obj).__mro__)
            data |= {mime: each for mime, each in (found or {}).items() if mime != "text/plain" or not registered}
            metadata |= about or {}
        kept = {mime: each for mime, each in data.items() if mime in (include or data) and mime not in (exclude or ())}
        return kept, {mime: each for mime, each in metadata.items() if mime in kept}

    @staticmethod
    def _called(method: Callable, **arguments: Any) -> Any:
        """A method that does not want to show a value says so, and one that fails is reported, as in a notebook."""
        try:
            return method(**arguments)
        except NotImplementedError:
            return None
        except Exception:
            traceback.print_exc()
            return None

    @staticmethod
    def _is_figure(obj: object) -> bool:
        figure = sys.modules.get("matplotlib.figure")
        return figure is not None and isinstance(obj, figure.Figure)


def svg_of(figure: Any) -> str:
    """A figure of Matplotlib as text."""
    import io

    target = io.StringIO()
    figure.savefig(target, format="svg", metadata={"Date": None})
    text = target.getvalue()
    return text[text.index("<svg") :]


class DisplayPublisher:
    """Hands outputs to whoever listens."""

    def __init__(self) -> None:
        self.send: Callable[[dict], None] = lambda output: None

    def publish(self, data: dict, metadata: dict | None = None, **options: Any) -> None:
        identity = (options.get("transient") or {}).get("display_id")
        output = {
            "output_type": "display_data",
            "data": data,
            "metadata": metadata or {},
        }
        if identity:
            output |= {"display_id": identity, "update": bool(options.get("update"))}
        self.send(output)

    def clear_output(self, wait: bool = False) -> None:
        self.send({"output_type": "clear", "wait": wait})


class Events:
    """Matplotlib asks to be told of every cell's end; figures left open are shown then by the page itself."""

    def register(self, event: str, function: Callable) -> None:
        pass

    def unregister(self, event: str, function: Callable) -> None:
        pass


class InteractiveShell:
    """The one shell of a page."""

    _shell: InteractiveShell | None = None

    def __init__(self) -> None:
        self.display_formatter = DisplayFormatter()
        self.display_pub = DisplayPublisher()
        self.events = Events()
        self.user_ns: dict[str, Any] = {}

    @classmethod
    def instance(cls) -> InteractiveShell:
        if cls._shell is None:
            cls._shell = cls()
        return cls._shell

    @classmethod
    def initialized(cls) -> bool:
        return cls._shell is not None


def get_ipython() -> InteractiveShell | None:
    return InteractiveShell._shell
