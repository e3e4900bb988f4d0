"""The panels in JupyterLab: boards, sessions and jobs, the status bar, logs, the dashboard.

With ``MAKE_PICTURES=1`` the documentation's pictures of them are made on the way.
"""

import os
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from .api import Api
from .notebooks import IMAGES, findings, use_theme

#: A session's end is near from its beginning, and further away once it is renewed.
OPTIONS = ("--JupyterFpga.boards=4", "--JupyterFpga.session_ttl=295", "--JupyterFpga.max_renew=3600")


@pytest.fixture
def api(page: Page, jupyterlab: str) -> Iterator[Api]:
    """The API; boards that are held in the end are given back."""
    api = Api(page, jupyterlab)
    yield api
    api.give_back()


def _sidebar(page: Page) -> Locator:
    page.get_by_role("tab", name="FPGA boards").click()
    panel = page.locator("#jupyter-fpga-boards")
    # The first start compiles the base of the boards.
    expect(panel.locator(".jp-FpgaPanel-status")).to_have_text("4 of 4 boards free")
    return panel


def _rows(panel: Locator, grid: str) -> Locator:
    return panel.get_by_role("grid", name=grid).get_by_role("row")


def test_a_board_is_picked_and_released_by_keyboard_alone(page: Page, api: Api) -> None:
    panel = _sidebar(page)
    page.get_by_role("tab", name="File Browser").first.click()
    page.keyboard.press("Control+Alt+b")
    rows = _rows(panel, "Boards")
    expect(rows.first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    # No notebook is open: one is made that asks for this board.
    page.keyboard.press("Enter")
    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(4)
    expect(page.locator(".jp-Notebook .jp-CodeCell").nth(1)).to_contain_text("%%fpga --board 1 --name pwm")
    expect(page.get_by_role("button", name="Python 3 (ipykernel) | Idle")).to_be_visible()
    for _ in range(4):
        page.keyboard.press("Shift+Enter")
    expect(rows.nth(1)).to_contain_text("in use")
    expect(page.get_by_role("region", name="Registers of pwm")).to_contain_text("duty")
    # Its cell asks for another board as soon as that is picked.
    page.keyboard.press("Escape")
    for _ in range(4):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Control+Alt+b")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".jp-Notebook .jp-CodeCell").nth(1)).to_contain_text("%%fpga --board 2 --name pwm")
    page.keyboard.press("Control+Alt+b")
    page.keyboard.press("ArrowUp")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("Delete")
    expect(rows.nth(1)).to_contain_text("free")
    expect(panel.locator(".jp-FpgaPanel-status")).to_have_text("4 of 4 boards free")


def test_the_end_of_a_session_is_told_and_put_off(page: Page, api: Api) -> None:
    panel = _sidebar(page)
    item = page.locator(".jp-FpgaStatus")
    expect(item).to_be_hidden()
    api.finish(api.submit(1))
    expect(item).to_contain_text(re.compile(r"Board 0 · [34]:"))
    toast = page.locator(".Toastify__toast", has_text=re.compile(r"Your session on board 0 ends in [34]:"))
    expect(toast).to_be_visible()
    # Not said again after a reload.
    page.reload()
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    expect(item).to_contain_text(re.compile(r"Board 0 · [34]:"))
    expect(toast).to_be_hidden()
    item.click()
    dialog = page.get_by_role("dialog", name="My boards")
    expect(dialog.get_by_role("button", name="Renew the session on board 0")).to_be_focused()
    page.keyboard.press("Enter")
    expect(item).to_have_text("Board 0 · 59 min")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(item).to_be_hidden()
    expect(_rows(panel, "My sessions")).to_have_count(0)


def test_renew_in_the_toast_takes_it_back(page: Page, api: Api) -> None:
    _sidebar(page)
    api.finish(api.submit(1))
    toast = page.locator(".Toastify__toast", has_text=re.compile(r"ends in [34]:"))
    toast.get_by_role("button", name="Renew").click()
    expect(page.locator(".jp-FpgaStatus")).to_contain_text("59 min")
    expect(toast).to_be_hidden()


def test_a_log_streams_while_its_build_runs(page: Page, api: Api) -> None:
    panel = _sidebar(page)
    # No such design was built before.
    job_id = api.submit(uuid.uuid4().int % (1 << 30))
    row = _rows(panel, "My jobs").first
    expect(row).to_contain_text("Build for any board")
    row.click()
    page.keyboard.press("Enter")
    log = page.get_by_role("log", name=f"Log of job {job_id}")
    expect(log).to_be_focused()
    # What was seen: how many lines there were, and how far the job was then.
    page.evaluate(
        """() => {
            const panel = document.querySelector('.jp-FpgaLogPanel');
            window.seen = [];
            const look = () => window.seen.push(
                [panel.querySelectorAll('.jp-FpgaLog-seen > div').length, panel.dataset.status]);
            new MutationObserver(look).observe(panel, {childList: true, subtree: true, attributes: true});
        }"""
    )
    expect(log).to_contain_text("runs it: jupyter_fpga simulated")
    expect(page.locator(".jp-FpgaLogPanel[data-status=complete]")).to_be_visible()
    seen = page.evaluate("window.seen")
    assert any(lines > 0 and status == "running" for lines, status in seen), seen
    page.get_by_role("searchbox", name="Search the log").fill("compile")
    expect(page.locator(".jp-FpgaLog output")).to_have_text("1 of 1 line")
    expect(page.locator(".jp-FpgaLog mark")).to_have_text("compile")
    # One looks at the log and not at a notebook: it is told that the design runs.
    expect(page.locator(".Toastify__toast", has_text="runs your design.")).to_be_visible()
    for theme in ("Light", "Dark") if os.environ.get("MAKE_PICTURES") else ():
        use_theme(page, theme)
        expect(page.locator(".Toastify--animate")).to_have_count(0)
        _picture(page, f"notifications_{theme.lower()}", page.locator(".Toastify__toast"))


def test_the_dashboard_is_live_under_load_and_there_again_after_a_reload(page: Page, api: Api) -> None:
    _sidebar(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_response(lambda response: "/workspaces/" in response.url and response.request.method == "PUT"):
        page.keyboard.press("Control+Alt+d")
        dashboard = page.locator(".jp-FpgaDashboard")
        expect(dashboard.get_by_role("heading", name="Boards")).to_be_visible()
    expect(dashboard.locator("li")).to_have_count(4)
    (builtin,) = (w for w in api.ask("GET", "compute/workers").json() if w["name"] == "builtin")
    (version,) = (f["version"] for f in builtin["functions"] if f["name"] == "noop")
    token = api.ask("POST", "compute/queues/remote", {}).json()["queue_token"]
    for batch in range(5):
        actions = [
            {"function": "noop", "function_version": version, "constants": {"number": batch * 1000 + number}}
            for number in range(1000)
        ]
        api.ask("POST", f"compute/queues/{token}/jobs", {"actions": actions})
    queue = dashboard.get_by_role("row").filter(has=page.get_by_role("cell", name="active"))
    expect(queue).to_contain_text("5000")
    expect(dashboard).to_contain_text("results were there already")
    expect(dashboard.locator(".jp-FpgaTimeline-bar").first).to_be_attached()
    # Twenty thousand events: the counts were asked for now and then, and no action by itself.
    about = [url for url in asked if "/compute/" in url or url.endswith("/metrics")]
    assert len(about) < 100, len(about)
    page.reload()
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    expect(dashboard.get_by_role("heading", name="Running actions")).to_be_visible()
    expect(dashboard).to_contain_text("5000")


def test_the_panels_find_a_lab_again_that_was_killed(orphan: Page, server: Any) -> None:
    panel = _sidebar(orphan)
    status = panel.locator(".jp-FpgaPanel-status")
    server.kill()
    try:
        expect(status).to_have_text("The lab does not answer. Trying again …")
    finally:
        server.start()
    expect(status).to_have_text("4 of 4 boards free")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_panels_are_for_everybody(page: Page, api: Api, theme: str) -> None:
    panel = _sidebar(page)
    use_theme(page, theme.title())
    for card in ("FPGA Notebook", "FPGA Dashboard"):
        expect(page.locator(".jp-LauncherCard", has_text=card)).to_be_visible()
    _picture(page, f"launcher_{theme}", page.locator(".jp-Launcher-sectionHeader, .jp-LauncherCard"))
    api.finish(api.submit(1))
    api.finish(api.ask("POST", "build", {"source": "import amaranth\nraise ValueError('a mistake')"}).json()["job_id"])
    expect(_rows(panel, "My jobs").first).to_contain_text("failed")
    toast = page.locator(".Toastify__toast", has_text="Your session on board 0 ends")
    toast.get_by_role("button", name="Hide notification").click()
    expect(toast).to_be_hidden()
    _rows(panel, "My jobs").nth(1).dblclick()
    expect(page.get_by_role("log")).to_contain_text("runs it")
    page.get_by_role("searchbox", name="Search the log").fill("board")
    _picture(page, f"log_{theme}")
    found = findings(page, ".jp-FpgaLogPanel")
    page.keyboard.press("Control+Alt+d")
    dashboard = page.locator(".jp-FpgaDashboard")
    expect(dashboard.get_by_role("cell", name="builtin")).to_be_visible()
    _picture(page, f"dashboard_{theme}")
    found += findings(page, ".jp-FpgaDashboard")
    page.locator(".jp-FpgaStatus").click()
    expect(page.get_by_role("dialog", name="My boards")).to_be_visible()
    _picture(page, f"status_bar_{theme}", page.locator(".jp-FpgaPopup, .jp-StatusBar-Right"))
    found += findings(page, ".jp-FpgaPopup") + findings(page, ".jp-FpgaStatus")
    page.keyboard.press("Escape")
    _rows(panel, "Boards").first.focus()
    _picture(page, f"sidebar_{theme}", panel, margin=0)
    found += findings(page, "#jupyter-fpga-boards")
    assert found == []


def _picture(page: Page, name: str, parts: Locator | None = None, margin: int = 10) -> None:
    """With ``MAKE_PICTURES=1``: the page, or as much of it as these parts are in, and some pixels round them."""
    if not os.environ.get("MAKE_PICTURES"):
        return
    IMAGES.mkdir(exist_ok=True)
    clip = None
    if parts is not None:
        boxes = [box for part in parts.all() if (box := part.bounding_box()) is not None]
        left, top = (min(box[side] for box in boxes) - margin for side in ("x", "y"))
        right = max(box["x"] + box["width"] for box in boxes) + margin
        bottom = max(box["y"] + box["height"] for box in boxes) + margin
        clip = FloatRect(x=left, y=top, width=right - left, height=bottom - top)
    page.screenshot(path=IMAGES / f"{name}.png", clip=clip)
