"""The one description of the API's routes: it drives both the routing of requests and the OpenAPI document."""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel

from jupyter_fpga.people import Person

from .answers import Answer
from .body import JSON_LIMIT

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_fpga.compute.actions import Compute
    from jupyter_fpga.fpga.service import Fpga

    from .body import Upload
    from .door import Here

__all__ = ("Call", "Route", "group_by_path", "pattern")

Method = Literal["GET", "HEAD", "POST", "PUT", "DELETE"]


@dataclass(frozen=True)
class Call:
    """One request, authenticated and validated: all that an operation sees.

    Parameters
    ----------
    here
        Where the lab is: its floors.
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
    local
        Whether it comes from a program on this machine, with no proxy in between.
    files
        What has come in besides JSON, with the hash that each content should have.
    """

    here: "Here"
    person: Person
    path: dict[str, Any] = field(default_factory=dict)
    query: Any = None
    body: Any = None
    upload: "Upload | None" = None
    accept: str = ""
    local: bool = False
    files: "tuple[tuple[str, Path], ...]" = ()

    @property
    def fpga(self) -> "Fpga":
        """The boards' floor."""
        return self.here.lab.fpga

    @property
    def compute(self) -> "Compute":
        """The floor of actions."""
        return self.here.lab.compute


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
    checks
        Whether the door holds the body to its model; if not, the floor does, and the model describes it.
    optional
        Whether the body may be left out; then it is ``{}``.
    limit
        Bytes of the JSON body.
    upload
        Whether it takes a design.
    content
        Whether the body is a content, named by the path's ``hash``, that goes to a file while it comes.
    package
        Whether the JSON may come as the first part of a ``multipart/mixed`` body whose other parts are contents.
    others
        Other statuses of success, with the model of the JSON answer (``None``: nothing).
    refusals
        Statuses of refusals, besides those that every route has.
    tag
        Chapter of the documentation.
    socket
        Whether it is a WebSocket's handshake.
    packets
        Whether the WebSocket's messages are packets of LiteX's tools.
    public
        Whether it needs no authentication.
    variant
        What its ``operationId`` ends with, where an operation is shared by several paths.
    """

    method: Method
    path: str
    run: Callable[..., Any]
    answer: Any = None
    status: int = 200
    media_type: str | None = None
    query: type[BaseModel] | None = None
    body: Any = None
    checks: bool = True
    optional: bool = False
    limit: int = JSON_LIMIT
    upload: bool = False
    content: bool = False
    package: bool = False
    others: Mapping[int, Any] = field(default_factory=dict, hash=False)
    refusals: tuple[int, ...] = ()
    tag: str = "boards"
    socket: bool = False
    packets: bool = False
    public: bool = False
    variant: str = ""

    @property
    def name(self) -> str:
        """The OpenAPI ``operationId``, which is unique."""
        return self.run.__name__ + self.variant

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
