"""The lab's API, asked beside the page."""

import json
from typing import Any

from playwright.sync_api import APIResponse, Page

from .notebooks import TOKEN

DESIGN = """
class Top(wiring.Component):
    duty: In(8)
    led: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.led.eq(self.duty == {number})
        return m
"""
HEAD = "from amaranth.hdl import *\nfrom amaranth.lib import wiring\nfrom amaranth.lib.wiring import In, Out\n"


class Api:
    """The API of the lab behind a JupyterLab, as its user."""

    def __init__(self, page: Page, address: str) -> None:
        self._page = page
        self._base = f"{address}jupyter-fpga/"

    def ask(self, method: str, path: str, body: Any = None) -> APIResponse:
        headers = {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body)
        answer = self._page.context.request.fetch(self._base + path, method=method, headers=headers, data=data)
        assert answer.ok, answer.text()
        return answer

    def submit(self, number: int) -> str:
        """Have a design built and programmed; the job's id. Equal numbers are equal designs."""
        answer = self.ask("POST", "submit", {"source": HEAD + DESIGN.format(number=number)})
        job_id: str = answer.json()["job_id"]
        return job_id

    def finish(self, job_id: str) -> None:
        """Wait for a job's end: a log that is followed ends with it."""
        self.ask("GET", f"jobs/{job_id}/logs?follow=1")

    def give_back(self) -> None:
        """Reset every board that one holds, or that anybody does if one is an operator, and wait for the end of it."""
        for board in self.ask("GET", "fpga").json():
            if board["session"]:
                self.finish(self.ask("POST", f"fpga/{board['fpga_id']}/reset").json()["job_id"])
