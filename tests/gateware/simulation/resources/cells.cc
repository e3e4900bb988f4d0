// Compares the lab's runtime with CXXRTL's own: every cell, for the widths that the test puts into main(), on values
// at the edges and at random.
#include <cstdio>
#include <random>

#include <cxxrtl/cxxrtl.h>

#undef CXXRTL_ASSERT
#include "logic.h"

namespace theirs = cxxrtl;
namespace ours = lab::rtl;

static std::mt19937_64 random_bits(1);
static int wrong = 0;
static long compared = 0;

template <size_t Bits>
struct both {
  theirs::value<Bits> a;
  ours::value<Bits> b;
};

template <size_t Bits>
both<Bits> make(int kind) {
  both<Bits> made;
  for (size_t i = 0; i < Bits; i++) {
    bool bit;
    switch (kind) {
      case 0: bit = false; break;
      case 1: bit = true; break;
      case 2: bit = i == Bits - 1; break;
      case 3: bit = i != Bits - 1; break;
      case 4: bit = i < 3 && (random_bits() & 1); break;
      default: bit = random_bits() & 1;
    }
    made.a.set_bit(i, bit);
    if (bit) made.b.data[i / made.b.word_bits] |= typename ours::value<Bits>::word(1) << (i % made.b.word_bits);
  }
  return made;
}

template <size_t Bits>
void same(const char *what, size_t a, size_t b, const theirs::value<Bits> &x, const ours::value<Bits> &y) {
  compared++;
  for (size_t i = 0; i < y.words * y.word_bits; i++) {
    const bool of_theirs = i < Bits && x.bit(i), of_ours = y.data[i / y.word_bits] >> (i % y.word_bits) & 1;
    if (of_theirs == of_ours) continue;
    if (wrong++ < 20) std::printf("%s<%zu>(%zu, %zu): bit %zu is %d\n", what, Bits, a, b, i, of_ours);
    return;
  }
}

#define UNARY(name) same(#name, A, 0, cxxrtl_yosys::name<Y>(x.a), ours::name<Y>(x.b));
#define BINARY(name) same(#name, A, B, cxxrtl_yosys::name<Y>(x.a, y.a), ours::name<Y>(x.b, y.b));
#define BOTH(name) BINARY(name##_uu) BINARY(name##_ss)

template <size_t Y, size_t A, size_t B>
void cells() {
  for (int round = 0; round < 100; round++) {
    const auto x = make<A>(round % 10), y = make<A>(round / 10);
    (void)y;
    UNARY(not_u) UNARY(not_s) UNARY(pos_u) UNARY(pos_s) UNARY(neg_u) UNARY(neg_s)
    UNARY(logic_not) UNARY(reduce_and) UNARY(reduce_or) UNARY(reduce_bool) UNARY(reduce_xor) UNARY(reduce_xnor)
  }
  for (int round = 0; round < 100; round++) {
    const auto x = make<A>(round % 10);
    const auto y = make<B>(round / 10);
    BOTH(and) BOTH(or) BOTH(xor) BOTH(xnor) BOTH(add) BOTH(sub) BOTH(mul)
    BOTH(eq) BOTH(ne) BOTH(eqx) BOTH(nex) BOTH(lt) BOTH(le) BOTH(gt) BOTH(ge)
    BINARY(logic_and) BINARY(logic_or)
    BINARY(shl_uu) BINARY(shl_su) BINARY(sshl_uu) BINARY(sshl_su) BINARY(shr_uu) BINARY(sshr_uu) BINARY(sshr_su)
    BINARY(shift_uu) BINARY(shift_us) BINARY(shiftx_uu) BINARY(shiftx_us)
    // A signed operand that is wider than the result: theirs cuts it before it shifts, and loses bits.
    if constexpr (Y >= A) { BINARY(shr_su) BINARY(shift_su) BINARY(shift_ss) BINARY(shiftx_su) BINARY(shiftx_ss) }
    // Divided by zero, the two differ; in Verilog the result is x.
    if (!y.b.is_zero()) {
      BOTH(div) BOTH(mod) BINARY(modfloor_uu)
      // Theirs loses the sign where the remainder is cut.
      if constexpr (Y >= A && Y >= B) BINARY(modfloor_ss)
    }
  }
}

template <size_t A, size_t High, size_t Low>
void parts() {
  for (int round = 0; round < 30; round++) {
    auto x = make<A>(round);
    const auto y = make<High - Low + 1>(round * 7 % 11);
    same("slice", High, Low, x.a.template slice<High, Low>().val(), x.b.template slice<High, Low>().val());
    same("concat", A, y.b.bits, x.a.concat(y.a).val(), x.b.concat(y.b).val());
    same("concat slice", A, y.b.bits, y.a.concat(x.a.template slice<High, Low>()).val(),
         y.b.concat(x.b.template slice<High, Low>()).val());
    same("slice of concat", A, y.b.bits, x.a.concat(y.a).template slice<High, Low>().val(),
         x.b.concat(y.b).template slice<High, Low>().val());
    x.a.template slice<High, Low>() = y.a;
    x.b.template slice<High, Low>() = y.b;
    same("slice =", High, Low, x.a, x.b);
    auto left = make<A>(0);
    auto right = make<High - Low + 1>(1);
    const auto all = make<A + High - Low + 1>(round);
    left.a.concat(right.a) = all.a;
    left.b.concat(right.b) = all.b;
    same("concat = (left)", High, Low, left.a, left.b);
    same("concat = (right)", High, Low, right.a, right.b);
    const auto bit = make<1>(round % 2);
    same("repeat", A, 0, bit.a.template repeat<A>().val(), bit.b.template repeat<A>().val());
    const auto mask = make<A>(round % 9);
    same("update", A, 0, x.a.update(left.a, mask.a), x.b.update(left.b, mask.b));
    same("bwmux", A, 0, x.a.bwmux(left.a, mask.a), x.b.bwmux(left.b, mask.b));
    const auto four = make<4 * A>(round);
    const auto select = make<2>(6 + round);
    same("bmux", A, 2, four.a.template bmux<A>(select.a), four.b.template bmux<A>(select.b));
    same("demux", A, 2, x.a.template demux<4 * A>(select.a), x.b.template demux<4 * A>(select.b));
  }
}

int main() {
  WIDTHS
  std::printf("%ld compared, %d wrong\n", compared, wrong);
  return wrong != 0;
}
