"""The ports of the module ``lab_window``, the same for every design of a target."""

from typing import Literal

from jupyter_fpga.gateware.targets import Target

__all__ = ("address_bits", "window_ports")


def address_bits(target: Target) -> int:
    """Bits of a word address inside the target's window."""
    return (target.window.size // 4).bit_length() - 1


def window_ports(target: Target, probes: int = 0) -> dict[str, tuple[int, Literal["i", "o"]]]:
    """Name → (width, direction) of every port of ``lab_window`` but ``clk`` and ``rst``.

    Parameters
    ----------
    probes
        Bits that are led out for an analyzer.
    """
    ports: dict[str, tuple[int, Literal["i", "o"]]] = {
        "wb_adr": (address_bits(target), "i"),
        "wb_dat_w": (32, "i"),
        "wb_sel": (4, "i"),
        "wb_cyc": (1, "i"),
        "wb_stb": (1, "i"),
        "wb_we": (1, "i"),
        "wb_dat_r": (32, "o"),
        "wb_ack": (1, "o"),
    }
    for resource in target.resources.values():
        for wire in resource.wires:
            width, _ = ports.get(wire.port, (0, "i"))
            ports[wire.port] = (max(width, wire.lsb + wire.width), wire.direction)
    if probes:
        ports["probes"] = (probes, "o")
    return ports
