"""The one description of the API's routes: it drives both the routing of requests and the OpenAPI document."""

import inspect
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel

from jupyter_fpga.errors import NotFound
from jupyter_fpga.people import Person

from .answers import Answer

if TYPE_CHECKING:
    from jupyter_fpga.fpga.service import Fpga

    from .body import Upload

__all__ = ("Call", "Route", "group_by_path", "parse_path")

Method = Literal["GET", "POST", "DELETE"]


@dataclass(frozen=True)
class Call:
    """One request, authenticated and validated: all that an operation sees.

    Parameters
    ----------
    fpga
        The boards' floor.
    person
        Who asks.
    path
        Parameters of the path, parsed.
    query, body
        Validated models, when the route has them.
    upload
        The design, on routes that take one.
    accept
        The request's Accept header.
    """

    fpga: "Fpga"
    person: Person
    path: dict[str, Any] = field(default_factory=dict)
    query: Any = None
    body: Any = None
    upload: "Upload | None" = None
    accept: str = ""


Operation = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True)
class Route:
    """One method of one path.

    Parameters
    ----------
    method, path
        Path template below the base URL, such as ``/fpga/{fpga_id}/run``.
    run
        The operation; its docstring's first line is the summary, the rest the description.
    answer
        Model (or any type that pydantic knows) of the JSON answer; ``None`` when it isn't JSON.
    status
        Of success.
    media_type
        Of success, when not JSON.
    query, body
        Models of the query string and of the JSON body.
    upload
        Whether it takes a design.
    refusals
        Statuses of refusals, besides those that every route has.
    tag
        Chapter of the documentation.
    socket
        Whether it is a WebSocket's handshake.
    public
        Whether it needs no authentication.
    """

    method: Method
    path: str
    run: Callable[..., Any]
    answer: Any = None
    status: int = 200
    media_type: str | None = None
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    upload: bool = False
    refusals: tuple[int, ...] = ()
    tag: str = "boards"
    socket: bool = False
    public: bool = False

    @property
    def name(self) -> str:
        """The OpenAPI ``operationId``: unique, since operations shared by two paths are told apart by the path."""
        below = "_of_board" if self.path.startswith("/fpga/{fpga_id}/jobs") else ""
        return self.run.__name__ + below

    @property
    def summary(self) -> str:
        return (inspect.getdoc(self.run) or "").partition("\n")[0].rstrip(".")

    @property
    def description(self) -> str:
        return (inspect.getdoc(self.run) or "").partition("\n")[2].strip()

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Names of the path's parameters, in order."""
        return tuple(re.findall(r"{(\w+)}", self.path))


def group_by_path(routes: tuple[Route, ...]) -> dict[str, dict[str, Route]]:
    """Path template → method → route, in the table's order."""
    paths: dict[str, dict[str, Route]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method] = route
    return paths


def pattern(path: str) -> str:
    """The regular expression that matches a path template: each parameter is one segment."""
    return re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path)


_BOARD_ID = re.compile(r"0|[1-9][0-9]{0,8}")
_JOB_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def parse_path(texts: dict[str, str]) -> dict[str, Any]:
    """The parameters of a path as the floors want them.

    Raises
    ------
    NotFound
        An id that can't be one: nothing has it.
    """
    parsed: dict[str, Any] = dict(texts)
    if "fpga_id" in texts:
        text = texts["fpga_id"]
        if not _BOARD_ID.fullmatch(text):
            raise NotFound(
                f"There is no board {text[:40]!r}; boards have numbers, and GET …/fpga lists them.",
                code="fpga_not_found",
            )
        parsed["fpga_id"] = int(text)
    if "job_id" in texts:
        text = texts["job_id"].lower()
        if not _JOB_ID.fullmatch(text):
            raise NotFound(
                f"There is no job {text[:40]!r}; a job's id is the UUID that its submission answered, "
                "and GET …/jobs lists yours.",
                code="job_not_found",
            )
        parsed["job_id"] = text
    return parsed
