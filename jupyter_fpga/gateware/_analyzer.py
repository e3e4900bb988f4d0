"""The logic analyzer behind a design's probes: LiteScope, with means to see edges.

LiteScope compares the probes with a value and a mask, one step of a trigger after the other. An edge is more than that:
it needs the cycle before. So two bits that are computed are analyzed along with the probes: each is high in the cycles
in which one of the bits that its masks choose has risen or fallen.
"""

from typing import Any

from litescope import LiteScopeAnalyzer
from litex.gen import LiteXModule
from litex.soc.interconnect.csr import CSRStorage
from migen import Cat, Signal

from jupyter_fpga.gateware.manifest import EDGE_UNITS, TRIGGER_STEPS, Analyzer

__all__ = ("LabAnalyzer", "add_analyzer", "check_analyzer")


class _Edge(LiteXModule):  # type: ignore[misc]
    """High while a chosen bit has just changed.

    Parameters
    ----------
    now, before
        The bits in this cycle and in the one before it.
    """

    def __init__(self, now: Any, before: Any) -> None:
        self._rise = CSRStorage(len(now), description="Bits of the probes whose rise counts.")
        self._fall = CSRStorage(len(now), description="Bits of the probes whose fall counts.")
        self.seen = Signal()
        self.comb += self.seen.eq(((now & ~before & self._rise.storage) | (~now & before & self._fall.storage)) != 0)


class LabAnalyzer(LiteScopeAnalyzer):  # type: ignore[misc]
    """LiteScope's analyzer for the probes of a design, in the system's clock domain.

    Parameters
    ----------
    probes
        All of them, as one signal; what is not used is constant.
    depth
        Samples.
    clock_hz
        Frequency of the system clock.
    """

    def __init__(self, probes: Any, depth: int, clock_hz: int) -> None:
        # Once through a register: what the design computes in a cycle isn't lengthened by what looks at it.
        now, before = Signal(len(probes), name="probes_now"), Signal(len(probes), name="probes_before")
        edges = [_Edge(now, before) for _ in range(EDGE_UNITS)]
        data = Cat(*(edge.seen for edge in edges), now)
        data_signal = Signal(len(data), name="analyzer_data")
        super().__init__(
            [data_signal], depth, samplerate=clock_hz, trigger_depth=TRIGGER_STEPS, register=False, csr_csv=None
        )
        self.sync += [now.eq(probes), before.eq(now)]
        self.comb += data_signal.eq(data)
        for number, edge in enumerate(edges):
            setattr(self, f"edge{number}", edge)


def add_analyzer(soc: Any, probes: Any, analyzer: Analyzer) -> None:
    """Add the analyzer to a SoC, at the page of the CSR bus that is kept for it."""
    soc.analyzer = LabAnalyzer(probes, analyzer.depth, soc.sys_clk_freq)


def check_analyzer(soc: Any, analyzer: Analyzer) -> None:
    """See that the analyzer's registers are where :meth:`.Analyzer.registers` says.

    Raises
    ------
    AssertionError
        They aren't: this LiteScope is another one than the lab was made for.
    """
    address = soc.csr.regions["analyzer"].origin
    found = {}
    for register in soc.csr.regions["analyzer"].obj:
        words = (register.size + 31) // 32
        found[register.name] = (address, words)
        address += 4 * words
    expected = {name: (address, words) for name, (address, words, _) in analyzer.registers().items()}
    if found != expected:
        raise AssertionError(f"The analyzer's registers are {found}, and the lab expects {expected}.")
