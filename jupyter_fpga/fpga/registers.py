"""From what a person asks for to operations on the bus, and back.

Everything that can be refused is refused here, before anything reaches the board.

A transaction is ``{"op": 1|2|"write"|"read", …}`` with either ``address`` (byte offset in the window) or ``register``:
the name of a register or memory in the manifest, of an element (``coef[3]``), or of a field (``status.done``,
``channel[2].gain``). By address, ``data`` and ``count`` are 32-bit words; by name they are *values*: of whatever width
the register has, signed where it is signed, and a text where the design has an enum.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from jupyter_fpga.fpga import refusals
from jupyter_fpga.fpga.frames import MAX_FRAME_WORDS, Request
from jupyter_fpga.fpga.places import MAX_NAME_CHARACTERS, Part, Places
from jupyter_fpga.fpga.shapes import Refused, encode, hexadecimal, plural, shown
from jupyter_fpga.fpga.wishbone import Operation
from jupyter_fpga.gateware.manifest import Manifest, Register, to_words

__all__ = ("MAX_TOTAL_WORDS", "MAX_TRANSACTIONS", "MAX_WORDS", "Access", "Plan", "RegisterMap", "plan")

#: Transactions in one job, as the API's contract says.
MAX_TRANSACTIONS = 1024

#: Words of one transaction.
MAX_WORDS = MAX_FRAME_WORDS

#: Words of one job: 1 MiB, the whole window of the largest design, 10 s of a wire of 1 Mbaud.
MAX_TOTAL_WORDS = 262_144

_FIELDS = ("op", "address", "register", "data", "count", "fixed_address")
_OPS: dict[int | str, Literal["read", "write"]] = {1: "write", 2: "read", "write": "write", "read": "read"}


@dataclass(frozen=True, slots=True)
class Access:
    """One transaction that was found to be right.

    Parameters
    ----------
    operation
        What to do on the bus, at its absolute address.
    part
        What was asked for by name; ``None`` for an access by address.
    """

    operation: Operation
    part: Part | None = None

    def answer(self, words: Sequence[int]) -> dict[str, Any]:
        """The result as data.

        Returns
        -------
        dict
            ``data``, the words read; for a read by name also ``values``, and ``names`` where the design has an enum
            (``None`` for a value without a name).
        """
        answer: dict[str, Any] = {"data": list(words)}
        if self.part is not None and not self.operation.is_write:
            answer["values"] = values = self.part.values(words)
            if self.part.shape.enum is not None:
                names = {value: name for name, value in self.part.shape.enum.items()}
                answer["names"] = [names.get(value) for value in values]
        return answer


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked job: one access, and one operation, for each transaction."""

    accesses: tuple[Access, ...]

    @property
    def operations(self) -> list[Operation]:
        """What to give to :meth:`~jupyter_fpga.fpga.wishbone.WishboneLink.run`."""
        return [access.operation for access in self.accesses]

    def answers(self, results: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
        """The results of the first ``len(results)`` operations as data; see :meth:`Access.answer`."""
        return [access.answer(words) for access, words in zip(self.accesses, results, strict=False)]


def plan(manifest: Manifest, transactions: Sequence[Mapping[str, Any]]) -> Plan:
    """Check the transactions of one job; see :meth:`RegisterMap.plan`."""
    return RegisterMap(manifest).plan(transactions)


class RegisterMap:
    """What can be read and written in the window of one design. Made once for many transactions."""

    def __init__(self, manifest: Manifest) -> None:
        self._base = manifest.window.base
        self._places = Places(manifest)

    def plan(self, transactions: Sequence[Mapping[str, Any]]) -> Plan:
        """Check the transactions of one job.

        Raises
        ------
        Invalid
            ``run_rejected``: one of them can't be right, and nothing may be sent. The sentence says which and why, and
            names the nearest valid register; ``detail`` has ``transaction``, ``nearest`` and ``nearest_offset``.
        """
        if not transactions:
            raise refusals.run_rejected("there is no transaction in the request. Give at least one.")
        if len(transactions) > MAX_TRANSACTIONS:
            raise refusals.run_rejected(
                f"there are {len(transactions)} transactions, and one job has at most {MAX_TRANSACTIONS}. "
                "Split them into several jobs.",
                limit=MAX_TRANSACTIONS,
            )
        accesses = []
        total = 0
        for index, transaction in enumerate(transactions):
            try:
                access = self._access(transaction)
            except Refused as refused:
                where = f"in transaction {index}, " if len(transactions) > 1 else ""
                raise refusals.run_rejected(f"{where}{refused}", transaction=index, **refused.detail) from None
            accesses.append(access)
            total += access.operation.count
        if total > MAX_TOTAL_WORDS:
            raise refusals.run_rejected(
                f"the transactions move {total} words, and one job moves at most {MAX_TOTAL_WORDS}. "
                "Split them into several jobs.",
                limit=MAX_TOTAL_WORDS,
            )
        return Plan(tuple(accesses))

    def access(self, transaction: Mapping[str, Any]) -> Access:
        """Check one transaction. Raises as :meth:`plan`."""
        return self.plan((transaction,)).accesses[0]

    def frame(self, request: Request) -> Access:
        """Check a binary request of the live path. Raises as :meth:`plan`."""
        try:
            return self._by_address(request.address, request.words, request.count, request.fixed_address)
        except Refused as refused:
            raise refusals.run_rejected(str(refused), transaction=0, **refused.detail) from None

    def _access(self, transaction: Mapping[str, Any]) -> Access:
        asked = _Asked(transaction)
        if asked.register is not None:
            return self._by_name(asked.register, asked.data, asked.count, asked.fixed)
        assert asked.address is not None
        if asked.data:
            return self._by_address(asked.address, asked.data, len(asked.data), asked.fixed)
        return self._by_address(asked.address, None, 1 if asked.count is None else asked.count, asked.fixed)

    def _by_address(self, offset: int, words: Sequence[Any] | None, count: int, fixed: bool) -> Access:
        places = self._places
        if not 1 <= count <= MAX_WORDS:
            raise Refused(f"the access is to {plural(count, 'word')}; one transaction moves 1 to {MAX_WORDS}.")
        if offset % 4:
            raise places.refused(offset, f"the address {hexadecimal(offset)} is misaligned; it must be a multiple of 4")
        places.require(offset, 1 if fixed else count, writes=words is not None)
        if words is not None:
            words = places.words(offset, words, fixed=fixed)
        return Access(Operation(self._base + offset, count, words, fixed))

    def _by_name(self, name: str, data: list[Any], count: int | None, fixed: bool) -> Access:
        part = self._places.named(name)
        if count is None:
            count = len(data) if data else part.elements if part.whole and not fixed else 1
        _require_count(part, count, fixed)
        address = self._base + part.offset
        if not data:
            if part.access == "wo":
                raise Refused(f"'{name}' can only be written.")
            return Access(Operation(address, count * part.words, None, fixed), part)
        if part.access == "ro":
            raise self._places.refused(part.offset, f"'{name}' can only be read", writes=True)
        bits = [encode(part.shape, value, f"'{name}'") for value in data]
        if part.field is not None:
            bits = [bits[0] << part.field.lsb]
        words = [word for value in bits for word in to_words(value, part.words)]
        if part.partial:
            return Access(self._modify(part, address, words), part)
        return Access(Operation(address, len(words), tuple(words), fixed), part)

    def _modify(self, part: Part, address: int, words: list[int]) -> Operation:
        register, field = part.owner, part.field
        assert isinstance(register, Register)
        assert field is not None
        if register.access != "rw" or register.side_effects:
            why = "reading it changes something" if register.access == "rw" else "it can't be read"
            raise Refused(
                f"'{part.name}' can't be written alone: the other bits of '{register.name}' have to be kept, "
                f"and {why}. Write '{register.name}' as a whole.",
                nearest=register.name,
            )
        mask = to_words(((1 << field.width) - 1) << field.lsb, part.words)
        return Operation(address, part.words, tuple(words), mask=tuple(mask))


class _Asked:
    """A transaction whose fields are of the right kind."""

    __slots__ = ("address", "count", "data", "fixed", "register")

    def __init__(self, transaction: Mapping[str, Any]) -> None:
        for name in transaction:
            if name not in _FIELDS:
                near = difflib.get_close_matches(str(name), _FIELDS, 1)
                hint = f"the nearest is '{near[0]}'." if near else f"it has {', '.join(_FIELDS)}."
                raise Refused(f"a transaction has no field {shown(name)}; {hint}")
        writes = self._op(transaction.get("op")) == "write"
        self.data = self._data(transaction.get("data"), writes)
        # On a write the number of values says it all; the peer system's client sends a 0 here.
        self.count = None if writes else self._whole_number("count", transaction.get("count"))
        self.address = self._whole_number("address", transaction.get("address"))
        self.register = self._name(transaction.get("register"))
        self.fixed = self._flag(transaction.get("fixed_address"))
        if self.address is None and self.register is None:
            raise Refused("the transaction has neither address nor register; give one of them.")
        if self.address is not None and self.register is not None:
            raise Refused("the transaction has both address and register; give one of them.")

    @staticmethod
    def _op(op: Any) -> Literal["read", "write"]:
        if isinstance(op, bool) or not isinstance(op, int | str) or op not in _OPS:
            raise Refused(f"op is {shown(op)}; use 1 or 'write', 2 or 'read'.")
        return _OPS[op]

    @staticmethod
    def _data(data: Any, writes: bool) -> list[Any]:
        if data is None:
            data = []
        if not isinstance(data, list):
            raise Refused("data is not a list; give a list of values.")
        if writes and not data:
            raise Refused("a write needs data; give at least one value.")
        if data and not writes:
            raise Refused("a read has no data; leave it out, or make it a write.")
        return data

    @staticmethod
    def _whole_number(field: str, value: Any) -> int | None:
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise Refused(f"{field} is {shown(value)}; give a whole number.")
        return value

    @staticmethod
    def _name(value: Any) -> str | None:
        if value is not None and (not isinstance(value, str) or len(value) > MAX_NAME_CHARACTERS):
            raise Refused(f"register is not a name; give a text of up to {MAX_NAME_CHARACTERS} characters.")
        return value

    @staticmethod
    def _flag(value: Any) -> bool:
        if value is not None and not isinstance(value, bool):
            raise Refused(f"fixed_address is {shown(value)}; use true or false.")
        return bool(value)


def _require_count(part: Part, count: int, fixed: bool) -> None:
    if fixed:
        if part.words > 1 or part.field is not None:
            raise Refused(f"fixed_address is for registers of one word, which '{part.name}' isn't; leave it out.")
        limit = MAX_WORDS
    else:
        limit = min(part.elements, MAX_WORDS // part.words)
    if not 1 <= count <= limit:
        have = "1 value" if limit == 1 else f"1 to {limit} values"
        raise Refused(f"the access is to {plural(count, 'value')}; '{part.name}' takes {have} at a time.")
    if count > 1 and not fixed and not part.contiguous:
        raise Refused(
            f"the elements of '{part.owner.name}' don't follow each other on the bus; access one at a time, "
            f"as in '{part.owner.name}[0]'."
        )
