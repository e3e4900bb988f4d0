// Drives a lab_soc that CXXRTL made, by commands on standard input: one answer a line.
//   x BYTES…      send bytes (hexadecimal) to the bridge, 12 cycles a bit
//   r COUNT       receive bytes from it: hexadecimal, "none" when they don't come
//   a CYCLES      receive whatever comes until nothing has come for so long: hexadecimal
//   g             the LEDs
#include "window.cc"

#include <cstdio>
#include <deque>
#include <iostream>
#include <sstream>
#include <string>

static cxxrtl_design::p_lab__soc soc;
static const int kBit = 12;

static std::deque<int> received;

// Looks at the pin in each cycle, whatever else goes on.
static void listen() {
    static int at = -1, byte = 0;
    const bool level = soc.p_serial__tx.get<bool>();
    if (at < 0) {
        if (!level) at = byte = 0;
        return;
    }
    at++;
    if (at % kBit == kBit / 2 && at > kBit && at < 9 * kBit) byte |= level << (at / kBit - 1);
    if (at == 9 * kBit + kBit / 2) {
        received.push_back(byte);
        at = -1;
    }
}

static void cycles(int count) {
    while (count--) {
        soc.p_clk.set(false);
        soc.step();
        soc.p_clk.set(true);
        soc.step();
        listen();
    }
}

static void send(int byte) {
    int frame = byte << 1 | 1 << 9;
    for (int i = 0; i < 10; i++) {
        soc.p_serial__rx.set((frame >> i & 1) != 0);
        cycles(kBit);
    }
}

static int receive(int patience = 20000) {
    while (received.empty())
        if (patience--) cycles(1); else return -1;
    const int byte = received.front();
    received.pop_front();
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
        } else if (command == "a") {
            std::string answer;
            int patience;
            words >> patience;
            for (int byte; (byte = receive(patience)) >= 0;) {
                char text[8];
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
