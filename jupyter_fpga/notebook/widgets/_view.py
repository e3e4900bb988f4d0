"""What all views have in common."""

from pathlib import Path
from typing import Any

import anywidget

__all__ = ("STATIC", "View")

STATIC = Path(__file__).parent / "static"
"""Where the browser's sides are, one ES module each."""

#: Tells the lab's front end that the output is a view of ours, whose HTML is to be shown when the view itself can't be:
#: in a notebook that was opened again, there is no model behind it. It says nothing else, so that it is always the same.
VIEW_TYPE = "application/vnd.jupyter-fpga.view+json"


class View(anywidget.AnyWidget):
    """A widget that has a static form: HTML and text that tell the same, and are the same for the same state.

    Subclasses set ``_esm`` to a file of :data:`STATIC`, and say what they show in :meth:`text` and :meth:`html`.
    """

    def text(self) -> str:
        """What is shown, as plain text."""
        raise NotImplementedError

    def html(self) -> str:
        """What is shown, as static HTML."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        bundle = super()._repr_mimebundle_(**options)
        if bundle is None:  # a view that was closed
            return {"text/plain": self.text(), "text/html": self.html()}, {}
        data, metadata = bundle
        return {**data, "text/plain": self.text(), "text/html": self.html(), VIEW_TYPE: {}}, metadata
