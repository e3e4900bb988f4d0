"""An ECP5 at the end of a network cable: its JTAG port as a server of Xilinx' Virtual Cable, which openFPGALoader takes
for a cable (protocol: https://github.com/Xilinx/XilinxVirtualCable; instructions: Lattice FPGA-TN-02039, table 18)."""

import asyncio
import contextlib
import struct

ECP5_85 = 0x41113043
ECP5_25 = 0x41111043

#: Next state for TMS 0 and 1 (IEEE 1149.1, figure 6-1).
STATES = {
    "reset": ("idle", "reset"),
    "idle": ("idle", "select dr"),
    "select dr": ("capture dr", "select ir"),
    "capture dr": ("shift dr", "exit1 dr"),
    "shift dr": ("shift dr", "exit1 dr"),
    "exit1 dr": ("pause dr", "update dr"),
    "pause dr": ("pause dr", "exit2 dr"),
    "exit2 dr": ("shift dr", "update dr"),
    "update dr": ("idle", "select dr"),
    "select ir": ("capture ir", "reset"),
    "capture ir": ("shift ir", "exit1 ir"),
    "shift ir": ("shift ir", "exit1 ir"),
    "exit1 ir": ("pause ir", "update ir"),
    "pause ir": ("pause ir", "exit2 ir"),
    "exit2 ir": ("shift ir", "update ir"),
    "update ir": ("idle", "select dr"),
}
#: A byte as it is shifted, its lowest bit first.
BITS = [f"{byte:08b}"[::-1] for byte in range(256)]
IDCODE, ENABLE, DISABLE, STATUS, BURST = 0xE0, 0xC6, 0x26, 0x3C, 0x7A
ENABLED = 1 << 9


class Tap:
    """The port of one chip; ``idcode`` all ones is a cable with nothing at its end, 0 a short to ground."""

    def __init__(self, idcode: int) -> None:
        self.idcode = idcode
        self.written = bytearray()
        """What was sent as a bitstream, in the order of the file."""
        self._state = "reset"
        self._instruction = IDCODE
        self._enabled = False
        self._register: list[int] = []
        self._burst: list[str] = []

    def clock(self, tms: int, tdi: int) -> int:
        """One pulse of TCK; the level of TDO."""
        tdo = 1
        match self._state:
            case "reset":
                self._instruction = IDCODE
            case "capture dr":
                self._register = self._captured()
            case "capture ir":
                self._register = [1, 0, 0, 0, 0, 0, 0, 0]
            case "shift dr" | "shift ir":
                tdo = self._register.pop(0)
                self._register.append(tdi)
                if self._state == "shift dr" and self._instruction == BURST:
                    self._burst.append(str(tdi))
            case "update ir":
                self._obey(sum(bit << place for place, bit in enumerate(self._register)))
        self._state = STATES[self._state][tms]
        return tdo

    def burst(self, count: int, tms: bytes, tdi: bytes) -> bool:
        """Take ``count`` pulses at once that only go on with a bitstream; whether they do."""
        if (self._state, self._instruction) != ("shift dr", BURST) or any(tms):
            return False
        self._burst.append("".join(map(BITS.__getitem__, tdi))[:count])
        return True

    def _captured(self) -> list[int]:
        value = {IDCODE: self.idcode, STATUS: ENABLED if self._enabled else 0}.get(self._instruction, 0)
        return [value >> place & 1 for place in range(32)]

    def _obey(self, instruction: int) -> None:
        self._instruction = instruction
        if instruction in (ENABLE, DISABLE):
            self._enabled = instruction == ENABLE
        if instruction == DISABLE:
            # A file's byte comes with its highest bit first.
            bits = "".join(self._burst)
            self.written += bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) // 8 * 8, 8))
            self._burst.clear()


class Cable:
    """The server; ``async with`` it."""

    def __init__(self, tap: Tap) -> None:
        self.tap = tap
        self.port = 0
        self.hang = False
        """Whether it takes what is sent and says nothing."""
        self.asked = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Cable":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._connections:
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                command = await reader.readuntil(b":")
                self.asked.set()
                if command == b"getinfo:":
                    writer.write(b"xvcServer_v1.0:2048\n")
                elif command == b"settck:":
                    writer.write(await reader.readexactly(4))
                elif command == b"shift:":
                    (count,) = struct.unpack("<I", await reader.readexactly(4))
                    size = (count + 7) // 8
                    data = await reader.readexactly(2 * size)
                    if not self.hang:
                        writer.write(self._shift(count, data[:size], data[size:]))
        writer.close()

    def _shift(self, count: int, tms: bytes, tdi: bytes) -> bytes:
        tdo = bytearray(len(tms))
        if self.tap.burst(count, tms, tdi):
            return bytes(tdo)
        for at in range(count):
            byte, bit = at >> 3, at & 7
            if self.tap.clock(tms[byte] >> bit & 1, tdi[byte] >> bit & 1):
                tdo[byte] |= 1 << bit
        return bytes(tdo)


def bitstream(idcode: int, content: bytes) -> bytes:
    """A bitstream file for an ECP5 as far as a programmer looks: comments, preamble, the chip that it is for."""
    comments = b"\xff\x00" + b"Part: LFE5U\0"
    return comments + b"\xff\xff\xff\xff\xbd\xb3\xff\xff\xe2\0\0\0" + idcode.to_bytes(4, "big") + content
