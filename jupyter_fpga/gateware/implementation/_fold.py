"""LUTs of an iCE40 with inputs that have become constant, made into LUTs without.

What the base always says to a design (that a bus access is of all four bytes) is known only once both are together, and
then both are LUTs already. A LUT with several inputs that are 1 costs wires, and worse: as it doesn't matter which of
them is which, nextpnr's router may exchange them for ever (seen with nextpnr 0.11.1).
"""

__all__ = ("FOLD", "FOLD_FILE")

FOLD_FILE = "fold.v"

FOLD = """\
(* techmap_celltype = "SB_LUT4" *)
module fold (input I0, input I1, input I2, input I3, output O);
    parameter [15:0] LUT_INIT = 0;
    parameter _TECHMAP_CONSTMSK_I0_ = 0, _TECHMAP_CONSTVAL_I0_ = 0;
    parameter _TECHMAP_CONSTMSK_I1_ = 0, _TECHMAP_CONSTVAL_I1_ = 0;
    parameter _TECHMAP_CONSTMSK_I2_ = 0, _TECHMAP_CONSTVAL_I2_ = 0;
    parameter _TECHMAP_CONSTMSK_I3_ = 0, _TECHMAP_CONSTVAL_I3_ = 0;
    localparam [3:0] ONES = {
        _TECHMAP_CONSTMSK_I3_[0] && _TECHMAP_CONSTVAL_I3_[0], _TECHMAP_CONSTMSK_I2_[0] && _TECHMAP_CONSTVAL_I2_[0],
        _TECHMAP_CONSTMSK_I1_[0] && _TECHMAP_CONSTVAL_I1_[0], _TECHMAP_CONSTMSK_I0_[0] && _TECHMAP_CONSTVAL_I0_[0]};
    // A single one stays: an adder's is the carry's too.
    wire _TECHMAP_FAIL_ = ONES[0] + ONES[1] + ONES[2] + ONES[3] < 2;
    function [15:0] folded(input [15:0] init);
        integer index;
        for (index = 0; index < 16; index = index + 1) folded[index] = init[index | ONES];
    endfunction
    SB_LUT4 #(.LUT_INIT(folded(LUT_INIT))) _TECHMAP_REPLACE_ (
        .I0(ONES[0] ? 1'b0 : I0), .I1(ONES[1] ? 1'b0 : I1),
        .I2(ONES[2] ? 1'b0 : I2), .I3(ONES[3] ? 1'b0 : I3), .O(O));
endmodule
"""
"""Verilog for Yosys' ``techmap``: two or more inputs that are 1 become 0, which is what an open input is, and the table
is read as if they still were."""
