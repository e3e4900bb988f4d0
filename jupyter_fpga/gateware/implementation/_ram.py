"""Block RAM of an iCE40, for Yosys' ``techmap``: what its own map does, in a tenth of the time.

Half the time that ``synth_ice40`` took for the lab's SoC went into the contents of three memories that have none: the
map that comes with Yosys computes each of 4,096 bits by a function of all of them, and once more when it is read, RAM
or not (Yosys 0.70). Here a slice of contents is a function of its 256 bits.

How a RAM of 4 kbit is addressed in its four widths: Lattice, *Memory Usage Guide for iCE40 Devices* (FPGA-TN-02002). Of
each 16 bits that share a row, the lower address bits choose among neighbours, so that data bits are apart; ports and
order of contents are as Yosys' ``memory_libmap`` has them for ``brams.txt``.
"""

__all__ = ("MAP_RAM", "RAM", "RAM_FILE")

RAM_FILE = "ram.v"

#: Yosys' cell for each pair of edges that reads and writes follow.
_TYPES = {(1, 1): "SB_RAM40_4K", (0, 1): "SB_RAM40_4KNR", (1, 0): "SB_RAM40_4KNW", (0, 0): "SB_RAM40_4KNRNW"}


def _cell(read_edge: int, write_edge: int, empty: bool) -> str:
    read, write = "N" * (not read_edge), "N" * (not write_edge)
    contents = "".join(f".INIT_{row:X}(arranged(INIT[{256 * row} +: 256])), " for row in range(16) if not empty)
    return (
        f"    if (EMPTY == {int(empty)} && PORT_R_CLK_POL == {read_edge} && PORT_W_CLK_POL == {write_edge})\n"
        f"        {_TYPES[read_edge, write_edge]} #({contents}.READ_MODE(mode(PORT_R_WIDTH)), "
        f".WRITE_MODE(mode(PORT_W_WIDTH))) _TECHMAP_REPLACE_ (\n"
        f"            .RDATA(row_out), .RCLK{read}(PORT_R_CLK), .RCLKE(PORT_R_RD_EN), .RE(1'b1), "
        f".RADDR({_place('PORT_R_ADDR')}),\n"
        f"            .WDATA(row_in), .WCLK{write}(PORT_W_CLK), .WCLKE(PORT_W_WR_EN), .WE(1'b1), "
        f".WADDR({_place('PORT_W_ADDR')}), .MASK(mask));\n"
    )


def _place(address: str) -> str:
    """The row, and in front of it which of the data that share a row."""
    return f"{{{address}[0], {address}[1], {address}[2], {address}[10:3]}}"


RAM = f"""\
module \\$__ICE40_RAM4K_ (PORT_R_CLK, PORT_R_RD_EN, PORT_R_ADDR, PORT_R_RD_DATA,
        PORT_W_CLK, PORT_W_WR_EN, PORT_W_WR_BE, PORT_W_ADDR, PORT_W_WR_DATA);
    parameter [4095:0] INIT = 0;
    parameter OPTION_HAS_BE = 1;
    parameter PORT_R_WIDTH = 16, PORT_W_WIDTH = 16, PORT_W_WR_BE_WIDTH = 16;
    parameter PORT_R_CLK_POL = 1, PORT_W_CLK_POL = 1;
    input PORT_R_CLK, PORT_R_RD_EN, PORT_W_CLK, PORT_W_WR_EN;
    input [10:0] PORT_R_ADDR, PORT_W_ADDR;
    input [15:0] PORT_W_WR_BE;
    input [PORT_W_WIDTH-1:0] PORT_W_WR_DATA;
    output [PORT_R_WIDTH-1:0] PORT_R_RD_DATA;
    wire [15:0] row_out, row_in, mask;

    function [3:0] mirrored(input [3:0] bits);
        mirrored = {{bits[0], bits[1], bits[2], bits[3]}};
    endfunction
    function integer mode(input integer width);
        mode = width == 16 ? 0 : width == 8 ? 1 : width == 4 ? 2 : 3;
    endfunction
    // Where the lowest data bit is.
    function integer lowest(input integer width);
        lowest = width == 4 ? 1 : width == 2 ? 3 : 0;
    endfunction
    function [255:0] arranged(input [255:0] words);
        integer index;
        for (index = 0; index < 256; index = index + 1)
            arranged[index] = words[{{index[7:4], index[0], index[1], index[2], index[3]}}];
    endfunction

    // What has no contents takes none of the time that it takes to arrange them.
    localparam EMPTY = INIT === 4096'bx || INIT === 4096'b0;
    genvar bit;
    generate
    for (bit = 0; bit < PORT_R_WIDTH; bit = bit + 1)
        assign PORT_R_RD_DATA[bit] = row_out[mirrored(bit) + lowest(PORT_R_WIDTH)];
    for (bit = 0; bit < PORT_W_WIDTH; bit = bit + 1)
        assign row_in[mirrored(bit) + lowest(PORT_W_WIDTH)] = PORT_W_WR_DATA[bit];
    for (bit = 0; bit < 16; bit = bit + 1)
        if (PORT_W_WIDTH == 16) assign mask[mirrored(bit)] = ~PORT_W_WR_BE[bit];
    // What is left of the 16 bits is no matter.
    if (PORT_W_WIDTH < 16) assign mask = 16'bx;
{"".join(_cell(*edges, empty) for edges in _TYPES for empty in (True, False))}    endgenerate
endmodule
"""
"""Verilog for Yosys' ``techmap``."""


MAP_RAM = (
    "memory_libmap -lib +/ice40/brams.txt -lib +/ice40/spram.txt -no-auto-huge",
    f"techmap -map {RAM_FILE} -map +/ice40/spram_map.v",
    "ice40_braminit",
)
"""Yosys' commands in the place of the part ``map_ram`` of ``synth_ice40``."""
