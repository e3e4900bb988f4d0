"""A lab that two people share, each with a JupyterLab of their own: who holds what, and what a restart of it leaves."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from jupyter_fpga.client import StartedLab, start_lab

from .api import Api
from .conftest import JupyterLab, opened
from .notebooks import DIMMER, findings, new_notebook, run_cell

KEYS = {"ada": "ada-0123456789abcdef", "olga": "olga-0123456789abcdef"}
ROLES = {"ada": ["student"], "olga": ["operator"]}


class SharedLab:
    """A lab as a process of its own, which is there again where it was after an end."""

    def __init__(self, folder: Path) -> None:
        keys = folder / "keys.json"
        keys.touch(mode=0o600)
        people = [{"name": name, "key": key, "roles": ROLES[name]} for name, key in KEYS.items()]
        keys.write_text(json.dumps({"keys": people}))
        self._arguments = (f"--data-dir={folder / 'data'}", "--boards=2", f"--keys={keys}", "--idle-exit=3600")
        self._environment = {**os.environ, "JUPYTER_RUNTIME_DIR": str(folder / "runtime")}
        self._started = self._start(0)

    @property
    def url(self) -> str:
        return self._started.url

    def _start(self, port: int) -> StartedLab:
        return start_lab((*self._arguments, f"--port={port}"), environment=self._environment)

    def start(self) -> None:
        self._started = self._start(int(self.url.split(":")[2].partition("/")[0]))

    def kill(self) -> None:
        """End it as a power cut of the machine that only it runs on would: its boards go on."""
        self._started.process.kill()
        self._started.process.wait()

    def stop(self) -> None:
        """End it in order, which takes the boards down that are simulated."""
        self._started.process.terminate()
        assert self._started.process.wait() == 0


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedLab]:
    lab = SharedLab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.stop()


@contextmanager
def _jupyterlab(folder: Path, lab: SharedLab, person: str) -> Iterator[str]:
    work = folder / "work"
    work.mkdir()
    server = JupyterLab(work, (f"--JupyterFpga.lab_url={lab.url}", f"--JupyterFpga.lab_token={KEYS[person]}"))
    server.start()
    try:
        yield server.address
    finally:
        server.stop()


@pytest.fixture(scope="module")
def adas(tmp_path_factory: pytest.TempPathFactory, lab: SharedLab) -> Iterator[str]:
    """The address of a student's JupyterLab."""
    with _jupyterlab(tmp_path_factory.mktemp("ada"), lab, "ada") as address:
        yield address


@pytest.fixture(scope="module")
def olgas(tmp_path_factory: pytest.TempPathFactory, lab: SharedLab) -> Iterator[str]:
    """The address of an operator's JupyterLab."""
    with _jupyterlab(tmp_path_factory.mktemp("olga"), lab, "olga") as address:
        yield address


@pytest.fixture
def ada(browser: Browser, adas: str) -> Iterator[Page]:
    with opened(browser, adas) as (page, problems):
        yield page
        Api(page, adas).give_back()
    assert problems == []


@pytest.fixture
def olga(browser: Browser, olgas: str) -> Iterator[Page]:
    with opened(browser, olgas) as (page, problems):
        yield page
    assert problems == []


def _boards(page: Page) -> Locator:
    page.get_by_role("tab", name="FPGA boards").click()
    rows = page.locator("#jupyter-fpga-boards").get_by_role("grid", name="Boards").get_by_role("row")
    expect(rows).to_have_count(2)
    return rows


def _toast(page: Page, text: str) -> Locator:
    return page.locator(".Toastify__toast", has_text=text)


def test_an_operator_takes_a_board_back(ada: Page, adas: str, olga: Page) -> None:
    api = Api(ada, adas)
    api.finish(api.submit(1))
    mine, theirs = _boards(ada).first, _boards(olga).first
    expect(mine).to_contain_text("in use")
    expect(theirs).to_contain_text("ada")
    # From the row into its buttons, without a mouse.
    theirs.focus()
    olga.keyboard.press("ArrowRight")
    button = theirs.get_by_role("button", name="Take back board 0 from ada")
    expect(button).to_be_focused()
    expect(button).to_have_text("Take back")
    olga.keyboard.press("Enter")
    dialog = olga.get_by_role("dialog")
    expect(dialog).to_contain_text("Take board 0 back from ada?")
    expect(dialog).to_contain_text("Their session ends at once")
    assert findings(olga, ".jp-Dialog") == []
    # Enter alone does nothing.
    olga.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(theirs).to_contain_text("in use")
    theirs.hover()
    button.click()
    dialog.get_by_role("button", name="Take Back").click()
    expect(_toast(ada, "An operator has taken board 0 from you.")).to_be_visible()
    expect(theirs).to_contain_text("free")
    expect(mine).to_contain_text("free")


def test_who_is_no_operator_takes_nothing(ada: Page, olga: Page, olgas: str) -> None:
    api = Api(olga, olgas)
    api.finish(api.submit(1))
    row = _boards(ada).first
    expect(row).to_contain_text("olga")
    row.hover()
    expect(row.get_by_role("button")).to_have_count(0)
    row.click(button="right")
    expect(ada.locator(".lm-Menu-item:visible", has_text="Use in Notebook")).to_be_visible()
    expect(ada.locator(".lm-Menu-item:visible", has_text="Take Back")).to_have_count(0)
    ada.keyboard.press("Escape")
    ada.keyboard.press("Control+Alt+d")
    tiles = ada.locator(".jp-FpgaDashboard li")
    expect(tiles).to_have_count(2)
    expect(tiles.get_by_role("button")).to_have_count(0)
    api.give_back()


def test_an_operator_takes_a_board_out_of_service_and_returns_it(ada: Page, olga: Page) -> None:
    row = _boards(ada).nth(1)
    olga.locator(".jp-LauncherCard", has_text="FPGA Dashboard").click()
    button = olga.get_by_role("button", name="What to do with board 1")
    button.focus()
    olga.keyboard.press("Enter")
    olga.locator(".lm-Menu-item", has_text="Take Out of Service").click()
    olga.get_by_role("dialog").get_by_role("textbox").fill("Its LED is loose.")
    olga.keyboard.press("Enter")
    expect(row).to_contain_text("out of order")
    expect(row.locator(".jp-FpgaRows-more")).to_have_attribute("title", "Its LED is loose.")
    assert findings(olga, ".jp-FpgaDashboard") == []
    button.click()
    olga.locator(".lm-Menu-item", has_text="Return to Service").click()
    expect(row).to_contain_text("free")


LOST = "what was in its registers is lost"


@pytest.fixture
def panel(ada: Page) -> Locator:
    """A register panel in a notebook, live."""
    new_notebook(ada)
    run_cell(ada, "%load_ext jupyter_fpga")
    expect(run_cell(ada, DIMMER)).to_contain_text("runs on a board.")
    panel = run_cell(ada, "pwm.regs").get_by_role("region", name="Registers of pwm")
    expect(panel.get_by_role("status")).to_have_text("board 0, held by you")
    return panel


def test_a_restart_of_the_lab_that_loses_registers_is_told_and_another_is_not(
    ada: Page, lab: SharedLab, panel: Locator
) -> None:
    status, slider = panel.get_by_role("status"), panel.get_by_role("slider", name="duty, slider")
    value = panel.get_by_role("row", name="duty").locator(".fpga-value")
    slider.fill("77")
    expect(value).to_have_text("77 (0x4d)")
    # Simulated boards outlive a lab that is killed.
    lab.kill()
    expect(panel).to_have_attribute("data-standing", "lost")
    lab.start()
    expect(status).to_have_text("board 0, held by you")
    slider.fill("78")
    expect(value).to_have_text("78 (0x4e)")
    expect(status).to_have_text("board 0, held by you")
    # And are taken down by one that is stopped.
    lab.stop()
    expect(panel).to_have_attribute("data-standing", "lost")
    lab.start()
    expect(status).to_have_text(
        "board 0, held by you. The lab was restarted and had to program it again: what was in its registers is lost."
    )
    expect(value).to_have_text("0 (0x00)")
    # Once, though the lab came back twice.
    expect(_toast(ada, LOST)).to_have_count(1)
    slider.fill("5")
    expect(value).to_have_text("5 (0x05)")
    expect(status).to_have_text("board 0, held by you")
