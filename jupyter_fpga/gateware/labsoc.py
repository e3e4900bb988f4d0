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
from migen import ClockDomain, If, Memory, Module, Record, Signal

from jupyter_fpga.gateware._clocking import Clocking
from jupyter_fpga.gateware.framing import FrameDecoder
from jupyter_fpga.gateware.manifest import Analyzer
from jupyter_fpga.gateware.targets import Target, find_target

__all__ = ("CoherentStatus", "LabController", "LabPhy", "LabSoC", "check_control", "platform_of")

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


class _Port(LiteXModule):  # type: ignore[misc]
    """What UARTBone takes for a PHY: its bytes, when they are its."""

    def __init__(self) -> None:
        self.source = stream.Endpoint([("data", 8)])
        self.sink = stream.Endpoint([("data", 8)])


class _PhyPorts(LiteXModule):  # type: ignore[misc]
    """A UART PHY that is elsewhere: see :class:`LabPhy`."""

    def __init__(self, ports: Any) -> None:
        self.source = stream.Endpoint([("data", 8)])
        self.sink = stream.Endpoint([("data", 8)])
        self.comb += [
            self.source.valid.eq(ports.rx_valid),
            self.source.data.eq(ports.rx_data),
            ports.tx_valid.eq(self.sink.valid),
            ports.tx_data.eq(self.sink.data),
            self.sink.ready.eq(ports.tx_ready),
        ]


class LabPhy(LiteXModule):  # type: ignore[misc]
    """The UART's PHY as a module of its own, for the simulator.

    It is at work in every cycle while bytes are on the line, and what is behind it in few of them. None of its outputs
    depends in the same cycle on its inputs, so the two can be evaluated one after the other.

    Parameters
    ----------
    clock_hz, baud
        As of the SoC.
    """

    def __init__(self, clock_hz: int, baud: int) -> None:
        self.clock_domains.cd_sys = ClockDomain()
        self.clk = Signal(name_override="clk")
        self.rst = Signal(name_override="rst")
        self.serial = Record([("rx", 1), ("tx", 1)], name="serial")
        self.phy = phy = UARTPHY(self.serial, clock_hz, baud)
        ports = {
            "rx_valid": phy.source.valid,
            "rx_data": phy.source.data,
            "tx_ready": phy.sink.ready,
            "tx_valid": phy.sink.valid,
            "tx_data": phy.sink.data,
        }
        self.ports = {self.clk, self.rst, *self.serial.flatten()}
        self.comb += [self.cd_sys.clk.eq(self.clk), self.cd_sys.rst.eq(self.rst)]
        for name, signal in ports.items():
            port = Signal(len(signal), name_override=name)
            self.comb += signal.eq(port) if name in ("tx_valid", "tx_data") else port.eq(signal)
            self.ports.add(port)


class Bridge(LiteXModule):  # type: ignore[misc]
    """The serial line's way to the bus: a receive FIFO, and behind it UARTBone and the lab's own frames.

    Both have the one bus master, since only one of them is at work at a time: UARTBone until a session of frames is
    opened, the frames until it is closed.

    Parameters
    ----------
    phy
        The UART's PHY.
    clock_hz
        System clock.
    depth, answer_depth
        Bytes of the receive FIFO, and of answers that are kept.
    """

    def __init__(self, phy: Any, clock_hz: float, depth: int, answer_depth: int) -> None:
        self.phy = phy
        self.fifo = fifo = stream.SyncFIFO([("data", 8)], depth, buffered=True)
        self.out = out = stream.Buffer([("data", 8)])
        self.bone = bone = UARTBone(phy=_Port(), clk_freq=clock_hz, address_width=32)
        self.frames = frames = FrameDecoder(clock_hz, answer_depth)
        self.bus = wishbone.Interface(data_width=32, address_width=32, addressing="word")
        #: High for each cycle in which a received byte finds the FIFO full.
        self.lost = Signal()
        #: Something is to be done: a byte waits, or a command is half received or half answered.
        self.busy = Signal()
        bone_waits = bone.fsm.ongoing("RECEIVE-CMD")
        for_frames = Signal()
        self.comb += [
            phy.source.connect(fifo.sink),
            self.lost.eq(phy.source.valid & ~fifo.sink.ready),
            for_frames.eq(frames.active | (bone_waits & frames.begins(fifo.source.data))),
            If(for_frames, fifo.source.connect(frames.sink)).Else(fifo.source.connect(bone.phy.source)),
            frames.level.eq(fifo.level),
            frames.arrived.eq(phy.source.valid),
            If(frames.source.valid, frames.source.connect(out.sink)).Else(bone.phy.sink.connect(out.sink)),
            out.source.connect(phy.sink),
            If(bone_waits, frames.bus.connect(self.bus)).Else(bone.wishbone.connect(self.bus)),
            self.busy.eq(~bone_waits | frames.busy | fifo.source.valid | fifo.sink.valid | out.source.valid),
        ]


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
    analyzer
        What watches the probes of the design in the window.
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
        analyzer: Analyzer | None = None,
        **kwargs: Any,
    ) -> None:
        board = find_target(target)
        clock_hz = int(sys_clk_freq or board.clock_hz)
        self.lab_target = board
        self.lab_baud = board.baud(clock_hz)
        platform = platform or platform_of(board, probes=analyzer.room if analyzer is not None else 0)
        # A soft reset (ctrl_reset) takes everything with it but the reset's own register. SoCMini connects `rst`.
        reset = Signal()
        clock = platform.request("clk")
        self.crg = Clocking(board, clock_hz, clock, reset) if board.implemented else CRG(clock, reset)
        self.crg.rst = reset
        kwargs.setdefault("cpu_type", None)
        if analyzer is not None:
            self.csr_map = {**self.csr_map, "analyzer": 2}
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
        self._add_bridge(platform, window and not board.implemented)
        if window:
            self._add_window(platform)
        if analyzer is not None:
            from jupyter_fpga.gateware._analyzer import add_analyzer

            add_analyzer(self, platform.request("probes"), analyzer)

    def _add_bridge(self, platform: Any, apart: bool) -> None:
        phy: Any
        if apart:
            ports = platform.request("phy")
            phy = _PhyPorts(ports)
            self.comb += ports.rst.eq(self.crg.cd_sys.rst)
        else:
            phy = UARTPHY(platform.request("serial"), self.sys_clk_freq, self.lab_baud)
        target = self.lab_target
        self.bridge = bridge = Bridge(phy, self.sys_clk_freq, target.fifo_depth, target.answer_depth)
        self.bus.add_master(name="bridge", master=bridge.bus)
        self.comb += [
            self.ctrl.lost.eq(bridge.lost),
            bridge.frames.error.eq(self.ctrl.bus_error),
            # Tells the simulator when nobody needs the clock.
            platform.request("busy").eq(bridge.busy),
        ]

    def _add_window(self, platform: Any) -> None:
        """The window as ports, behind a register.

        Nothing is looked at but the answer to what was asked: whatever a design shows besides, the SoC may rest. The
        answer is kept for one cycle before the bus sees it. So nothing that goes into the window depends in the same
        cycle on what comes out of it: a design may answer combinationally, and still neither the bus's timing nor the
        simulator's order of evaluation ever depends on the design.
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
        self.sync += [answered.eq(asked & ports.ack), If(asked & ports.ack, answer.eq(ports.dat_r))]


def platform_of(target: Target, name: str = "lab", *, probes: int = 0) -> Any:
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
            "phy",
            0,
            *(
                Subsignal(port, Pins(width))
                for port, width in (
                    ("rst", 1),
                    ("rx_valid", 1),
                    ("rx_data", 8),
                    ("tx_valid", 1),
                    ("tx_data", 8),
                    ("tx_ready", 1),
                )
            ),
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
    if probes:
        io.append(("probes", 0, Pins(probes)))
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
