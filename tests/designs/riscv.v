// A PicoRV32 with 256 words of block RAM, running a program that computes Fibonacci's number `n` for ever.
//
//   0x000 the program   0x400 (read) n   0x404 (write) the result
module riscv (
    input  wire        clk,
    input  wire        rst,
    input  wire        stop,     // keeps the processor in reset
    input  wire [ 5:0] n,
    output reg  [31:0] result,
    output reg  [15:0] rounds,   // how often it has been computed
    output wire        trap
);
    wire        valid, instruction;
    wire [31:0] address, to_write;
    wire [ 3:0] strobe;
    reg         ready;
    reg  [31:0] read;
    reg         is_input;
    reg  [31:0] words [0:255];

    initial begin
        words[0]  = 32'h40002083;  //     lw   x1, 0x400(x0)
        words[1]  = 32'h00000113;  //     li   x2, 0
        words[2]  = 32'h00100193;  //     li   x3, 1
        words[3]  = 32'h00000213;  //     li   x4, 0
        words[4]  = 32'h00120c63;  // 1:  beq  x4, x1, 2f
        words[5]  = 32'h003102b3;  //     add  x5, x2, x3
        words[6]  = 32'h00018133;  //     mv   x2, x3
        words[7]  = 32'h000281b3;  //     mv   x3, x5
        words[8]  = 32'h00120213;  //     addi x4, x4, 1
        words[9]  = 32'hfedff06f;  //     j    1b
        words[10] = 32'h40202223;  // 2:  sw   x2, 0x404(x0)
        words[11] = 32'hfd5ff06f;  //     j    0
    end

    always @(posedge clk) begin
        ready <= valid && !ready;
        is_input <= address[10];
        read <= words[address[9:2]];
        if (valid && !ready && |strobe) begin
            if (address[10]) begin
                result <= to_write;
                rounds <= rounds + 1;
            end else begin
                if (strobe[0]) words[address[9:2]][7:0] <= to_write[7:0];
                if (strobe[1]) words[address[9:2]][15:8] <= to_write[15:8];
                if (strobe[2]) words[address[9:2]][23:16] <= to_write[23:16];
                if (strobe[3]) words[address[9:2]][31:24] <= to_write[31:24];
            end
        end
        if (rst) begin
            ready <= 0;
            result <= 0;
            rounds <= 0;
        end
    end

    picorv32 #(
        .ENABLE_COUNTERS(0), .CATCH_MISALIGN(0), .CATCH_ILLINSN(1), .TWO_STAGE_SHIFT(0), .ENABLE_REGS_DUALPORT(1),
        .PROGADDR_RESET(0)
    ) cpu (
        .clk(clk), .resetn(!rst && !stop), .trap(trap), .mem_valid(valid), .mem_instr(instruction), .mem_ready(ready),
        .mem_addr(address), .mem_wdata(to_write), .mem_wstrb(strobe), .mem_rdata(is_input ? {26'd0, n} : read),
        .pcpi_wr(1'b0), .pcpi_rd(32'd0), .pcpi_wait(1'b0), .pcpi_ready(1'b0), .irq(32'd0)
    );
endmodule
