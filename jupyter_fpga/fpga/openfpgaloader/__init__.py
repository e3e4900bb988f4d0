"""openFPGALoader, the program that writes bitstreams: finding it, calling it within bounds, and what its words mean."""

from .call import Outcome, Walls, call
from .failures import explain
from .tool import Tool, ToolUnusable, find_tools

__all__ = ("Outcome", "Tool", "ToolUnusable", "Walls", "call", "explain", "find_tools")
