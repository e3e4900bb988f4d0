// A design that tries to have its own C++ compiled into the simulator. PAYLOAD writes a file when the program starts.
(* src = "a.v:1\nPAYLOAD\n//", keep = "yes\nPAYLOAD" *)
module lab_window (
    input clk, input rst,
    input [17:0] wb_adr, input [31:0] wb_dat_w, output [31:0] wb_dat_r, input [3:0] wb_sel,
    input wb_cyc, input wb_stb, input wb_we, output wb_ack,
    (* cxxrtl_width = "8> p_leds; PAYLOAD value<8" *)
    output [7:0] leds, input [3:0] buttons, input [7:0] switches,
    input [7:0] pmod_i, output [7:0] pmod_o, output [7:0] pmod_oe,
    output console_tx, input console_rx
);
  (* src = "a.v:2\nPAYLOAD\n", PAYLOAD_NAME = "\nPAYLOAD\n" *)
  reg [7:0] \comment\  = 0;
  (* src = "\nPAYLOAD\n" *) reg [7:0] \"quote";PAYLOAD//" = 0;
  (* src = "\nPAYLOAD\n", init = "\nPAYLOAD\n" *) reg [31:0] \memory\ [0:3];
  (* src = "\nPAYLOAD\n" *)
  always @(posedge clk) begin
    (* src = "\nPAYLOAD\n", full_case = "\nPAYLOAD\n" *)
    case (wb_adr[1:0])
      0: \comment\ <= \comment\ + 1;
      1: \"quote";PAYLOAD//" <= \"quote";PAYLOAD//" + 1;
      default: \memory\ [wb_adr[1:0]] <= wb_dat_w;
    endcase
    $display("\nPAYLOAD\n%d", \comment\ );
    assert (\comment\ != 1);
  end
  (* src = "\nPAYLOAD\n" *)
  \inner\\" #(.TEXT("\nPAYLOAD\n")) \cell\ (.a(\comment\ ), .y(leds));
  (* cxxrtl_blackbox, src = "\nPAYLOAD\n" *)
  black box (.a(switches), .y(pmod_o));
  assign wb_ack = wb_cyc & wb_stb;
  assign wb_dat_r = {\memory\ [wb_adr[1:0]][23:0], \"quote";PAYLOAD//" };
  assign pmod_oe = 0;
  assign console_tx = 1;
endmodule

(* src = "\nPAYLOAD\n" *)
module \inner\\" #(parameter TEXT = "\nPAYLOAD\n") (input [7:0] a, output [7:0] y);
  (* src = "\nPAYLOAD\n" *) wire [7:0] \inside\ = a ^ TEXT[7:0];
  assign y = \inside\ ;
endmodule

(* cxxrtl_blackbox, cxxrtl_template = "WIDTH> struct x {}; PAYLOAD template<size_t WIDTH" *)
module black #(parameter WIDTH = 8) (input [7:0] a, (* cxxrtl_width = "8>; PAYLOAD" *) output [7:0] y);
  assign y = a;
endmodule
