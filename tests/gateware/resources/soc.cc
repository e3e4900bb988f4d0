// Drives a lab_soc that CXXRTL made, by commands on standard input: one answer a line.
//   x BYTES…      send bytes (hexadecimal) to the bridge, 12 cycles a bit
//   r COUNT       receive bytes from it: hexadecimal, "none" when they don't come
//   g             the LEDs
#include "window.cc"

#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>

static cxxrtl_design::p_lab__soc soc;
static const int kBit = 12;

static void cycles(int count) {
    while (count--) {
        soc.p_clk.set(false);
        soc.step();
        soc.p_clk.set(true);
        soc.step();
    }
}

static void send(int byte) {
    int frame = byte << 1 | 1 << 9;
    for (int i = 0; i < 10; i++) {
        soc.p_serial__rx.set((frame >> i & 1) != 0);
        cycles(kBit);
    }
}

static int receive() {
    int patience = 20000;
    while (soc.p_serial__tx.get<bool>())
        if (--patience) cycles(1); else return -1;
    cycles(kBit / 2);
    int byte = 0;
    for (int i = 0; i < 8; i++) {
        cycles(kBit);
        byte |= soc.p_serial__tx.get<bool>() << i;
    }
    cycles(kBit);
    return byte;
}

int main() {
    soc.p_serial__rx.set(true);
    cycles(100);
    std::string line;
    while (std::getline(std::cin, line)) {
        std::istringstream words(line);
        std::string command, byte;
        words >> command;
        if (command == "x") {
            while (words >> byte) send(std::stoi(byte, nullptr, 16));
            std::cout << "ok\n";
        } else if (command == "r") {
            int count;
            words >> count;
            std::string answer;
            while (count--) {
                char text[8];
                int byte = receive();
                if (byte < 0) { answer = "none"; break; }
                std::snprintf(text, sizeof text, "%02x", byte);
                answer += text;
            }
            std::cout << answer << "\n";
        } else {
            std::cout << soc.p_leds.get<uint32_t>() << "\n";
        }
        std::cout.flush();
    }
}
