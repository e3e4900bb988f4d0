"""What stays in the notebook below a cell: one or two sentences about the design, the same every time."""

import html

from jupyter_fpga.client import Simulation
from jupyter_fpga.gateware.manifest import Manifest

__all__ = ("Summary",)


class Summary:
    """A sentence with a name in front, and the design's warnings.

    Parameters
    ----------
    name
        What the sentence is about.
    text
        The sentence.
    warnings
        More lines.
    """

    def __init__(self, name: str, text: str, warnings: tuple[str, ...] = ()) -> None:
        self.name, self.text, self.warnings = name, text, warnings

    @classmethod
    def of_board(cls, name: str, manifest: Manifest) -> "Summary":
        """A programmed board."""
        return cls(name, f"{_design(manifest)} runs on a board.", _warnings(manifest))

    @classmethod
    def of_build(cls, name: str, manifest: Manifest) -> "Summary":
        """A build without a board."""
        return cls(name, f"{_design(manifest)} is built.", _warnings(manifest))

    @classmethod
    def of_simulation(cls, name: str, simulation: Simulation) -> "Summary":
        """A simulation that has ended well."""
        cycles = f"{simulation.cycles:,} clock cycle{'' if simulation.cycles == 1 else 's'}"
        who = " and ".join(simulation.testbenches)
        one = len(simulation.testbenches) == 1
        if not simulation.testbenches:
            told = f"{cycles} with all inputs at their initial values, since the cell has no async def testbench(ctx)"
        elif simulation.ended == "limit":
            told = f"stopped by --until after {cycles}; {who} {'has' if one else 'have'} not ended"
        else:
            told = f"{who} {'passes' if one else 'pass'} in {cycles}"
        return cls(name, f"{simulation.top} (simulation, {simulation.clock_hz / 1e6:g} MHz): {told}.")

    def __repr__(self) -> str:
        return "\n".join([f"{self.name}: {self.text}", *(f"  warning: {warning}" for warning in self.warnings)])

    def _repr_html_(self) -> str:
        more = "".join(f"<br>⚠ {html.escape(warning)}" for warning in self.warnings)
        return f"<div><b>{html.escape(self.name)}</b>: {html.escape(self.text)}{more}</div>"


def _design(manifest: Manifest) -> str:
    has = []
    if manifest.registers:
        has.append(_listed("register", [register.name for register in manifest.registers]))
    if manifest.memories:
        has.append(_listed("memory region", [memory.name for memory in manifest.memories]))
    if manifest.pins:
        has.append(_listed("pin", sorted({pin.port for pin in manifest.pins})))
    with_ = f" with {'; '.join(has)}," if has else ""
    return f"{manifest.top} ({manifest.target}, {manifest.clock_hz / 1e6:g} MHz){with_}"


def _listed(what: str, names: list[str]) -> str:
    return f"{what}{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _warnings(manifest: Manifest) -> tuple[str, ...]:
    return tuple(
        f"line {warning.line}: {warning.message}" if warning.line else warning.message for warning in manifest.warnings
    )
