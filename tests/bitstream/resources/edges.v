// What a fabric has and the lab's own SoC doesn't use: falling edges, and resets at once.
module edges (
    input  wire       clk,
    input  wire       rst,
    input  wire [7:0] step,
    input  wire       clear,
    output reg  [7:0] falling,
    output reg  [7:0] cleared
);
    reg [7:0] count;
    always @(posedge clk) count <= count + step;
    always @(negedge clk) falling <= count;
    always @(posedge clk or posedge clear)
        if (clear) cleared <= 8'h5A;
        else cleared <= cleared + step;
endmodule
