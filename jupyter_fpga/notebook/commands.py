"""``%fpga``'s commands: each one method."""

import argparse
import sys
from collections.abc import Callable
from typing import Any

from jupyter_fpga.client import BoardHandle
from jupyter_fpga.client.listing import asked_for
from jupyter_fpga.client.tables import Table

from .desk import Desk
from .errors import Interrupted
from .options import CELL, COMMANDS, LINE

__all__ = ("Commands",)

#: Jobs that are listed.
LISTED = 20


class Commands:
    """What ``%fpga`` does.

    Parameters
    ----------
    desk
        What the kernel knows.
    put
        Puts a handle into the person's namespace.
    """

    def __init__(self, desk: Desk, put: Callable[[str, BoardHandle], None]) -> None:
        self._desk = desk
        self._put = put

    def run(self, arguments: argparse.Namespace) -> Any:
        """Do it; what is returned is shown as the cell's result."""
        return getattr(self, arguments.command)(arguments)

    def help(self, arguments: argparse.Namespace) -> None:
        if arguments.name is None:
            _write(f"{LINE.format_help()}\n{CELL.format_help()}")
            return
        LINE.check_command(arguments.name)
        _write(f"%fpga {arguments.name}: {COMMANDS[arguments.name]}")

    def boards(self, arguments: argparse.Namespace) -> Table:
        return self._desk.lab(_say).boards()

    def targets(self, arguments: argparse.Namespace) -> Table:
        return self._desk.lab(_say).targets()

    def jobs(self, arguments: argparse.Namespace) -> Table:
        jobs = self._desk.lab(_say).jobs
        return jobs(limit=LISTED) if arguments.all else asked_for(jobs, limit=LISTED)

    def status(self, arguments: argparse.Namespace) -> Table:
        lab = self._desk.lab(_say)
        started = ", started by this kernel" if self._desk.started_here else ""
        _write(f"lab at {lab.url}{started}")
        names: dict[int | None, list[str]] = {}
        for name, handle in self._desk.boards.items():
            if name != "_fpga":
                names.setdefault(handle.job.fpga_id, []).append(name)
        rows = [
            {
                "name": ", ".join(names.get(board["fpga_id"], ["–"])),
                "fpga_id": board["fpga_id"],
                "target": board["target"],
                "state": board["state"],
                "left": _minutes(board["session"]["remaining_seconds"]),
            }
            for board in lab.boards()
            if (board["session"] or {}).get("session_id") is not None
        ]
        columns = {"name": "name", "board": "fpga_id", "target": "target", "state": "state", "time left": "left"}
        return Table(rows, columns)

    def logs(self, arguments: argparse.Namespace) -> None:
        job = self._desk.job_of(arguments.name)
        if not arguments.follow:
            _write(job.logs())
            return
        try:
            for text in job.follow_logs():
                _write(text)
        except KeyboardInterrupt:
            raise Interrupted("Interrupted. The job goes on.") from None

    def release(self, arguments: argparse.Namespace) -> None:
        handle = self._desk.handle(arguments.name, arguments.board)
        handle.release()
        self._desk.boards = {name: kept for name, kept in self._desk.boards.items() if kept is not handle}
        _write("The board is given back.")

    def renew(self, arguments: argparse.Namespace) -> None:
        session = self._desk.handle(arguments.name, arguments.board).renew()
        _write(f"The board is yours for {_minutes(session['remaining_seconds'])}.")

    def reset(self, arguments: argparse.Namespace) -> None:
        handle = self._desk.handle(arguments.name, arguments.board)
        handle.reset().wait()
        self._desk.boards = {name: kept for name, kept in self._desk.boards.items() if kept is not handle}
        _write("The board is reset and free.")

    def target(self, arguments: argparse.Namespace) -> None:
        targets = self._desk.lab(_say).targets()
        if arguments.name is not None:
            names = [target["name"] for target in targets]
            if arguments.name not in names:
                LINE.error(f"there is no target {arguments.name!r}; it is one of {', '.join(names)}")
            self._desk.target = arguments.name
        chosen = self._desk.target or "the lab's default"
        boards = ", ".join(target["name"] for target in targets if target["boards"])
        _write(f"Designs are built for: {chosen}. The lab has boards of {boards or 'no kind'}.")

    def attach(self, arguments: argparse.Namespace) -> BoardHandle:
        name = arguments.name or "_fpga"
        handle = self._desk.lab(_say).board(arguments.board, name=name)
        handle.ready()
        self._desk.boards[name] = self._desk.boards["_fpga"] = handle
        self._put(name, handle)
        return handle


def _minutes(seconds: float) -> str:
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes else f"{seconds:.0f} s"


def _say(sentence: str) -> None:
    _write(sentence)


def _write(text: str) -> None:
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
