"""What tests of designs share: how a small one is written, and how a refusal is looked at."""

from typing import Any

FITS = (
    "A top must be a wiring.Component, an Elaboratable with the wb_* signals, a LiteXModule (or Module with AutoCSR), "
    "or a LabSoC."
)


def component(ports: str, *body: str) -> str:
    lines = ["class Top(wiring.Component):", *(f"    {port}" for port in ports.split("; ") if port)]
    lines += ["    def elaborate(self, platform):", "        m = Module()", *(f"        {line}" for line in body)]
    return "\n".join([*lines, "        return m", ""])


MEMORY = (
    "Elaboration used more than its limit of 1024 MiB of memory; make the design, or the tables that it computes, "
    "smaller."
)


def check(job: dict[str, Any], code: str, message: str, line: int | None) -> None:
    assert job["status"] == "failed"
    error = job["error"]
    assert (error["code"], error["reason"], error.get("line")) == (code, message, line)
    assert error["stage"] in ("elaborate", "synthesize")
