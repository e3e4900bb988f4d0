// One file, in Verilog: a word of memory at offset 0, and its complement at offset 4.
module scratch (
    input clk, input rst,
    input wb_cyc, input wb_stb, input wb_we, input [0:0] wb_adr, input [31:0] wb_dat_w, input [3:0] wb_sel,
    output [31:0] wb_dat_r, output wb_ack
);
    reg [31:0] word;
    assign wb_ack = wb_cyc & wb_stb;
    assign wb_dat_r = wb_adr ? ~word : word;
    always @(posedge clk)
        if (rst) word <= 0;
        else if (wb_ack & wb_we & ~wb_adr) word <= wb_dat_w;
endmodule
