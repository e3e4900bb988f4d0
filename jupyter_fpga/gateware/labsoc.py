"""The SoC that every board runs: a bus, the UART bridge that notebooks reach it by, and the lab's own registers.

:class:`LabSoC` is LiteX's ``SoCMini`` with what a room full of people needs besides: a receive FIFO before the bridge,
so that requests can be pipelined; a bus time-out that is short enough for what arrives meanwhile to fit that FIFO; and
registers by which the host knows whether a transfer was whole (bus errors, overflow), and which design it talks to
(identifier). With ``window=True`` it leaves the window open as ports, for a design that is linked in later; a person's
own SoC (form 4 of the design contract) is a subclass without them.
"""

from typing import Any

from litex.build.generic_platform import GenericPlatform, Pins, Subsignal
from litex.build.io import CRG
from litex.gen import LiteXModule
from litex.soc.cores.identifier import Identifier
from litex.soc.cores.uart import UARTPHY, UARTBone
from litex.soc.integration.soc import SoCController, SoCRegion
from litex.soc.integration.soc_core import SoCMini
from litex.soc.interconnect import stream, wishbone
from litex.soc.interconnect.csr import CSR, CSRStatus
from migen import If, Memory, Module, Signal

from jupyter_fpga.gateware._clocking import Clocking
from jupyter_fpga.gateware.targets import Target, find_target

__all__ = ("CoherentStatus", "LabController", "LabSoC", "check_control", "platform_of")

#: Bits of a word address inside the window: 1 MiB of 32-bit words.
WINDOW_ADDRESS_BITS = 18


class CoherentStatus(CSRStatus):  # type: ignore[misc]
    """A ``CSRStatus`` of several words that is read as of one moment.

    Reading the first word (the most significant one, in LiteX's order) latches the others.
    """

    def do_finalize(self, busword: int, ordering: str) -> None:
        if ordering != "big":
            raise ValueError(f"The lab's registers have the most significant word first; ordering is {ordering!r}.")
        words = (self.size + busword - 1) // busword
        first = None
        for index in reversed(range(words)):
            low = index * busword
            bits = self.status[low : min(low + busword, self.size)]
            csr = CSR(len(bits), self.name + (str(index) if words > 1 else ""))
            if first is None:
                first = csr
                self.comb += csr.w.eq(bits)
            else:
                latch = Signal(len(bits), name=f"{self.name}_latch{index}")
                self.sync += If(first.we, latch.eq(bits))
                self.comb += csr.w.eq(latch)
            self.simple_csrs.append(csr)
        assert first is not None
        self.comb += self.we.eq(first.we)
        self.sync += self.re.eq(first.re)


class LabController(SoCController):  # type: ignore[misc]
    """LiteX's controller (reset, scratch, bus errors) with a coherent cycle counter and the bridge's overflow flag."""

    def __init__(self) -> None:
        super().__init__()
        self._cycles = CoherentStatus(64, description="Clock cycles since reset. Read the high word first.")
        self._overflow = CSRStatus(
            1,
            read_only=False,
            description="The bridge lost a received byte since the last write of any value to this register.",
        )
        #: High for each cycle in which a received byte finds the FIFO full.
        self.lost = Signal()
        cycles = Signal(64)
        overflow = Signal()
        self.sync += [
            cycles.eq(cycles + 1),
            If(self._overflow.re, overflow.eq(0)),
            If(self.lost, overflow.eq(1)),
        ]
        self.comb += [self._cycles.status.eq(cycles), self._overflow.status.eq(overflow)]


class _OutsideMemory(Memory):  # type: ignore[misc]
    """A memory to be read, whose words somebody else keeps.

    Parameters
    ----------
    pads
        ``adr`` asks for a word, and ``dat`` has it in the same cycle.
    """

    def __init__(self, width: int, depth: int, pads: Any) -> None:
        super().__init__(width, depth, name="mem")
        self.pads = pads

    @staticmethod
    def lower(memory: "_OutsideMemory") -> Any:
        """What Migen puts in its place: the register that a memory's read port has."""
        (port,) = memory.ports
        module = Module()
        address = Signal(len(port.adr), name="identifier_address")
        module.sync += address.eq(port.adr)
        module.comb += [memory.pads.adr.eq(address), port.dat_r.eq(memory.pads.dat)]
        return module


class _OutsideIdentifier(LiteXModule):  # type: ignore[misc]
    """LiteX's ``Identifier``, whose text is beside the SoC."""

    def __init__(self, words: int, pads: Any) -> None:
        self.mem = _OutsideMemory(8, words, pads)

    def get_memories(self) -> list[tuple[bool, Any]]:
        """As CSR banks ask for them: read-only, memory."""
        return [(True, self.mem)]


class _Buffered(LiteXModule):  # type: ignore[misc]
    """A UART PHY whose received bytes go through a FIFO. Has ``source`` and ``sink``, as a PHY."""

    def __init__(self, phy: Any, depth: int) -> None:
        self.phy = phy
        self.fifo = fifo = stream.SyncFIFO([("data", 8)], depth, buffered=True)
        self.sink = phy.sink
        self.source = fifo.source
        self.lost = Signal()
        self.comb += [phy.source.connect(fifo.sink), self.lost.eq(phy.source.valid & ~fifo.sink.ready)]


class LabSoC(SoCMini):  # type: ignore[misc]
    """The lab's SoC. Subclass it to bring a whole SoC of your own: a CPU, a console, anything LiteX has.

    Parameters
    ----------
    platform
        What the ports are requested from; made for ``target`` when not given. Its resources are the target's:
        ``leds``, ``buttons``, ``switches``, ``pmod`` and ``uart``.
    sys_clk_freq
        System clock, Hz; the target's own when not given.
    target
        Name of the kind of board.
    window
        Leave the window open as ports. Only the lab itself does.
    kwargs
        What ``SoCMini`` takes besides (``cpu_type``, ``integrated_rom_size`` …).
    """

    #: The CSR bus is where the target's control addresses say, with or without a CPU.
    mem_map = {**SoCMini.mem_map, "csr": 0xF000_0000}  # noqa: RUF012 - LiteX's own way

    #: Pages of the CSR bus that the lab has taken, so that they are the same in every design.
    csr_map = {"ctrl": 0, "identifier_mem": 1}  # noqa: RUF012 - LiteX's own way

    def __init__(
        self,
        platform: Any = None,
        sys_clk_freq: float | None = None,
        *,
        target: str = "simulated",
        window: bool = False,
        **kwargs: Any,
    ) -> None:
        board = find_target(target)
        clock_hz = int(sys_clk_freq or board.clock_hz)
        self.lab_target = board
        self.lab_baud = board.baud(clock_hz)
        platform = platform or platform_of(board)
        # A soft reset (ctrl_reset) takes everything with it but the reset's own register. SoCMini connects `rst`.
        reset = Signal()
        clock = platform.request("clk")
        self.crg = Clocking(board, clock_hz, clock, reset) if board.implemented else CRG(clock, reset)
        self.crg.rst = reset
        kwargs.setdefault("cpu_type", None)
        super().__init__(
            platform,
            clock_hz,
            bus_timeout=board.bus_timeout,
            with_ctrl=False,
            ident="",
            ident_version=False,
            csr_paging=0x800,
            csr_ordering="big",
            csr_data_width=32,
            **kwargs,
        )
        self.ctrl = LabController()
        # What it says is known only after elaboration: a simulator writes it over this one at power-up, and in a
        # bitstream it is a memory beside the SoC.
        words = board.control.identifier_words
        if board.implemented:
            self.identifier = _OutsideIdentifier(words, platform.request("identifier"))
        else:
            self.identifier = Identifier(" " * (words - 1))
        self._add_bridge(platform)
        if window:
            self._add_window(platform)

    def _add_bridge(self, platform: Any) -> None:
        phy = UARTPHY(platform.request("serial"), self.sys_clk_freq, self.lab_baud)
        self.bridge_phy = _Buffered(phy, self.lab_target.fifo_depth)
        self.bridge = UARTBone(phy=self.bridge_phy, clk_freq=self.sys_clk_freq, address_width=32)
        self.bus.add_master(name="bridge", master=self.bridge.wishbone)
        # Tells the simulator when nobody needs the clock: no byte waiting, no command half received or half answered.
        self.comb += [
            self.ctrl.lost.eq(self.bridge_phy.lost),
            platform.request("busy").eq(
                ~self.bridge.fsm.ongoing("RECEIVE-CMD") | self.bridge_phy.source.valid | self.bridge_phy.fifo.sink.valid
            ),
        ]

    def _add_window(self, platform: Any) -> None:
        """The window as ports, behind a register.

        The answer is kept for one cycle before the bus sees it. So nothing that goes into the window depends in the
        same cycle on what comes out of it: a design may answer combinationally, and still neither the bus's timing nor
        the simulator's order of evaluation ever depends on the design.
        """
        ports = platform.request("window")
        bus = wishbone.Interface(data_width=32, address_width=32, addressing="word")
        area = self.lab_target.window
        self.bus.add_slave("window", bus, SoCRegion(origin=area.base, size=area.size, cached=False, mode="rw"))
        answered = Signal()
        answer = Signal(32)
        asked = Signal()
        self.comb += [
            asked.eq(bus.cyc & bus.stb & ~answered),
            ports.rst.eq(self.crg.cd_sys.rst),
            ports.adr.eq(bus.adr[:WINDOW_ADDRESS_BITS]),
            ports.dat_w.eq(bus.dat_w),
            ports.sel.eq(bus.sel),
            ports.we.eq(bus.we),
            ports.cyc.eq(asked),
            ports.stb.eq(asked),
            bus.ack.eq(answered & bus.cyc & bus.stb),
            bus.dat_r.eq(answer),
        ]
        if self.lab_target.implemented:
            # The design runs at the SoC's clock, which may come out of a PLL.
            self.comb += platform.request("sys_clk").eq(self.crg.cd_sys.clk)
        self.sync += [answered.eq(asked & ports.ack), answer.eq(ports.dat_r)]


def platform_of(target: Target, name: str = "lab") -> Any:
    """A LiteX platform whose resources are those of ``target``, and the ports that the lab's simulator expects."""
    io: list[Any] = [
        ("clk", 0, Pins(1)),
        ("busy", 0, Pins(1)),
        ("sys_clk", 0, Pins(1)),
        ("serial", 0, Subsignal("rx", Pins(1)), Subsignal("tx", Pins(1))),
        (
            "identifier",
            0,
            Subsignal("adr", Pins((target.control.identifier_words - 1).bit_length())),
            Subsignal("dat", Pins(8)),
        ),
        (
            "window",
            0,
            *(
                Subsignal(port, Pins(width))
                for port, width in (
                    ("rst", 1),
                    ("adr", WINDOW_ADDRESS_BITS),
                    ("dat_w", 32),
                    ("dat_r", 32),
                    ("sel", 4),
                    ("cyc", 1),
                    ("stb", 1),
                    ("we", 1),
                    ("ack", 1),
                )
            ),
        ),
    ]
    for resource in target.resources.values():
        if len(resource.wires) == 1:
            io.append((resource.name, 0, Pins(resource.wires[0].width)))
        else:
            io.append((resource.name, 0, *(Subsignal(wire.name, Pins(wire.width)) for wire in resource.wires)))
    return GenericPlatform(name, io)


def check_control(soc: LabSoC) -> None:
    """See that the lab's registers are where the target's data says.

    Raises
    ------
    AssertionError
        They aren't: the target's ``control`` and this module have come apart.
    """
    regions = soc.csr.regions
    found = {"identifier": regions["identifier_mem"].origin, "identifier_words": regions["identifier_mem"].obj.depth}
    address = regions["ctrl"].origin
    for register in regions["ctrl"].obj:
        found[register.name] = address
        address += 4 * ((register.size + 31) // 32)
    for name, expected in soc.lab_target.control.to_json().items():
        if found[name] != expected:
            raise AssertionError(
                f"The target says that {name} is at {expected:#x}, and the SoC has it at {found[name]:#x}."
            )
