"""The views around a session in a notebook: live while their kernel is there, as they were when it is not."""

import re

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import PATIENCE, TOKEN

#: The smallest view: tells which of its forms is shown.
PROBE = """
from jupyter_fpga.notebook.widgets._view import View


class Probe(View):
    _esm = "export default { render({ el }) { el.textContent = 'It is alive.'; } };"

    def text(self):
        return "It was."

    def html(self):
        return "<p>It was.</p>"


Probe()
"""


@pytest.fixture
def open_notebook(page: Page, jupyterlab: str):
    """Open a notebook with these cells."""

    def opening(name: str, *cells: str) -> Locator:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text.strip()) for text in cells])
        for number, cell in enumerate(notebook.cells):
            cell["id"] = f"cell{number}"
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
        address = f"{jupyterlab}api/contents/{name}"
        body = {"type": "notebook", "content": notebook}
        answer = page.request.put(address, data=body, headers={"Authorization": f"token {TOKEN}"})
        assert answer.ok, answer.text()
        page.goto(f"{jupyterlab}lab/tree/{name}?reset")
        page.wait_for_selector("#jupyterlab-splash", state="detached")
        return wait_for_kernel(page)

    return opening


def wait_for_kernel(page: Page) -> Locator:
    """The notebook's code cells, once its kernel is connected: cells that are run before may be dropped."""
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    expect(page.get_by_role("button", name="Python 3 (ipykernel) | Idle")).to_be_visible(timeout=PATIENCE)
    return page.locator(".jp-Notebook .jp-CodeCell")


def menu(page: Page, bar: str, item: str) -> None:
    page.locator(".lm-MenuBar-itemLabel", has_text=bar).first.click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{item}…?$")).click()


def restart(page: Page) -> None:
    menu(page, "Kernel", "Restart Kernel")
    page.get_by_role("button", name="Confirm Kernel Restart").click()


def test_a_view_is_live_with_its_kernel_and_static_without(page: Page, open_notebook) -> None:
    cells = open_notebook("probe.ipynb", PROBE)
    output = cells.first.locator(".jp-OutputArea-output")
    alive, was = output.get_by_text("It is alive."), output.get_by_text("It was.")
    menu(page, "Run", "Run All Cells")
    expect(alive).to_be_visible()
    expect(was).to_be_hidden()
    restart(page)
    expect(was).to_be_visible()
    expect(alive).to_be_hidden()
    wait_for_kernel(page)
    menu(page, "Run", "Run All Cells")
    expect(alive).to_be_visible()
    page.keyboard.press("Control+s")
    # The page comes again while the kernel goes on: the view is live again.
    page.reload()
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    wait_for_kernel(page)
    expect(alive).to_be_visible()
    expect(was).to_be_hidden()
    menu(page, "Kernel", "Shut Down Kernel")
    expect(was).to_be_visible()
    expect(alive).to_be_hidden()
    expect(output.get_by_text("Error")).to_have_count(0)
