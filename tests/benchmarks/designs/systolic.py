"""The large design, where the C++ compiler dominates: a systolic array that multiplies INT8 matrices.

Rows of A enter from the left, columns of B from the top, each skewed by one cycle per row or column; every cell
multiplies what passes, adds it to its own sum and hands both on.
"""

from amaranth.hdl import Array, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

N = 12


class Top(wiring.Component):
    a: In(signed(8))
    b: In(signed(8))
    lane: In(8)
    row: In(8)
    column: In(8)
    step: In(1)
    clear: In(1)
    sum: Out(signed(32))

    def elaborate(self, platform):
        m = Module()
        before = Signal()
        go = Signal()
        m.d.sync += before.eq(self.step)
        m.d.comb += go.eq(self.step & ~before)
        rows = [Signal(signed(8), name=f"row_{i}") for i in range(N)]
        columns = [Signal(signed(8), name=f"column_{i}") for i in range(N)]
        for i in range(N):
            with m.If(self.lane == i):
                m.d.sync += [rows[i].eq(self.a), columns[i].eq(self.b)]
        across = [[Signal(signed(8), name=f"across_{r}_{c}") for c in range(N)] for r in range(N)]
        down = [[Signal(signed(8), name=f"down_{r}_{c}") for c in range(N)] for r in range(N)]
        sums = [[Signal(signed(32), name=f"sum_{r}_{c}") for c in range(N)] for r in range(N)]
        for r in range(N):
            for c in range(N):
                left = across[r][c - 1] if c else rows[r]
                above = down[r - 1][c] if r else columns[c]
                with m.If(go):
                    m.d.sync += [across[r][c].eq(left), down[r][c].eq(above)]
                    m.d.sync += sums[r][c].eq(sums[r][c] + left * above)
                with m.If(self.clear):
                    m.d.sync += sums[r][c].eq(0)
        m.d.comb += self.sum.eq(Array(Array(line) for line in sums)[self.row][self.column])
        return m
