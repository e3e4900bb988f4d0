"""What all views have in common."""

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from jupyter_fpga.client.jobs import Lab

from ._relay import Relay

__all__ = ("STATIC", "View")

STATIC = Path(__file__).parent / "static"
"""Where the browser's sides are, one ES module each."""

#: Tells the lab's front end that the output is a view of ours, whose HTML is to be shown when the view itself can't
#: be: in a notebook that was opened again there is no model behind it. It says nothing else: it is always the same.
VIEW_TYPE = "application/vnd.jupyter-fpga.view+json"


class View(anywidget.AnyWidget):
    """A widget that has a static form: HTML and text that tell the same, and are the same for the same state.

    Subclasses set ``_esm`` to a file of :data:`STATIC`, and say what they show in :meth:`text` and :meth:`html`.

    Parameters
    ----------
    lab
        The lab that the view is about. Its browser side goes there by itself if it can, else through the kernel.
        ``None``: it needs none.
    traits
        Values of the widget's traits.
    """

    #: Whether the page may reach the lab below its own server's address.
    served = traitlets.Bool().tag(sync=True)

    def __init__(self, lab: Lab | None = None, **traits: Any) -> None:
        self._relay = None if lab is None else Relay(lab.door, self.send)
        super().__init__(served=lab is not None and lab.served, **traits)
        self.on_msg(self._on_message)

    def text(self) -> str:
        """What is shown, as plain text."""
        raise NotImplementedError

    def html(self) -> str:
        """What is shown, as static HTML."""
        raise NotImplementedError

    def received(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        """Take a message of the browser's side that isn't meant for the lab."""

    def _on_message(self, _: Any, message: dict[str, Any], buffers: list[Any]) -> None:
        if self._relay is not None and "relay" in message:
            self._relay.take(message, buffers)
        else:
            self.received(message, buffers)

    def close(self) -> None:
        """Take the view away, and what its browser sides had open."""
        if self._relay is not None:
            self._relay.close()
        super().close()

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        # All that is asked for of a widget that was closed.
        return self.html()

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**options) or ({}, {})
        return {**data, "text/plain": self.text(), "text/html": self.html(), VIEW_TYPE: {}}, metadata
