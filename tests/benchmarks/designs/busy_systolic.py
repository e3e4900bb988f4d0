"""A large design that is always busy: a systolic array that multiplies random INT8 matrices, for ever.

As ``systolic.py``, but every cell works in every cycle. Simulators are compared with it: ``checksum`` is different in
every cycle, ``early`` is what it was after so many.
"""

from amaranth.hdl import Array, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

EARLY = 20_000
N = 12


class Top(wiring.Component):
    checksum: Out(32)
    early: Out(32)

    def elaborate(self, platform):
        m = Module()
        # George Marsaglia's xorshift (Journal of Statistical Software 8(14), 2003).
        random = Signal(32, init=2463534242)
        first, second = Signal(32), Signal(32)
        m.d.comb += [first.eq(random ^ (random << 13)), second.eq(first ^ (first >> 17))]
        m.d.sync += random.eq(second ^ (second << 5))
        cycle = Signal(32)
        m.d.sync += cycle.eq(cycle + 1)
        rows = [Signal(signed(8), name=f"row_{i}") for i in range(N)]
        columns = [Signal(signed(8), name=f"column_{i}") for i in range(N)]
        for i in range(N):
            m.d.sync += [rows[i].eq(random.rotate_left(5 * i)), columns[i].eq(~random.rotate_left(5 * i + 3))]
        across = [[Signal(signed(8), name=f"across_{r}_{c}") for c in range(N)] for r in range(N)]
        down = [[Signal(signed(8), name=f"down_{r}_{c}") for c in range(N)] for r in range(N)]
        sums = [[Signal(signed(32), name=f"sum_{r}_{c}") for c in range(N)] for r in range(N)]
        for r in range(N):
            for c in range(N):
                left = across[r][c - 1] if c else rows[r]
                above = down[r - 1][c] if r else columns[c]
                m.d.sync += [across[r][c].eq(left), down[r][c].eq(above)]
                m.d.sync += sums[r][c].eq(sums[r][c] + left * above)
        row, column = Signal(range(N)), Signal(range(N))
        m.d.sync += column.eq(column + 1)
        with m.If(column == N - 1):
            m.d.sync += [column.eq(0), row.eq(row + 1)]
            with m.If(row == N - 1):
                m.d.sync += row.eq(0)
        chosen = Array(Array(line) for line in sums)[row][column]
        m.d.sync += self.checksum.eq(self.checksum.rotate_left(1) ^ chosen)
        with m.If(cycle == EARLY):
            m.d.sync += self.early.eq(self.checksum)
        return m
