// A clock that a design makes itself: every eighth cycle has an edge of it.
module divided (
    input  wire       clk,
    input  wire       rst,
    input  wire [7:0] step,
    output reg  [7:0] slow,
    output reg  [7:0] ticks  // the clock's edges, counted by the lab's own
);
    reg [2:0] divider;
    wire tick = divider[2];
    always @(posedge clk) begin
        divider <= divider + 1;
        ticks <= ticks + (divider == 3);
    end
    always @(posedge tick) slow <= slow + step;
endmodule
