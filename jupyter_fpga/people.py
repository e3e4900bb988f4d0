"""Who is asking: a name and roles. Doors make them, floors check them."""

from dataclasses import dataclass, field
from typing import Literal, get_args

__all__ = ("ROLES", "Person", "Role")

Role = Literal["student", "teacher", "operator", "grader"]
"""What a person may do. Everybody is a ``student``; an ``operator`` may touch what others hold."""

ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True)
class Person:
    """Somebody who uses the lab.

    Parameters
    ----------
    name
        The key of ownership: two requests with the same name are the same owner.
    roles
        A set of :data:`Role`.
    """

    name: str
    roles: frozenset[Role] = field(default_factory=lambda: frozenset[Role](("student",)))

    @property
    def is_operator(self) -> bool:
        """Whether this person may see and touch what others hold."""
        return "operator" in self.roles
