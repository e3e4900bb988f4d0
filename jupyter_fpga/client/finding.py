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
from urllib.parse import urlsplit

from jupyter_core.paths import jupyter_runtime_dir

from .door import Door
from .errors import Forbidden, Invalid, LabError, Unavailable
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
        How this place was found: for messages, the name of what somebody has set, when somebody has.
    sure
        Whether somebody said that the lab is there: then its absence is an error, and no other place is tried.
    served
        Whether it is below the Jupyter server that started this kernel, so that the pages of that server reach it too.
    """

    url: str
    token: str
    why: str
    sure: bool = False
    served: bool = False


def places(
    url: str | None = None, token: str | None = None, environment: Mapping[str, str] = os.environ
) -> Iterator[Place]:
    """Where to look, best first."""
    if url:
        yield Place(url, token or environment.get("JUPYTER_FPGA_TOKEN", ""), "--url (url= in Python)", sure=True)
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
            why = "the Jupyter server that started this kernel"
            yield Place(address, token or server.get("token", ""), why, served=True)
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
    if place.sure and not _is_address(place.url):
        raise Invalid(
            f"“{place.url}” is no address that a lab can have, such as http://127.0.0.1:8888; correct {place.why}, "
            "or do without it to use your own lab.",
            code="usage",
        )
    refusals: list[LabError] = []
    for address in (place.url.rstrip("/"), f"{place.url.rstrip('/')}/{PREFIX}"):
        try:
            version = await Door(address, place.token).get("version")
        except LabError as error:
            refusals.append(error)
            continue
        except ValueError:
            # No JSON: a page, of something else.
            continue
        if isinstance(version, dict) and "version" in version:
            return address
    if not place.sure:
        return None
    for refusal in refusals:
        # Nobody answered, or a server lets nobody in: an answer with a status alone is of something else.
        if isinstance(refusal, Unavailable | Forbidden) and "status" not in refusal.detail:
            raise refusal
    if any(isinstance(refusal, Forbidden) for refusal in refusals):
        raise Forbidden(
            f"What answers at {place.url} lets nobody in with this token, or with none; correct the token or "
            f"{place.why}, or do without both to use your own lab.",
            code="not_signed_in",
        )
    raise Unavailable(
        f"What answers at {place.url} is not a lab; correct {place.why}, or do without it to use your own lab.",
        code="no_lab",
    )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


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
        address = loop.call(_answers, place)
        if address is not None:
            return LabClient(address, place.token, served=place.served)
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
