"""Finding the lab, or starting one.

In this order: what the caller says; ``JUPYTER_FPGA_URL`` and ``JUPYTER_FPGA_TOKEN``; the Jupyter server that started
this kernel; the lab that this person runs already; a new one, which ends itself when nobody needs it.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from jupyter_core.paths import jupyter_runtime_dir

from .door import Door
from .errors import LabError, Unavailable
from .lab import LabClient
from .loop import loop
from .starting import start_lab

__all__ = ("Place", "connect", "find_lab", "places")

#: Where the API is below a Jupyter server's own address.
PREFIX = "jupyter-fpga"
RUNTIME_FILE = "fpga-lab.json"


@dataclass(frozen=True)
class Place:
    """Where a lab may be.

    Parameters
    ----------
    url, token
        Address and key.
    why
        How this place was found, for messages.
    sure
        Whether somebody said that the lab is there: then its absence is an error, and no other place is tried.
    """

    url: str
    token: str
    why: str
    sure: bool = False


def places(
    url: str | None = None, token: str | None = None, environment: Mapping[str, str] = os.environ
) -> Iterator[Place]:
    """Where to look, best first."""
    if url:
        yield Place(url, token or environment.get("JUPYTER_FPGA_TOKEN", ""), "the given address", sure=True)
        return
    if environment.get("JUPYTER_FPGA_URL"):
        given = token or environment.get("JUPYTER_FPGA_TOKEN", "")
        yield Place(environment["JUPYTER_FPGA_URL"], given, "JUPYTER_FPGA_URL", sure=True)
        return
    runtime = Path(jupyter_runtime_dir())
    parent = environment.get("JPY_PARENT_PID", "")
    if parent.isdigit():
        server = _read(runtime / f"jpserver-{parent}.json")
        if server.get("url", "").startswith("http"):
            address = server["url"].rstrip("/") + "/" + PREFIX
            yield Place(address, token or server.get("token", ""), "the Jupyter server that started this kernel")
    lab = _read(runtime / RUNTIME_FILE)
    if lab.get("url"):
        yield Place(lab["url"], token or lab.get("token", ""), "the lab that you run already")


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        # Not there, or just being written by a server that starts: then it isn't ready either.
        return {}
    return found if isinstance(found, dict) else {}


async def _answers(place: Place) -> str | None:
    """The base address at ``place`` that a lab answers at; ``None`` when none does."""
    refusal: LabError | None = None
    for address in (place.url.rstrip("/"), f"{place.url.rstrip('/')}/{PREFIX}"):
        try:
            version = await Door(address, place.token).get("version")
        except (LabError, ValueError) as error:
            if isinstance(error, LabError):
                refusal = refusal or error
            continue
        if isinstance(version, dict) and "version" in version:
            return address
    if place.sure:
        raise refusal or Unavailable(
            f"What answers at {place.url} is not a lab; check the address ({place.why}).", code="no_lab"
        )
    return None


def find_lab(
    url: str | None = None, token: str | None = None, environment: Mapping[str, str] = os.environ
) -> LabClient | None:
    """The first lab that answers; ``None`` when nobody said where one is and none runs.

    Raises
    ------
    LabError
        There is none where the caller or the environment says that there is one.
    """
    for place in places(url, token, environment):
        address = loop.call(_answers(place))
        if address is not None:
            return LabClient(address, place.token)
    return None


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def connect(
    url: str | None = None, token: str | None = None, *, start: bool = True, say: Callable[[str], None] = _say
) -> LabClient:
    """Find the lab, or start one.

    Parameters
    ----------
    url, token
        Address and key of a lab. Without: the environment, this kernel's Jupyter server, the person's own running lab.
    start
        Whether to start a lab on this machine when there is none.
    say
        Told, in a sentence, when a lab is started.

    Raises
    ------
    Unavailable
        ``no_lab``: there is none, and ``start`` is false or it didn't start.
    """
    found = find_lab(url, token)
    if found is not None:
        return found
    if not start:
        raise Unavailable(
            "No lab runs here. Start one with `jupyter fpga serve` or `jupyter lab`, or set JUPYTER_FPGA_URL to the "
            "address of one.",
            code="no_lab",
        )
    say("No lab runs here: starting one on this machine, which ends itself when nobody needs it.")
    started = start_lab()
    return LabClient(started.url, started.token, started)
