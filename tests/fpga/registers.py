"""A design with a register of each kind."""

from jupyter_fpga.fpga.registers import RegisterMap
from jupyter_fpga.gateware.manifest import Array, Control, Field, Manifest, Memory, Register, Window

BASE = 0x3000_0000
CONTROL = Control(0xF000_0004, 0xF000_0008, 0xF000_000C, 0xF000_0014, 0xF000_0800, 64)


def manifest(registers: list[Register] = (), memories: list[Memory] = (), size: int = 0x1000) -> Manifest:
    return Manifest(
        target="simulated",
        form="amaranth_component",
        top="Top",
        clock_hz=12_000_000,
        baud=1_000_000,
        fifo_depth=1024,
        window=Window(BASE, size),
        control=CONTROL,
        registers=list(registers),
        memories=list(memories),
    )


DESIGN = manifest(
    [
        Register("duty", 0x0, 8, 1, "rw"),
        Register(
            "status",
            0x4,
            12,
            1,
            "ro",
            fields=[
                Field("done", 0, 1),
                Field("mode", 1, 3, enum={"IDLE": 0, "RUN": 1}),
                Field("level", 4, 8, signed=True),
            ],
        ),
        Register(
            "ctl",
            0x8,
            8,
            1,
            "rw",
            fields=[Field("enable", 0, 1), Field("mode", 4, 2, enum={"OFF": 0, "SLOW": 1, "FAST": 2})],
        ),
        Register("offset", 0xC, 6, 1, "rw", signed=True),
        Register("wide", 0x10, 40, 2, "rw", fields=[Field("low", 0, 8), Field("middle", 28, 8), Field("all", 0, 40)]),
        Register("coef", 0x20, 16, 1, "rw", signed=True, array=Array(4, 4)),
        Register("pair", 0x40, 64, 2, "rw", array=Array(3, 8)),
        Register("sparse", 0x60, 8, 1, "rw", array=Array(2, 16)),
        Register("push", 0x80, 32, 1, "wo", fields=[Field("part", 0, 4)]),
        Register("pop", 0x84, 32, 1, "rw", side_effects=True, fields=[Field("part", 0, 4)]),
        Register("state", 0x88, 2, 1, "rw", enum={"IDLE": 0, "BUSY": 1}),
        Register("channel", 0x90, 8, 1, "rw", array=Array(2, 4), fields=[Field("gain", 4, 4)]),
    ],
    [Memory("buffer", 0x100, 64, 16, "rw"), Memory("table", 0x200, 8, 32, "ro")],
)
REGISTERS = RegisterMap(DESIGN)
