// Drives a lab_window that CXXRTL made, by commands on standard input: one answer a line.
//   r OFFSET          read a word: its value, or "none" when nobody acknowledges
//   w OFFSET VALUE    write a word: "ok" or "none"
//   s PORT VALUE      set an input
//   g PORT            an output's value
//   i CYCLES          let time pass
#include "window.cc"

#include <cstdint>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <string>

using Window = cxxrtl_design::p_lab__window;

static Window window;

static void cycle() {
    window.p_clk.set(false);
    window.step();
    window.p_clk.set(true);
    window.step();
}

static std::string access(uint32_t offset, bool write, uint32_t value) {
    window.p_wb__adr.set<uint32_t>(offset / 4);
    window.p_wb__dat__w.set<uint32_t>(value);
    window.p_wb__sel.set<uint8_t>(0xf);
    window.p_wb__we.set(write);
    window.p_wb__cyc.set(true);
    window.p_wb__stb.set(true);
    std::string answer = "none";
    for (int i = 0; i < 8 && answer == "none"; i++) {
        // What the bus sees at the next rising edge.
        window.p_clk.set(false);
        window.step();
        if (window.p_wb__ack.get<bool>())
            answer = write ? "ok" : std::to_string(window.p_wb__dat__r.get<uint32_t>());
        window.p_clk.set(true);
        window.step();
    }
    window.p_wb__cyc.set(false);
    window.p_wb__stb.set(false);
    cycle();
    return answer;
}

int main() {
    const std::map<std::string, std::function<void(uint32_t)>> inputs = {
        {"rst", [](uint32_t v) { window.p_rst.set(v != 0); }},
        {"buttons", [](uint32_t v) { window.p_buttons.set<uint8_t>(v); }},
        {"switches", [](uint32_t v) { window.p_switches.set<uint8_t>(v); }},
        {"pmod_i", [](uint32_t v) { window.p_pmod__i.set<uint8_t>(v); }},
        {"console_rx", [](uint32_t v) { window.p_console__rx.set(v != 0); }},
    };
    const std::map<std::string, std::function<uint32_t()>> outputs = {
        {"leds", [] { return window.p_leds.get<uint32_t>(); }},
        {"pmod_o", [] { return window.p_pmod__o.get<uint32_t>(); }},
        {"pmod_oe", [] { return window.p_pmod__oe.get<uint32_t>(); }},
        {"console_tx", [] { return window.p_console__tx.get<uint32_t>(); }},
    };
    cycle();
    std::string command, port;
    while (std::cin >> command) {
        uint32_t a = 0, b = 0;
        if (command == "s") {
            std::cin >> port >> a;
            inputs.at(port)(a);
            cycle();
            std::cout << "ok\n";
        } else if (command == "g") {
            std::cin >> port;
            std::cout << outputs.at(port)() << "\n";
        } else if (command == "i") {
            std::cin >> a;
            while (a--) cycle();
            std::cout << "ok\n";
        } else if (command == "w") {
            std::cin >> a >> b;
            std::cout << access(a, true, b) << "\n";
        } else {
            std::cin >> a;
            std::cout << access(a, false, 0) << "\n";
        }
        std::cout.flush();
    }
}
