"""What the notebooks have for whoever works through them: an exercise, its self-check, a solution."""

import re

from nbformat import NotebookNode

#: A solution as it is written: hidden until somebody opens it.
_SOLUTION = re.compile(
    r"<details><summary>A solution</summary>\n\n```(?:python|verilog)\n(?P<text>.*?)\n```\n\n(?:[^<]*\n\n)?</details>",
    re.DOTALL,
)


def tagged(notebook: NotebookNode, tag: str) -> NotebookNode:
    """The one cell that has ``tag``."""
    (found,) = (cell for cell in notebook.cells if tag in cell.metadata.get("tags", []))
    return found


def solution(notebook: NotebookNode) -> str:
    """The text of the one solution."""
    cell = tagged(notebook, "solution")
    written = _SOLUTION.fullmatch(cell.source)
    assert cell.cell_type == "markdown"
    assert written is not None, cell.source
    return written["text"]


def verdict(notebook: NotebookNode) -> str:
    """What the self-check said."""
    (output,) = tagged(notebook, "self-check").outputs
    return str(output.text)
