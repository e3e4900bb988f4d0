"""What the two simulations of a verification are asked, in the design's own names; and where their answers part."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jupyter_fpga.gateware.manifest import Manifest, Memory, Register, from_words, to_words

__all__ = ("Answer", "Difference", "Request", "first_difference", "requests_for", "script_of")

#: Words of a memory that are read one after the other: a frame's answer stays short.
_BURST = 16

#: Words of a memory that are read at the beginning; of a larger one, in bursts from all over it.
_MOST_WORDS = 2048

#: How often a memory is chosen for each time that a register is; and after how many accesses, about, the time is asked.
_REGISTERS_PER_MEMORY = 4
_ROUNDS_PER_CLOCK = 16

#: Clock cycles between two requests, at most: designs count, and wait.
_LONGEST_IDLE = 400


@dataclass(frozen=True)
class Request:
    """One access, and what the bench does before it.

    Parameters
    ----------
    name
        What it is, as people call it: ``reading duty``, ``writing words 5 to 20 of memory``.
    address
        In bytes, absolute.
    words
        To be written; None for a read.
    count
        Words to be read.
    buttons, switches, pmod
        Levels that the bench holds.
    idle
        Clock cycles after it.
    """

    name: str
    address: int
    words: tuple[int, ...] | None
    count: int
    buttons: int
    switches: int
    pmod: int
    idle: int

    def frame(self) -> bytes:
        """The bytes of the command, as LiteX's UARTBone takes them: incrementing write or read."""
        head = bytes([2 if self.words is None else 1, len(self.words) if self.words else self.count])
        data = b"".join(word.to_bytes(4, "big") for word in self.words or ())
        return head + (self.address // 4).to_bytes(4, "big") + data


@dataclass(frozen=True)
class Answer:
    """What became of a request.

    Parameters
    ----------
    data
        Bytes that came.
    cycle
        Clock cycles since power-up when the last of them was there, or when the waiting ended.
    outputs
        LEDs, free pins, and which of these are driven, in the end.
    """

    data: bytes
    cycle: int
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Difference:
    """Where two transcripts part: at which request, and a sentence's part about how."""

    number: int
    request: Request
    how: str


def requests_for(manifest: Manifest, seed: int, rounds: int) -> list[Request]:
    """All registers and memories, read as they are after configuration; then ``rounds`` accesses at random.

    Both simulations are asked the same in the same cycle, so that registers with side effects need no exception.
    """
    return list(_Asking(manifest, seed).all(rounds))


class _Asking:
    """Makes requests of what a manifest says is there."""

    def __init__(self, manifest: Manifest, seed: int) -> None:
        self._manifest = manifest
        self._chance = random.Random(seed)
        registers = manifest.registers
        self._elements = [(one, index) for one in registers for index in range(one.array.length if one.array else 1)]

    def all(self, rounds: int) -> Iterator[Request]:
        control = self._manifest.control
        for start in range(0, control.identifier_words, _BURST):
            yield self._request("reading the identifier", control.identifier + 4 * start, None, _BURST)
        yield self._request("reading the scratch register", control.scratch, None, 1)
        for register, index in self._elements:
            if register.access != "wo":
                yield self._read(register, index)
        for memory in self._manifest.memories:
            if memory.access != "wo":
                for start in _starts(memory.words):
                    yield self._memory(memory, start, min(_BURST, memory.words - start), writes=False)
        for _ in range(rounds if self._elements or self._manifest.memories else 0):
            yield self._any()
            if self._chance.randrange(_ROUNDS_PER_CLOCK) == 0:
                yield self._request("reading the cycle counter", control.cycles, None, 2)
        yield self._request("reading the count of bus errors", control.bus_errors, None, 1)
        yield self._request("reading the overflow flag", control.overflow, None, 1)

    def _any(self) -> Request:
        """An access to anything; a memory counts as several registers."""
        chance = self._chance
        memories = self._manifest.memories
        choice = chance.randrange(len(self._elements) + _REGISTERS_PER_MEMORY * len(memories))
        writes = bool(chance.getrandbits(1))
        if choice < len(self._elements):
            register, index = self._elements[choice]
            writes = register.access == "wo" or (writes and register.access == "rw")
            return self._write(register, index) if writes else self._read(register, index)
        memory = chance.choice(memories)
        writes = memory.access == "wo" or (writes and memory.access == "rw")
        start = chance.randrange(memory.words)
        return self._memory(memory, start, chance.randint(1, min(_BURST, memory.words - start)), writes=writes)

    def _read(self, register: Register, index: int) -> Request:
        return self._request(f"reading {_name(register, index)}", self._address(register, index), None, register.words)

    def _write(self, register: Register, index: int) -> Request:
        words = to_words(self._chance.getrandbits(register.width), register.words)
        return self._request(f"writing {_name(register, index)}", self._address(register, index), words, 0)

    def _memory(self, memory: Memory, start: int, count: int, *, writes: bool) -> Request:
        address = self._manifest.window.base + memory.offset + 4 * start
        name = f"{'writing' if writes else 'reading'} {_words(start, count)} of {memory.name}"
        if not writes:
            return self._request(name, address, None, count)
        return self._request(name, address, [self._chance.getrandbits(memory.width) for _ in range(count)], 0)

    def _address(self, register: Register, index: int) -> int:
        stride = register.array.stride if register.array else 0
        return self._manifest.window.base + register.offset + index * stride

    def _request(self, name: str, address: int, words: Sequence[int] | None, count: int) -> Request:
        chance = self._chance
        levels = chance.getrandbits(4), chance.getrandbits(8), chance.getrandbits(8)
        idle = chance.randrange(_LONGEST_IDLE)
        return Request(name, address, None if words is None else tuple(words), count, *levels, idle)


def _starts(words: int) -> Iterator[int]:
    step = _BURST * max(1, -(-words // _MOST_WORDS))
    yield from range(0, words, step)


def _words(start: int, count: int) -> str:
    return f"word {start}" if count == 1 else f"words {start} to {start + count - 1}"


def _name(register: Register, index: int) -> str:
    return f"{register.name}[{index}]" if register.array else register.name


def script_of(requests: Sequence[Request]) -> str:
    """The text that ``harness/transcript.cc`` reads: levels, a command in hexadecimal, bytes to await, idle cycles."""
    return "".join(
        f"{one.buttons} {one.switches} {one.pmod} {one.frame().hex()} {4 * one.count if one.words is None else 0} "
        f"{one.idle}\n"
        for one in requests
    )


def first_difference(
    requests: Sequence[Request], netlist: Sequence[Answer], bitstream: Sequence[Answer]
) -> Difference | None:
    """Where the answers of the netlist's simulation and the bitstream's part, if they do."""
    for number, (request, first, second) in enumerate(zip(requests, netlist, bitstream, strict=True)):
        if first == second:
            continue
        if first.data != second.data:
            how = f"gives {_value(request, first)} in the netlist and {_value(request, second)} in the bitstream"
        elif first.outputs != second.outputs:
            names = ("leds", "pmod", "the pmod's outputs")
            pin, one, other = next(
                (name, left, right)
                for name, left, right in zip(names, first.outputs, second.outputs, strict=True)
                if left != right
            )
            how = f"leaves {pin} at {one:#04x} in the netlist and at {other:#04x} in the bitstream"
        else:
            how = f"ends at clock cycle {first.cycle} in the netlist and at {second.cycle} in the bitstream"
        return Difference(number, request, how)
    return None


def _value(request: Request, answer: Answer) -> str:
    if len(answer.data) < 4 * request.count:
        return f"no answer after {len(answer.data)} bytes"
    words = [int.from_bytes(answer.data[at : at + 4], "big") for at in range(0, len(answer.data), 4)]
    if len(words) <= 2:
        return f"{from_words(words):#x}"
    return ", ".join(f"{word:#x}" for word in words[:4]) + (", …" if len(words) > 4 else "")
