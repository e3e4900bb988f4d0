"""The lab inside a Jupyter server: its configuration, its handlers, and its place in the server's start and stop."""

import asyncio
import os
from pathlib import Path
from typing import Any

import prometheus_client
from jupyter_core.paths import jupyter_data_dir, jupyter_runtime_dir
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from traitlets import Float, Int, List, TraitError, Unicode, default, validate

from .errors import LabError
from .fpga.config import FpgaConfig, Quotas, pool_of
from .lab import Lab, LabConfig
from .server.auth import local_owner
from .server.door import There
from .server.forward import Remote
from .server.hosting import FixedDoor, Hosting, HostingOptions, SharedDoor
from .server.jupyter import jupyter_handlers
from .server.metrics import LabCollector

__all__ = ("FOLDER", "JupyterFpga")

FOLDER = "jupyter-fpga"
"""Below the server's base URL, where the API is."""


class JupyterFpga(ExtensionApp):
    """The FPGA lab of this Jupyter server.

    The first server of a person hosts the lab; every other one passes requests on to it, and takes over when it ends.
    """

    name = "jupyter_fpga"
    extension_url = "/lab"
    load_other_extensions = True

    data_dir = Unicode(
        help="""Folder of the lab's database, sources and builds; on a local disk. Default: $JUPYTER_FPGA_DATA_DIR,
        else `fpga` in Jupyter's data folder."""
    ).tag(config=True)

    store_url = Unicode(
        help="""Address of the lab's database, `postgresql+psycopg://…`; a SQLite file in `data_dir` when empty."""
    ).tag(config=True)

    boards = Int(10, min=0, max=1000, help="Number of simulated boards, with ids from 0.").tag(config=True)

    hardware = List(
        Unicode(),
        help="""Boards on a desk, each as `target=NAME,serial=NUMBER` (or `port=1-2.3`, where boards have no serial
        number); also `tty=/dev/serial/by-id/…`, `tag=WORD`, `power_cycle='COMMAND'`, `flash=true`, `id=N`.""",
    ).tag(config=True)

    discover = List(Unicode(), help="Targets of which every board that is plugged in joins the lab.").tag(config=True)

    session_ttl = Float(3600.0, help="How long a board is held before it has to be renewed, in seconds.").tag(
        config=True
    )

    max_renew = Float(3600.0, help="The furthest from now that a renewal puts a session's end, in seconds.").tag(
        config=True
    )

    max_queued_jobs = Int(256, min=1, help="Jobs of one person that may wait at the same time.").tag(config=True)

    max_held_boards = Int(
        None,
        allow_none=True,
        min=1,
        help="Boards that one person may hold at the same time; as many as there are when None.",
    ).tag(config=True)

    stage_seconds = Float(
        None,
        allow_none=True,
        min=1,
        help="""The longest that one stage of a build may run, in seconds; 60 for the design's own Python and 300 for
        the tools when None.""",
    ).tag(config=True)

    lab_url = Unicode(
        help="""Address of a lab elsewhere, such as a class's. When set, this server hosts none and forwards everything
        there."""
    ).tag(config=True)

    lab_token = Unicode(help="Token (or API key) for `lab_url`. Default: $JUPYTER_FPGA_TOKEN.").tag(config=True)

    @default("data_dir")
    def _default_data_dir(self) -> str:
        return os.environ.get("JUPYTER_FPGA_DATA_DIR") or os.path.join(jupyter_data_dir(), "fpga")

    @default("lab_token")
    def _default_lab_token(self) -> str:
        return os.environ.get("JUPYTER_FPGA_TOKEN", "")

    @validate("session_ttl", "max_renew")
    def _positive(self, proposal: Any) -> float:
        if not proposal["value"] > 0:
            raise TraitError(
                f"JupyterFpga.{proposal['trait'].name} is a time in seconds and must be greater than 0; "
                f"got {proposal['value']}."
            )
        return float(proposal["value"])

    _door: SharedDoor | FixedDoor | None = None
    _collector: LabCollector | None = None
    _opening: "asyncio.Task[None] | None" = None

    def lab_config(self) -> LabConfig:
        """What the traits say, as the composition root wants it."""
        boards, target = pool_of(self.boards, self.hardware, self.discover)
        return LabConfig(
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
            stage_seconds=self.stage_seconds,
        )

    def initialize_settings(self) -> None:
        """Decide where the lab will be looked for; nothing is started yet."""
        self.settings["jupyter_fpga_owner"] = local_owner()
        if self.lab_url:
            self._door = FixedDoor(Remote(self.lab_url.rstrip("/"), self.lab_token))
            return
        runtime_dir = Path(jupyter_runtime_dir())
        self._door = SharedDoor(self._make_hosting, runtime_dir, on_hosting=self._hosting_changed)

    def initialize_handlers(self) -> None:
        """Add the API's routes to the server."""
        assert self.serverapp is not None
        assert self._door is not None
        self.handlers.extend(jupyter_handlers(self._door, self.serverapp.base_url, FOLDER))

    def _make_hosting(self) -> Hosting:
        config = self.lab_config()
        options = HostingOptions(owner=local_owner(), runtime_dir=Path(jupyter_runtime_dir()), data_dir=config.data_dir)
        return Hosting(options, lambda: Lab(config))

    def _hosting_changed(self, hosting: Hosting | None) -> None:
        """The lab's metrics join the server's while it is hosted here."""
        if self._collector is not None:
            prometheus_client.REGISTRY.unregister(self._collector)
            self._collector = None
        if hosting is not None:
            self._collector = LabCollector(hosting.lab)
            prometheus_client.REGISTRY.register(self._collector)
            self.log.info("jupyter_fpga | this server hosts your FPGA lab (data in %s)", self.data_dir)

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        """Start looking for the lab, or starting it, without holding up the server's own start."""
        if isinstance(self._door, SharedDoor):
            self._opening = asyncio.ensure_future(self._open(self._door))

    async def _open(self, door: SharedDoor) -> None:
        try:
            place = await door.reach()
        except LabError as error:
            self.log.error("jupyter_fpga | %s", error.message)
            return
        if isinstance(place, There):
            self.log.info("jupyter_fpga | this server uses your FPGA lab at %s", place.remote.url)

    async def stop_extension(self) -> None:
        """Stop the lab in order, if it is hosted here."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
            self._opening = None
        if self._door is not None:
            await self._door.stop()
