"""The ``platform`` that a LiteX module gets: the target's resources by name."""

from collections.abc import Iterator
from typing import Any

from litex.build.generic_platform import GenericPlatform, Pins, Subsignal

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.targets import Target, Wire

__all__ = ("WindowPlatform",)


class WindowPlatform(GenericPlatform):  # type: ignore[misc]
    """A LiteX platform without a toolchain, for a design inside the window.

    Parameters
    ----------
    target
        Whose resources ``request`` gives.
    """

    def __init__(self, target: Target) -> None:
        io: list[Any] = []
        for resource in target.resources.values():
            if len(resource.wires) == 1:
                io.append((resource.name, 0, Pins(resource.wires[0].width)))
            else:
                parts = (Subsignal(wire.name, Pins(wire.width)) for wire in resource.wires)
                io.append((resource.name, 0, *parts))
        super().__init__(target.name, io, name="lab")
        self._target = target

    def request(self, name: str, number: int | None = None, loose: bool = False) -> Any:
        """The signal, or the record of signals, of a resource.

        Raises
        ------
        DesignError
            ``unknown_resource``: the target has none of that name, or has given it away already.
        """
        if name not in self._target.resources and not loose:
            names = ", ".join(self._target.resources)
            raise DesignError(
                f"The target {self._target.name} has no resource {name}; it has {names}.", code="unknown_resource"
            )
        taken = self.constraint_manager.lookup_request(name, number, loose=True) is not None
        if taken and not loose:
            raise DesignError(
                f"The resource {name} is requested twice; request it once, and use platform.lookup_request after that.",
                code="unknown_resource",
            )
        return super().request(name, number, loose)

    def add_period_constraint(self, clk: Any, period: float, keep: bool = True, name: str | None = None) -> None:
        """Timing is the target's own matter: what a design asks of a clock inside the window changes nothing."""

    def wires(self) -> Iterator[tuple[str, Wire, Any]]:
        """Resource, wire and signal of everything that was requested, in that order."""
        for (name, *_), requested in self.constraint_manager.matched:
            for wire in self._target.resources[name].wires:
                yield name, wire, getattr(requested, wire.name) if wire.name else requested
