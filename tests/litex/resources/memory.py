"""1,024 words of memory, registers, and a place on the bus where nobody ever answers."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out


def bus(address_bits):
    return wiring.Signature(
        {
            **dict.fromkeys(("cyc", "stb", "we"), Out(1)),
            "adr": Out(address_bits),
            "sel": Out(4),
            "dat_w": Out(32),
            "dat_r": In(32),
            "ack": In(1),
        }
    )


class Top(wiring.Component):
    duty: In(8)
    inverted: Out(8)
    ticks: Out(40)
    memory: In(bus(10))
    silent: In(bus(4))

    def elaborate(self, platform):
        m = Module()
        m.submodules.words = words = Memory(shape=32, depth=1024, init=[])
        read, write = words.read_port(), words.write_port()
        busy = Signal()
        m.d.comb += [
            self.inverted.eq(~self.duty),
            read.addr.eq(self.memory.adr),
            write.addr.eq(self.memory.adr),
            write.data.eq(self.memory.dat_w),
            write.en.eq(busy & self.memory.we),
            self.memory.dat_r.eq(read.data),
            self.memory.ack.eq(busy),
            self.silent.dat_r.eq(0),
            self.silent.ack.eq(0),
        ]
        m.d.sync += [
            busy.eq(self.memory.cyc & self.memory.stb & ~busy),
            self.ticks.eq(self.ticks + 1),
        ]
        return m
