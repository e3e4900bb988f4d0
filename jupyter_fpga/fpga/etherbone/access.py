"""What LiteX's tools may do to a board: from a packet's absolute addresses to operations on the bus.

They see the bus as ``csr.csv`` tells it, and what nobody answers there is a bus error as anywhere else. Kept from them
is what would take the lab's own link away, which everybody else who uses the board goes over: a restart of the whole
SoC, and the link's own registers, of which only the scratch register is lent.
"""

from collections.abc import Iterator, Sequence

from jupyter_fpga.errors import Invalid
from jupyter_fpga.etherbone import Packet
from jupyter_fpga.fpga import refusals
from jupyter_fpga.fpga.wishbone import Operation
from jupyter_fpga.gateware.manifest import Manifest

__all__ = ("Access",)

_WORD_BYTES = 4

#: Bytes of the page that LiteX's CSR bus gives each module (``csr_paging`` of the lab's SoC), and of the whole region.
_PAGE = 0x800
_CSR_REGION = 0x1_0000

#: The bits of ``ctrl_reset``, LiteX's ``SoCController``: one restarts the SoC with the bridge, one holds the CPU.
_SOC_RESET, _CPU_RESET = 1, 2


class Access:
    """What may be touched while the board runs the design of ``manifest``."""

    def __init__(self, manifest: Manifest) -> None:
        control = manifest.control
        self._scratch = control.scratch
        self._reset = control.scratch // _PAGE * _PAGE
        self._labs_own = tuple(
            range(at // _PAGE * _PAGE, at // _PAGE * _PAGE + _PAGE) for at in (control.scratch, control.identifier)
        )
        csr = control.scratch // _CSR_REGION * _CSR_REGION
        window = manifest.window
        self._regions = (range(window.base, window.base + window.size), range(csr, csr + _CSR_REGION))
        #: A SoC of one's own has memories that only its csr.csv knows.
        self._anywhere = manifest.form == "litex_soc"

    def operations(self, packet: Packet) -> list[Operation]:
        """What ``packet`` asks for, its writes first; reads that follow one another are one operation.

        Raises
        ------
        Invalid
            ``run_rejected``, ``misaligned`` …: something in it can't be done, and nothing may be sent.
        """
        operations = []
        if packet.words:
            write = Operation.write(packet.address, packet.words)
            self._require(write)
            for index, word in enumerate(packet.words):
                self._require_writable(packet.address + _WORD_BYTES * index, word)
            operations.append(write)
        for read in _bursts(packet.reads):
            self._require(read)
            operations.append(read)
        return operations

    def _require(self, operation: Operation) -> None:
        """Make sure that the first and the last address are somewhere; what is between them is the bus's to say."""
        last = operation.address + (0 if operation.fixed else _WORD_BYTES * (operation.count - 1))
        for address in () if self._anywhere else (operation.address, last):
            if not any(address in region for region in self._regions):
                window, csr = (f"{region.start:#010x} to {region.stop - 1:#010x}" for region in self._regions)
                where = f"neither in the design's window ({window}) nor" if self._regions[0] else "not"
                raise refusals.run_rejected(
                    f"the address {address:#010x} is {where} among the registers of the SoC ({csr}). "
                    "The board's csr.csv lists what there is.",
                    address=address,
                )

    def _require_writable(self, address: int, word: int) -> None:
        if address == self._scratch or not any(address in page for page in self._labs_own):
            return
        if address != self._reset:
            raise self._kept(address, "it belongs to the lab's link to the board")
        if word & ~_CPU_RESET:
            raise self._kept(
                address, f"{word:#x} would restart the whole SoC, and the lab's link with it; program the design again"
            )

    @staticmethod
    def _kept(address: int, why: str) -> Invalid:
        return refusals.run_rejected(f"the register at {address:#010x} can't be written so: {why}.", address=address)


def _bursts(addresses: Sequence[int]) -> Iterator[Operation]:
    """Reads of ``addresses`` in their order, in as few operations as that takes."""
    start = 0
    while start < len(addresses):
        first = addresses[start]
        step = addresses[start + 1] - first if start + 1 < len(addresses) else 0
        end = start + 1
        if step in (0, _WORD_BYTES):
            while end < len(addresses) and addresses[end] == first + step * (end - start):
                end += 1
        yield Operation.read(first, end - start, fixed=step == 0 and end - start > 1)
        start = end
