"""A SoC of one's own: LiteX's crossover UART, whose far end a person reaches over the bus, and some RAM."""

from jupyter_fpga.gateware import LabSoC


class Top(LabSoC):
    def __init__(self, **kwargs):
        super().__init__(integrated_sram_size=0x1000, **kwargs)
        self.add_uart("uart", "crossover")
