// The lab's block RAM beside Yosys' own model of SB_RAM40_4K, asked the same at random.
#include <cstdio>
#include <random>

#include "fabric.h"
#include "rams.cc"  // generated: cxxrtl_design::p_rams, with a RAM for some pairs of modes, chosen by `which`

using lab::fabric::BlockRam;

namespace {

constexpr unsigned kSteps = 3000;

template <unsigned Read, unsigned Write>
bool same(unsigned which) {
  cxxrtl_design::p_rams theirs;
  std::mt19937 chance(which);
  BlockRam ours = BlockRam();
  theirs.p_which.set<uint32_t>(which);
  for (unsigned step = 0; step < kSteps; step++) {
    // Few addresses, so that reads and writes meet.
    const unsigned read = chance() & 0x703, write = chance() & 0x703;
    const bool writes = chance() % 2;
    const unsigned data = chance() & 0xFFFF, mask = chance() & 0xFFFF;
    theirs.p_raddr.set<uint32_t>(read);
    theirs.p_waddr.set<uint32_t>(write);
    theirs.p_we.set<bool>(writes);
    theirs.p_wdata.set<uint32_t>(data);
    theirs.p_mask.set<uint32_t>(mask);
    theirs.p_clk.set<bool>(false);
    theirs.step();
    theirs.p_clk.set<bool>(true);
    theirs.step();
    theirs.step();  // what depends on registers follows them
    ours.read_address = uint16_t(read);
    ours.write_address = uint16_t(write);
    ours.data = uint16_t(data);
    ours.mask = uint16_t(mask);
    const unsigned expected = theirs.p_rdata.get<uint32_t>(), found = ours.read<Read>();
    if (writes) ours.write<Write>();
    if (found != expected) {
      std::printf("read mode %u, write mode %u, step %u: %04x, not %04x\n", Read, Write, step, found, expected);
      return false;
    }
  }
  return true;
}

}  // namespace

int main() { return same<0, 0>(0) & same<1, 2>(1) & same<2, 3>(2) & same<3, 1>(3) ? 0 : 1; }
