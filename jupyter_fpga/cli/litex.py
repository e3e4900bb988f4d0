"""Commands for LiteX's own tools: ``etherbone`` opens a port for them, ``artifacts`` fetches the files they read."""

import ipaddress
import json
import sys
from pathlib import Path

from traitlets import Unicode

from jupyter_fpga.client import Job
from jupyter_fpga.client.arguments import Reader, board_number
from jupyter_fpga.client.errors import Invalid
from jupyter_fpga.client.etherbone import DEFAULT_PORT, EtherbonePort, open_etherbone
from jupyter_fpga.client.loop import loop

from .base import ALIASES, LAB_ALIASES, LabCommand, merged, number
from .settings import Read

__all__ = ("ArtifactsApp", "EtherboneApp")


def _parts(text: str) -> tuple[str, int]:
    """Host and port; a port alone is one of the loopback interface, where LiteX's tools look by themselves."""
    host, _, port = text.rpartition(":")
    if not 0 <= int(port) <= 65535:
        raise ValueError(text)
    return host.removeprefix("[").removesuffix("]") or "localhost", int(port)


def _address(text: str) -> str:
    _parts(text)
    return text


_ADDRESS = Reader("HOST:PORT, such as 127.0.0.1:1234", _address)


class EtherboneApp(LabCommand):
    """Open a port on this machine that LiteX's own tools (RemoteClient, litex_cli, litex_term) take for a litex_server.

    BOARD is needed only while you hold several. The port is there until Ctrl-C, or until the board session ends. The
    tools read the design's registers from csr.csv, which `jupyter fpga artifacts csr.csv` fetches.
    """

    name = "jupyter-fpga etherbone"
    description = __doc__
    positionals = ("[BOARD]",)
    aliases = merged({**ALIASES, **LAB_ALIASES, "listen": "EtherboneApp.listen"})

    listen = Read(_ADDRESS, help="HOST:PORT; localhost:1234, where the tools look by themselves, when empty.").tag(
        config=True
    )

    def run(self, words: list[str]) -> None:
        lab = self.lab()
        board = lab.board(number(words[0], "BOARD") if words else None)
        host, port = _parts(self.listen or str(DEFAULT_PORT))
        opened = loop.call(open_etherbone, lab.door, board.fpga_id, host=host, port=port, tell=_tell)
        if not _loopback(opened.host):
            _warn(f"Whoever can reach {opened.host}:{opened.port} can use the board from now on.")
        self._announce(opened)
        try:
            why = opened.wait_closed()
        except KeyboardInterrupt:
            opened.close()
            return
        raise why

    def _announce(self, opened: EtherbonePort) -> None:
        told = {"fpga_id": opened.fpga_id, "host": opened.host, "port": opened.port}
        options = "" if opened.port == DEFAULT_PORT else f" --port {opened.port}"
        sentence = (
            f"Board {opened.fpga_id} answers LiteX's tools at {opened.host}:{opened.port}, as in "
            f"`litex_cli --csr-csv csr.csv{options} --regs`. Ctrl-C closes the port."
        )
        print(json.dumps(told) if self.json else sentence, flush=True)


def _tell(sentence: str) -> None:
    _warn(f"A connection was reset: {sentence[:1].lower()}{sentence[1:]}")


def _warn(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


def _loopback(host: str) -> bool:
    return ipaddress.ip_address(host).is_loopback


class ArtifactsApp(LabCommand):
    """Download files of a build: csr.csv, csr.json, top.v, bitstream, report.

    Of the design on the board that you hold, or of the job of --job.
    """

    name = "jupyter-fpga artifacts"
    description = __doc__
    positionals = ("NAME…",)
    needs = "the name of a file: csr.csv, csr.json, top.v, bitstream or report"
    aliases = merged(
        {
            **ALIASES,
            **LAB_ALIASES,
            "board": "ArtifactsApp.board",
            "job": "ArtifactsApp.job",
            "output": "ArtifactsApp.output",
        }
    )

    board = Read(board_number, help="Which board; not needed while you hold only one.").tag(config=True)
    job = Unicode(help="The job that built it; the one on the board when empty.").tag(config=True)
    output = Unicode(".", help="Folder for the files; created when missing.").tag(config=True)

    def run(self, words: list[str]) -> None:
        lab = self.lab()
        job: Job = lab.job(self.job) if self.job else lab.board(self.board).job
        folder = Path(self.output)
        contents = {name: job.artifact(name) for name in words}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, content in contents.items():
                (folder / name).write_bytes(content)
        except OSError as error:
            raise Invalid(
                f"“{error.filename}” can't be written: {error.strerror}. Give another folder with --output.",
                code="usage",
            ) from None
        paths = [str(folder / name) for name in contents]
        self.show({"job_id": job.id, "files": paths}, "\n".join(paths))
