"""Run notebooks and keep what comes out: ``python -m tests.notebooks.saving 01_first_light …``, all without a name.

They run in the lab that a notebook would find: the one of whoever calls this, or one that is started.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

FOLDER = Path(__file__).parents[2] / "notebooks"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
#: Names a widget in a kernel that has ended by then.
WIDGET = "application/vnd.jupyter.widget-view+json"


def tidy(notebook: NotebookNode, number: str) -> None:
    """Leave out what is of this run only, and name the cells by their place."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for place, cell in enumerate(notebook.cells):
        cell.id = f"{number}-{place:02}"
        cell.metadata = nbformat.from_dict({"tags": cell.metadata.tags} if "tags" in cell.metadata else {})
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)


def save(path: Path) -> None:
    """Run one, and write it with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=600, store_widget_state=False, resources={"metadata": {"path": FOLDER}})
    client.execute()
    tidy(notebook, path.name[:2])
    nbformat.write(notebook, path)


def main(names: Sequence[str]) -> None:
    """Save those named, or all."""
    for path in sorted(FOLDER.glob("*.ipynb")):
        if not names or path.stem in names:
            print(path.name)
            save(path)


if __name__ == "__main__":
    main(sys.argv[1:])
