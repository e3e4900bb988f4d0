// The base, its PHY and a window as one module, with the ports of a whole SoC.
module lab_soc (
    input clk, input serial_rx, output serial_tx, output busy, input [3:0] buttons, input [7:0] switches,
    input [7:0] pmod_i, output [7:0] pmod_o, output [7:0] pmod_oe, output [7:0] leds, input uart_rx, output uart_tx
);
  wire rst, cyc, stb, we, ack, phy_rst, rx_valid, tx_valid, tx_ready;
  wire [7:0] rx_data, tx_data;
  wire [17:0] adr;
  wire [31:0] dat_w, dat_r;
  wire [3:0] sel;
  lab_base base (
      .clk(clk), .phy_rst(phy_rst), .phy_rx_valid(rx_valid), .phy_rx_data(rx_data), .phy_tx_valid(tx_valid),
      .phy_tx_data(tx_data), .phy_tx_ready(tx_ready), .busy(busy), .window_rst(rst), .window_adr(adr),
      .window_dat_w(dat_w), .window_dat_r(dat_r), .window_sel(sel), .window_cyc(cyc), .window_stb(stb),
      .window_we(we), .window_ack(ack)
  );
  lab_phy phy (
      .clk(clk), .rst(phy_rst), .serial_rx(serial_rx), .serial_tx(serial_tx), .rx_valid(rx_valid), .rx_data(rx_data),
      .tx_valid(tx_valid), .tx_data(tx_data), .tx_ready(tx_ready)
  );
  lab_window window (
      .clk(clk), .rst(rst), .wb_adr(adr), .wb_dat_w(dat_w), .wb_dat_r(dat_r), .wb_sel(sel), .wb_cyc(cyc),
      .wb_stb(stb), .wb_we(we), .wb_ack(ack), .leds(leds), .buttons(buttons), .switches(switches), .pmod_i(pmod_i),
      .pmod_o(pmod_o), .pmod_oe(pmod_oe), .console_tx(uart_tx), .console_rx(uart_rx)
  );
endmodule
