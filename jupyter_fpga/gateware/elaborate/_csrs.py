"""LiteX's CSRs as registers of the manifest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litex.soc.interconnect.csr import CSR, CSRAccess, CSRStatus, CSRStorage
from migen import Cat, If, Signal

from jupyter_fpga.gateware.manifest import Access, Field, Memory, Register

__all__ = ("CsrMemory", "coherent_csrs", "csr_memory", "csr_registers", "words_of_csr")


@dataclass
class CsrMemory:
    """A memory of the design on the CSR bus."""

    read_only: bool
    memory: Any
    offset: int = 0

    @property
    def words(self) -> int:
        """32-bit words that it takes: each of its own takes a power of two of them."""
        each = -(-self.memory.width // 32)
        power: int = 1 << (each - 1).bit_length()
        return int(self.memory.depth) * power


def words_of_csr(csr: Any) -> int:
    """32-bit words that a CSR takes."""
    return -(-int(csr.size) // 32)


def csr_memory(memory: CsrMemory, name: str | None = None) -> Memory:
    """What the manifest says of a memory, by the name that LiteX has for it unless another is given."""
    read_only = memory.read_only or getattr(memory.memory, "bus_read_only", False)
    return Memory(
        name=name or str(memory.memory.name_override),
        offset=memory.offset,
        words=memory.words,
        width=min(32, memory.memory.width),
        access="ro" if read_only else "rw",
    )


def csr_registers(csrs: Sequence[Any], offset: int, prefix: str = "") -> list[Register]:
    """Registers of consecutive CSRs, the first at ``offset`` bytes of the window."""
    registers = []
    for csr in csrs:
        words = words_of_csr(csr)
        if not (type(csr) is CSR and csr.name.startswith("reserved")):
            registers.append(_register(csr, offset, words, prefix))
        offset += 4 * words
    return registers


def _register(csr: Any, offset: int, words: int, prefix: str) -> Register:
    access: Access = "ro" if isinstance(csr, CSRStatus) and not hasattr(csr, "r") else "rw"
    value = _value(csr)
    return Register(
        name=prefix + str(csr.name),
        offset=offset,
        width=int(csr.size),
        words=words,
        access=access,
        reset=int(value.reset.value) & ((1 << int(csr.size)) - 1) if value is not None else 0,
        doc=_text(getattr(csr, "description", None)),
        # A plain CSR tells the design that it is read; LiteX's own FIFOs and UARTs pop by that.
        side_effects=type(csr) is CSR,
        fields=[_field(field, access) for field in getattr(getattr(csr, "fields", None), "fields", ())],
    )


def _value(csr: Any) -> Any:
    if isinstance(csr, CSRStorage):
        return csr.storage
    return csr.status if isinstance(csr, CSRStatus) else None


def _field(field: Any, access: Access) -> Field:
    known: dict[Any, Access] = {CSRAccess.WriteOnly: "wo", CSRAccess.ReadOnly: "ro", CSRAccess.ReadWrite: "rw"}
    names: dict[str, int] = {}
    for value in field.values or ():
        if len(value) == 3 and "x" not in str(value[0]):
            names[str(value[1])] = int(str(value[0]), 0)
    return Field(
        name=str(field.name),
        lsb=int(field.offset),
        width=int(field.size),
        doc=_text(field.description),
        enum=names or None,
        access=known.get(field.access, access),
    )


def _text(description: str | None) -> str:
    return " ".join((description or "").split())


def coherent_csrs() -> None:
    """Make every CSR of several words coherent, in this process: that is what a register of the lab is.

    As LiteX has them, the words of a ``CSRStatus`` are of different moments, and those of a ``CSRStorage`` take effect
    one by one. Here reading the first word of either latches the others, and a storage changes with the last word
    written. (LiteX offers only the latter, as ``atomic_write``.)
    """
    CSRStatus.do_finalize = _finalize_status
    CSRStorage.do_finalize = _finalize_storage


def _latched(csr: Any, value: Any, busword: int) -> list[tuple[Any, int, int]]:
    """The CSR's words, the most significant first, with the bits that each has."""
    parts: list[tuple[Any, int, int]] = []
    count = (csr.size + busword - 1) // busword
    for index in reversed(range(count)):
        low, high = index * busword, min(csr.size, (index + 1) * busword)
        word = CSR(high - low, csr.name + str(index) if count > 1 else csr.name)
        if not parts:
            csr.comb += word.w.eq(value[low:high])
        else:
            latch = Signal(high - low, name=f"{csr.name}_latch{index}")
            csr.sync += If(parts[0][0].we, latch.eq(value[low:high]))
            csr.comb += word.w.eq(latch)
        parts.append((word, low, high))
        csr.simple_csrs.append(word)
    return parts


def _finalize_status(csr: Any, busword: int, ordering: str) -> None:
    parts = _latched(csr, csr.status, busword)
    if not csr.read_only:
        for word, low, high in parts:
            csr.sync += If(word.re, csr.r[low:high].eq(word.r))
    csr.comb += csr.we.eq(parts[0][0].we)
    csr.sync += csr.re.eq(parts[-1][0].re)


def _finalize_storage(csr: Any, busword: int, ordering: str) -> None:
    parts = _latched(csr, csr.storage, busword)
    waiting: Any = Signal(csr.size - busword, name=f"{csr.name}_waiting") if len(parts) > 1 else None
    for word, low, high in parts:
        if low:
            csr.sync += If(word.re, waiting[low - busword : high - busword].eq(word.r))
        else:
            csr.sync += If(word.re, csr.storage.eq(Cat(word.r, waiting) if len(parts) > 1 else word.r))
    csr.sync += csr.re.eq(parts[-1][0].re)
