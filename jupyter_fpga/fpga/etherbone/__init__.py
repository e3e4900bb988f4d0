"""Etherbone to a board: LiteX's own tools beside the lab's, over the same link."""

from .path import EtherbonePath, open_path, open_port

__all__ = ("EtherbonePath", "open_path", "open_port")
