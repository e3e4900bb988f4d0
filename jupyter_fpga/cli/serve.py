"""``jupyter fpga serve``: the lab as a process of its own."""

import asyncio
import json
import os
from pathlib import Path

from jupyter_core.paths import jupyter_data_dir, jupyter_runtime_dir
from traitlets import Float, Int, List, Unicode, default

from jupyter_fpga.clock import Clock, SystemClock
from jupyter_fpga.fpga.config import FpgaConfig, Quotas, pool_of
from jupyter_fpga.lab import Lab, LabConfig
from jupyter_fpga.server.auth import KeyFile, local_owner
from jupyter_fpga.server.hosting import AnotherLab, Hosting, HostingOptions
from jupyter_fpga.server.runtime import RuntimeFile, RuntimeRecord
from jupyter_fpga.server.serving import Ending, serve

from .base import ALIASES, Command, merged

__all__ = ("ServeApp",)

#: Path of the API, the same as in a Jupyter server.
BASE = "/jupyter-fpga"
#: Seconds that ``--ready-fd`` waits for the address of a lab that another process is just starting.
PATIENCE = 30.0


class ServeApp(Command):
    """Run a lab until it is stopped (Ctrl-C, SIGTERM), which takes its simulated boards down.

    A kernel or `jupyter fpga demo` starts one by itself when there is none. One person has one lab: when yours runs
    already, here or in a Jupyter server, this command says where and ends.
    """

    name = "jupyter-fpga serve"
    description = __doc__
    aliases = merged(
        {
            **ALIASES,
            "ip": "ServeApp.ip",
            "port": "ServeApp.port",
            "data-dir": "ServeApp.data_dir",
            "store-url": "ServeApp.store_url",
            "boards": "ServeApp.boards",
            "board": "ServeApp.hardware",
            "discover": "ServeApp.discover",
            "keys": "ServeApp.keys",
            "session-ttl": "ServeApp.session_ttl",
            "stage-seconds": "ServeApp.stage_seconds",
            "idle-exit": "ServeApp.idle_exit",
            "ready-fd": "ServeApp.ready_fd",
        }
    )

    ip = Unicode("127.0.0.1", help="Address to listen on.").tag(config=True)
    port = Int(0, min=0, max=65535, help="Port; any that is free when 0.").tag(config=True)
    data_dir = Unicode(
        help="Folder of the database and the builds; $JUPYTER_FPGA_DATA_DIR, or `fpga` in Jupyter's data folder."
    ).tag(config=True)
    store_url = Unicode(help="Address of a PostgreSQL database; SQLite in the data folder when empty.").tag(config=True)
    boards = Int(10, min=0, max=1000, help="Number of simulated boards.").tag(config=True)
    hardware = List(
        Unicode(),
        help="""A board on a desk, as target=NAME,serial=NUMBER (or port=1-2.3, where boards have no serial number);
        also tty=/dev/serial/by-id/…, tag=WORD, power_cycle='COMMAND', flash=true, sram=true, id=N. May be repeated.""",
    ).tag(config=True)
    discover = List(
        Unicode(), help="A target of which every board that is plugged in joins the lab. May be repeated."
    ).tag(config=True)
    keys = Unicode(help="File of named API keys, for a lab with several people.").tag(config=True)
    session_ttl = Float(3600.0, help="How long a board is held before it has to be renewed, s.").tag(config=True)
    max_renew = Float(3600.0, help="The furthest from now that a renewal puts a session's end, s.").tag(config=True)
    max_queued_jobs = Int(256, min=1, help="Jobs of one person that may wait at the same time.").tag(config=True)
    max_held_boards = Int(None, allow_none=True, min=1, help="Boards of one person at the same time.").tag(config=True)
    stage_seconds = Float(
        None,
        allow_none=True,
        min=1,
        help="The longest that one stage of a build may run, s; 60 for the design's own Python and 300 for the tools "
        "when None.",
    ).tag(config=True)
    idle_exit = Float(
        0, help="End after so many seconds without a request, a job and a board that somebody holds; never when 0."
    ).tag(config=True)
    ready_fd = Int(
        -1, help="Descriptor to write one line of JSON to when the lab is ready: its url, token and pid."
    ).tag(config=True)

    @default("data_dir")
    def _default_data_dir(self) -> str:
        return os.environ.get("JUPYTER_FPGA_DATA_DIR") or os.path.join(jupyter_data_dir(), "fpga")

    def run(self, words: list[str]) -> None:
        asyncio.run(self._serve())

    def _hosting(self) -> Hosting:
        owner = local_owner()
        keys = KeyFile(Path(self.keys)) if self.keys else None
        boards, target = pool_of(self.boards, self.hardware, self.discover)
        config = LabConfig(
            data_dir=Path(self.data_dir),
            store_url=self.store_url or None,
            fpga=FpgaConfig(
                boards=boards,
                default_target=target,
                discover=tuple(self.discover),
                session_ttl=self.session_ttl,
                max_renew=self.max_renew,
                quotas=Quotas(max_queued_jobs=self.max_queued_jobs, max_held_boards=self.max_held_boards),
            ),
            several_users=keys is not None,
            stage_seconds=self.stage_seconds,
        )
        options = HostingOptions(
            owner=owner,
            runtime_dir=Path(jupyter_runtime_dir()),
            data_dir=config.data_dir,
            address=self.ip,
            port=self.port,
            base=BASE,
            keys=keys,
        )
        return Hosting(options, lambda: Lab(config, progress=self.log.info))

    async def _serve(self) -> None:
        try:
            ending = await serve(self._hosting(), idle_seconds=self.idle_exit or None, on_ready=self._ready)
        except AnotherLab:
            if self.ready_fd < 0:
                raise
            self._tell(await _other_lab(SystemClock()))
        else:
            if ending is Ending.IDLE:
                print("Nobody needs the lab any more: it ends.", flush=True)

    def _ready(self, record: RuntimeRecord) -> None:
        print(f"Your lab is ready at {record.url}; its data is in {record.data_dir}. Stop it with Ctrl-C.", flush=True)
        self._tell(record)

    def _tell(self, record: RuntimeRecord) -> None:
        """Tell whoever started this process."""
        if self.ready_fd >= 0:
            with os.fdopen(self.ready_fd, "w") as pipe:
                pipe.write(json.dumps({"url": record.url, "token": record.token, "pid": record.pid}) + "\n")


async def _other_lab(clock: Clock) -> RuntimeRecord:
    """The record of the lab that another process hosts, as soon as there is one."""
    file = RuntimeFile(Path(jupyter_runtime_dir()))
    deadline = clock.monotonic() + PATIENCE
    while True:
        record = file.read()
        if record is not None and record.is_alive():
            return record
        if clock.monotonic() > deadline:
            raise AnotherLab("Another process is starting your lab and hasn't finished; try again in a moment.")
        # No event tells of a file of another process.
        await clock.sleep(0.1)
