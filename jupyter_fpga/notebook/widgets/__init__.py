"""Views that are alive in a notebook, and stay as pictures and text when it is saved.

Each view has its browser side in TypeScript (``labextension/src/widgets``), built into one ES module in ``static/``.
"""

from .registers import RegisterPanel

__all__ = ("RegisterPanel",)
