// The bare steps' last one: the whole simulated SoC as a program that runs its clock.
#include "soc.cc"

int main() {
    cxxrtl_design::p_soc soc;
    for (int cycle = 0; cycle < 1000; cycle++) {
        soc.p_clk.set(false);
        soc.step();
        soc.p_clk.set(true);
        soc.step();
    }
    return soc.p_serial__tx.get<int>();
}
