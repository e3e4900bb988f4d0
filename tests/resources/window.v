// A design for lab_window by hand, with everything in it that a board has to get right.
//
//   0x000 … 0x00F  memory, answered one cycle later
//   0x100          answered in the same cycle: the address and the LEDs
//   0x101          LEDs: register, here read back
//   0x102          inputs: switches, buttons, pmod
//   0x103, 0x104   pmod outputs and their enables
//   0x105          free-running counter
//   0x106          counters of a falling edge, of a divided clock, and a register with asynchronous reset (button 3)
//   0x107          answered after 100 cycles
module lab_window (
    input clk, input rst,
    input [17:0] wb_adr, input [31:0] wb_dat_w, output [31:0] wb_dat_r, input [3:0] wb_sel,
    input wb_cyc, input wb_stb, input wb_we, output wb_ack,
    output [7:0] leds, input [3:0] buttons, input [7:0] switches,
    input [7:0] pmod_i, output reg [7:0] pmod_o, output reg [7:0] pmod_oe,
    output console_tx, input console_rx
);
  reg [31:0] memory[0:15];
  reg [31:0] from_memory;
  reg [31:0] counter = 0;
  reg [7:0] led_register = 0;
  reg answered = 0;
  reg [6:0] slow = 0;
  wire asked = wb_cyc & wb_stb;
  wire at_once = wb_adr >= 18'h100 && wb_adr < 18'h107;
  wire in_memory = wb_adr < 18'h10;
  wire slowly = wb_adr == 18'h107;

  always @(posedge clk) begin
    counter <= counter + 1;
    answered <= asked & in_memory & ~answered;
    from_memory <= memory[wb_adr[3:0]];
    slow <= asked & slowly ? slow + 1 : 0;
    if (asked & wb_we & ~answered) begin
      if (in_memory) memory[wb_adr[3:0]] <= wb_dat_w;
      if (wb_adr == 18'h101) led_register <= wb_dat_w[7:0];
      if (wb_adr == 18'h103) pmod_o <= wb_dat_w[7:0];
      if (wb_adr == 18'h104) pmod_oe <= wb_dat_w[7:0];
    end
    if (rst) begin
      counter <= 0;
      led_register <= 0;
      pmod_o <= 0;
      pmod_oe <= 0;
    end
  end

`ifdef ODD
  reg [7:0] falling = 0, divided = 0, asynchronous = 0;
  reg half = 0;
  always @(negedge clk) falling <= falling + 1;
  always @(posedge clk) half <= ~half;
  always @(posedge half) divided <= divided + 1;
  always @(posedge clk or posedge buttons[3]) if (buttons[3]) asynchronous <= 0; else asynchronous <= asynchronous + 1;
  wire [31:0] odd = {8'h5A, falling, divided, asynchronous};
`elsif FALLING
  reg [7:0] falling = 0;
  always @(negedge clk) falling <= falling + 1;
  wire [31:0] odd = {24'h5A0000, falling};
`else
  wire [31:0] odd = 32'h5A000000;
`endif

  assign wb_ack = asked & (at_once | answered | (slow == 100));
  assign wb_dat_r = in_memory ? from_memory
      : wb_adr == 18'h100 ? {wb_adr[15:0], 8'h00, leds}
      : wb_adr == 18'h101 ? {24'h0, led_register}
      : wb_adr == 18'h102 ? {8'h0, pmod_i, switches, 4'h0, buttons}
      : wb_adr == 18'h103 ? {24'h0, pmod_o}
      : wb_adr == 18'h104 ? {24'h0, pmod_oe}
      : wb_adr == 18'h105 ? counter
      : wb_adr == 18'h106 ? odd
      : 32'hCAFE0107;
  assign leds = led_register ^ {4'h0, buttons};
  // The console says what it hears.
  assign console_tx = console_rx;
endmodule
