"""A JupyterLab as a person starts it, with the lab in it, and a real browser in front."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from .notebooks import PATIENCE, TOKEN

NOTEBOOKS = Path(__file__).parent.parent.parent / "notebooks"
#: What keeps Chromium from calling home at its start.
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")


# Playwright's own five seconds are short on a machine that also builds something.
expect.set_options(timeout=PATIENCE)


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


class JupyterLab:
    """A JupyterLab that serves a folder, and can be killed and started again where it was."""

    def __init__(self, work: Path, options: tuple[str, ...]) -> None:
        self.address = ""
        self._folder = folder = work.parent
        self._options = options
        self._work = work
        # JupyterLab asks newcomers whether they want its news, and would ask its makers for them.
        notification = folder / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
        notification.parent.mkdir(parents=True)
        notification.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))

    def _environment(self) -> dict[str, str]:
        foreign = ("JUPYTER_FPGA_", "JPY_PARENT_PID", "JUPYTERHUB_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        # A person's name on a machine of their own; pictures show the same whoever makes them.
        environment["LOGNAME"] = "ada"
        for kind in ("RUNTIME", "DATA", "CONFIG"):
            environment[f"JUPYTER_{kind}_DIR"] = str(self._folder / kind.lower())
        environment["IPYTHONDIR"] = str(self._folder / "ipython")
        for kind in ("SETTINGS", "WORKSPACES"):
            environment[f"JUPYTERLAB_{kind}_DIR"] = str(self._folder / kind.lower())
        return environment

    def start(self) -> None:
        """Start it, and wait until it is there; on the port that it had, if it had one."""
        port = self.address.rstrip("/").rpartition(":")[2] or "0"
        command = [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={port}", "--allow-root"),
            *("--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"),
            *(f"--ServerApp.root_dir={self._work}", *self._options),
        ]
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env=self._environment(), stdout=log, stderr=subprocess.PIPE, text=True
            )
        assert self._process.stderr is not None
        # Its record in the runtime folder is written only after this line.
        told = (re.search(r"http://127\.0\.0\.1:\d+/", line) for line in self._process.stderr)
        address = next((match[0] for match in told if match), None)
        if address is None:
            self._process.wait()
            raise AssertionError("JupyterLab ended before it was ready.")
        self.address = address
        # Whoever stops to read what a process writes stops the process sooner or later.
        self._drain = subprocess.Popen(["cat"], stdin=self._process.stderr, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._wait()

    def stop(self) -> None:
        """End it in order."""
        self._process.terminate()
        self._wait()

    def _wait(self) -> None:
        self._process.wait()
        assert self._process.stderr is not None
        self._process.stderr.close()
        self._drain.wait()


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that JupyterLab will serve: a copy of the notebooks, to which a module may add."""
    folder = tmp_path_factory.mktemp("jupyterlab") / "work"
    _copy_without_outputs(folder)
    return folder


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, work: Path) -> Iterator[JupyterLab]:
    """A JupyterLab for the module's tests, with the options that it names; stopped in order at the end."""
    options = getattr(request.module, "OPTIONS", ("--JupyterFpga.boards=3",))
    lab = JupyterLab(work, options)
    lab.start()
    try:
        yield lab
    finally:
        lab.stop()


@pytest.fixture(scope="module")
def jupyterlab(server: JupyterLab) -> str:
    """The address of that JupyterLab."""
    return server.address


# Not for the whole session: while Playwright's own event loop runs, tests of coroutines can't.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", *QUIET])
        yield running
        running.close()


@contextmanager
def opened(browser: Browser, jupyterlab: str) -> Iterator[tuple[Page, list[str]]]:
    """A JupyterLab in a browser of its own, signed in; and what the page's scripts didn't catch, as it comes."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, device_scale_factor=1.5)
    page = context.new_page()
    # A busy machine takes its time, and the lab compiles its base meanwhile.
    page.set_default_timeout(PATIENCE)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"{jupyterlab}lab?token={TOKEN}&reset")
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    yield page, problems
    context.close()


@pytest.fixture
def page(browser: Browser, jupyterlab: str) -> Iterator[Page]:
    """A page that is signed in; any error that the browser's console shows from the lab's front end fails the test."""
    with opened(browser, jupyterlab) as (page, problems):
        yield page
        _give_back(page, jupyterlab)
    assert problems == []


@pytest.fixture
def orphan(browser: Browser, jupyterlab: str) -> Iterator[Page]:
    """A page whose server will go away, of which JupyterLab's own parts may complain."""
    with opened(browser, jupyterlab) as (page, _):
        yield page


def _give_back(page: Page, jupyterlab: str) -> None:
    """Nothing of what a test holds is in the next one's way."""
    headers = {"Authorization": f"token {TOKEN}"}
    for board in page.request.get(f"{jupyterlab}jupyter-fpga/fpga", headers=headers).json():
        if board["session"] is not None:
            page.request.post(f"{jupyterlab}jupyter-fpga/fpga/{board['fpga_id']}/reset", headers=headers)
