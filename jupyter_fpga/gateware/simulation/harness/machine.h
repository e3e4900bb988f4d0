// The board with everything that is connected to it: the bridge's serial line, the console, and meters on the LEDs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "board.h"
#include "uart.h"

namespace lab {

class Machine {
 public:
  Machine(std::unique_ptr<Board> board, uint64_t clock_hz, uint32_t baud);

  void power(bool on);
  bool powered() const { return on; }

  // Advances the board to cycle `until`, or until a byte from the bridge is worth handing on at once.
  void advance(uint64_t until);

  // Whether the bridge or the console still has something to do at this cycle.
  bool busy() const;

  uint64_t cycles() const { return base_cycles + board->cycles; }
  uint64_t clock_hz() const { return clock; }
  const Outputs &out() const { return board->out; }
  Inputs &in() { return levels; }
  Board &soc() { return *board; }

  UartSender bridge_in;
  UartSender console_in;
  std::vector<uint8_t> bridge_out;  // bytes the bridge has sent, to be taken by the caller
  void set_console_baud(uint32_t baud);

  // The last bytes of the console, and the number of bytes there have been.
  const std::string &console_tail() const { return console; }
  uint64_t console_end() const { return console_total; }

  // For each LED, cycles that it has been lit since the process began.
  uint64_t lit(int led);

 private:
  void observe();

  std::unique_ptr<Board> board;
  uint64_t clock;
  bool on = false;
  Inputs levels;
  UartReceiver bridge_rx;
  UartReceiver console_rx;
  std::string console;
  uint64_t console_total = 0;
  uint64_t lit_cycles[8] = {};
  uint64_t lit_since = 0;
  uint8_t lit_now = 0;
  uint64_t last_byte = 0;     // cycle of the last byte on either line
  uint64_t base_cycles = 0;   // cycles before the last power-up
};

}  // namespace lab
