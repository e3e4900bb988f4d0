"""A JupyterLab as a person starts it, with the lab in it, and a real browser in front."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from .notebooks import PATIENCE, TOKEN

NOTEBOOKS = Path(__file__).parent.parent.parent / "notebooks"
#: What keeps Chromium from calling home at its start.
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The system's Chromium."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("Chromium is not installed; `apt install chromium` brings it.")
    return found


def _copy_without_outputs(folder: Path) -> None:
    """Copies of the notebooks in which every output that is seen has come out just now."""
    folder.mkdir()
    for path in NOTEBOOKS.glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(notebook, folder / path.name)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that JupyterLab serves: a copy of the notebooks."""
    folder = tmp_path_factory.mktemp("jupyterlab") / "work"
    _copy_without_outputs(folder)
    return folder


@pytest.fixture(scope="module")
def jupyterlab(work: Path) -> Iterator[str]:
    """The address of a JupyterLab that serves the folder; stopped in order at the end."""
    folder = work.parent
    foreign = ("JUPYTER_FPGA_", "JPY_PARENT_PID", "JUPYTERHUB_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    for kind in ("RUNTIME", "DATA", "CONFIG"):
        environment[f"JUPYTER_{kind}_DIR"] = str(folder / kind.lower())
    environment |= {"IPYTHONDIR": str(folder / "ipython"), "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings")}
    environment["JUPYTERLAB_WORKSPACES_DIR"] = str(folder / "workspaces")
    # JupyterLab asks newcomers whether they want its news, and would ask its makers for them.
    notification = folder / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    notification.parent.mkdir(parents=True)
    notification.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--port=0", "--allow-root"),
        *(f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={work}", "--JupyterFpga.boards=3"),
    ]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    try:
        # Its record in the runtime folder is written only after this line.
        told = (re.search(r"http://127\.0\.0\.1:\d+/", line) for line in server.stderr)
        address = next((match[0] for match in told if match), None)
        assert address is not None, "JupyterLab ended before it was ready."
        # Whoever stops to read what a process writes stops the process sooner or later.
        drain = subprocess.Popen(["cat"], stdin=server.stderr, stdout=subprocess.DEVNULL)
        yield address
    finally:
        server.terminate()
        server.wait()
        server.stderr.close()
    drain.wait()


# Not for the whole session: while Playwright's own event loop runs, tests of coroutines can't.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", *QUIET])
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser, jupyterlab: str) -> Iterator[Page]:
    """A page that is signed in; any error that the browser's console shows from the lab's front end fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, device_scale_factor=1.5)
    page = context.new_page()
    # A busy machine takes its time, and the lab compiles its base meanwhile.
    page.set_default_timeout(PATIENCE)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"{jupyterlab}lab?token={TOKEN}&reset")
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    yield page
    _give_back(page, jupyterlab)
    context.close()
    assert problems == []


def _give_back(page: Page, jupyterlab: str) -> None:
    """Nothing of what a test holds is in the next one's way."""
    headers = {"Authorization": f"token {TOKEN}"}
    for board in page.request.get(f"{jupyterlab}jupyter-fpga/fpga", headers=headers).json():
        if board["session"] is not None:
            page.request.post(f"{jupyterlab}jupyter-fpga/fpga/{board['fpga_id']}/reset", headers=headers)
