// Bit vectors, registers, memories and cells: what the C++ that Yosys' CXXRTL backend generates is written in.
//
// A runtime of the lab's own, with the names that the backend uses (yosys: backends/cxxrtl/cxxrtl_backend.cc). It does
// what a simulation needs and no more, and is made so that a compiler is quickly done with it: vectors of up to 64 bits
// are single machine words and their cells single expressions. tests/gateware/simulation checks it against Yosys' own.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#define LAB_INLINE inline __attribute__((__always_inline__))

// The backend asserts that a design reads its memories inside their bounds. A person's mistake must not end the process.
#define CXXRTL_ASSERT(x) ((void)0)

namespace lab {
namespace rtl {

template <size_t Bits>
struct value;
template <class Target, size_t High, size_t Low>
struct slice_of;
template <class Left, class Right>
struct concat_of;

// What values, slices and concatenations have in common.
template <class Self, size_t Bits>
struct expression {
  static constexpr size_t bits = Bits;

  template <class Other>
  LAB_INLINE auto concat(Other &&other) & {
    return concat_of<Self &, Other>{static_cast<Self &>(*this), std::forward<Other>(other)};
  }
  template <class Other>
  LAB_INLINE auto concat(Other &&other) const & {
    return concat_of<const Self &, Other>{static_cast<const Self &>(*this), std::forward<Other>(other)};
  }
  template <class Other>
  LAB_INLINE auto concat(Other &&other) && {
    return concat_of<Self, Other>{static_cast<Self &&>(*this), std::forward<Other>(other)};
  }
};

template <size_t Bits>
struct value : expression<value<Bits>, Bits> {
  // Vectors of up to 32 bits are one uint32_t, wider ones as many uint64_t as they need, the least significant first.
  using word = std::conditional_t<(Bits <= 32), uint32_t, uint64_t>;
  static constexpr size_t word_bits = 8 * sizeof(word);
  static constexpr size_t words = Bits == 0 ? 1 : (Bits + word_bits - 1) / word_bits;
  static constexpr word top_mask =
      Bits == 0 ? 0 : Bits % word_bits == 0 ? word(~word(0)) : word((word(1) << (Bits % word_bits)) - 1);

  word data[words] = {};

  constexpr value() = default;
  // From pieces of 32 bits, the least significant first, as the backend writes constants.
  template <class... Pieces, class = std::enable_if_t<(sizeof...(Pieces) > 0 && (std::is_integral_v<Pieces> && ...))>>
  explicit constexpr value(Pieces... pieces) {
    const uint32_t given[] = {uint32_t(pieces)...};
    if constexpr (Bits <= 32) {
      data[0] = given[0];
    } else {
      for (size_t i = 0; i < sizeof...(pieces) && i / 2 < words; i++) data[i / 2] |= word(given[i]) << 32 * (i % 2);
    }
  }

  LAB_INLINE const value &val() const { return *this; }

  // The bits as one number; only for vectors of up to 64.
  LAB_INLINE uint64_t number() const { return data[0]; }
  LAB_INLINE int64_t signed_number() const {
    if constexpr (Bits == 0) return 0;
    constexpr size_t unused = 64 - (Bits == 0 || Bits > 64 ? 64 : Bits);
    return int64_t(uint64_t(data[0]) << unused) >> unused;
  }
  // The low bits of a number.
  LAB_INLINE static value of(uint64_t number) {
    value result;
    result.data[0] = word(number) & (words == 1 ? top_mask : word(~word(0)));
    return result;
  }

  LAB_INLINE explicit operator bool() const { return !is_zero(); }
  LAB_INLINE bool is_zero() const {
    word any = 0;
    for (size_t i = 0; i < words; i++) any |= data[i];
    return any == 0;
  }
  LAB_INLINE bool is_neg() const {
    if constexpr (Bits == 0) return false;
    return data[words - 1] >> ((Bits - 1) % word_bits) & 1;
  }
  LAB_INLINE bool bit(size_t at) const { return data[at / word_bits] >> (at % word_bits) & 1; }
  LAB_INLINE bool operator==(const value &other) const {
    word differs = 0;
    for (size_t i = 0; i < words; i++) differs |= data[i] ^ other.data[i];
    return differs == 0;
  }
  LAB_INLINE bool operator!=(const value &other) const { return !(*this == other); }

  LAB_INLINE void trim() { data[words - 1] &= top_mask; }

  LAB_INLINE value bit_not() const {
    value result;
    for (size_t i = 0; i < words; i++) result.data[i] = ~data[i];
    result.trim();
    return result;
  }
  LAB_INLINE value bit_and(const value &other) const {
    value result;
    for (size_t i = 0; i < words; i++) result.data[i] = data[i] & other.data[i];
    return result;
  }
  LAB_INLINE value bit_or(const value &other) const {
    value result;
    for (size_t i = 0; i < words; i++) result.data[i] = data[i] | other.data[i];
    return result;
  }
  LAB_INLINE value bit_xor(const value &other) const {
    value result;
    for (size_t i = 0; i < words; i++) result.data[i] = data[i] ^ other.data[i];
    return result;
  }
  // `with` where `mask` is 1.
  LAB_INLINE value update(const value &with, const value &mask) const {
    return bit_and(mask.bit_not()).bit_or(with.bit_and(mask));
  }
  LAB_INLINE value bwmux(const value &other, const value &select) const { return update(other, select); }

  // Extended with zeros, or cut.
  template <size_t New>
  LAB_INLINE value<New> zcast() const {
    if constexpr (New == Bits) {
      return *this;
    } else if constexpr (New <= 64 && Bits <= 64) {
      return value<New>::of(data[0]);
    } else {
      value<New> result;
      result.fill_from(*this, 0);
      result.trim();
      return result;
    }
  }
  // Extended with the sign, or cut.
  template <size_t New>
  LAB_INLINE value<New> scast() const {
    if constexpr (New <= Bits) {
      return zcast<New>();
    } else if constexpr (New <= 64) {
      return value<New>::of(uint64_t(signed_number()));
    } else {
      value<New> result = zcast<New>();
      if (is_neg()) result = result.bit_or(value<New>().bit_not().template shl_by<New>(Bits));
      return result;
    }
  }

  template <size_t High, size_t Low = High>
  LAB_INLINE value<High - Low + 1> cut() const {
    static_assert(High >= Low && High < Bits, "a slice lies inside its vector");
    if constexpr (Bits <= 64) {
      return value<High - Low + 1>::of(uint64_t(data[0]) >> Low);
    } else {
      value<High - Low + 1> result;
      result.fill_from(*this, Low);
      result.trim();
      return result;
    }
  }
  template <size_t High, size_t Low = High>
  LAB_INLINE value<High - Low + 1> slice() const & {
    return cut<High, Low>();
  }
  template <size_t High, size_t Low = High>
  LAB_INLINE value<High - Low + 1> slice() && {
    return cut<High, Low>();
  }
  template <size_t High, size_t Low = High>
  LAB_INLINE slice_of<value, High, Low> slice() & {
    return {*this};
  }

  template <size_t Count>
  LAB_INLINE value<Bits * Count> repeat() const {
    static_assert(Bits == 1, "only single bits are repeated");
    return data[0] ? value<Count>().bit_not() : value<Count>();
  }

  // Shifts by a vector.
  template <size_t Amount>
  LAB_INLINE value shl(const value<Amount> &amount) const {
    return too_far(amount) ? value() : shl_by<Bits>(amount.data[0]);
  }
  template <size_t Amount>
  LAB_INLINE value shr(const value<Amount> &amount) const {
    return too_far(amount) ? value() : shr_by(amount.data[0]);
  }
  template <size_t Amount>
  LAB_INLINE value sshr(const value<Amount> &amount) const {
    if (!is_neg()) return shr(amount);
    if (too_far(amount)) return value().bit_not();
    // What is shifted in from the left are ones.
    return bit_not().shr_by(amount.data[0]).bit_not();
  }

  // One of the vectors of `Result` bits that this one is made of; `select` 0 is the least significant.
  template <size_t Result, size_t Select>
  LAB_INLINE value<Result> bmux(const value<Select> &select) const {
    static_assert(Result << Select == Bits, "a multiplexer has as many inputs as its selector has values");
    return shr_by(size_t(select.data[0]) * Result).template zcast<Result>();
  }
  template <size_t Result, size_t Select>
  LAB_INLINE value<Result> demux(const value<Select> &select) const {
    static_assert(Bits << Select == Result, "a demultiplexer has as many outputs as its selector has values");
    return zcast<Result>().template shl_by<Result>(size_t(select.data[0]) * Bits);
  }

  template <size_t Same>
  LAB_INLINE value shl_by(size_t amount) const {
    static_assert(Same == Bits, "");
    if (amount >= Bits) return {};
    if constexpr (words == 1) {
      return of(uint64_t(data[0]) << amount);
    } else {
      value result;
      const size_t whole = amount / word_bits, part = amount % word_bits;
      for (size_t i = words; i-- > whole;) {
        result.data[i] = data[i - whole] << part;
        if (part && i > whole) result.data[i] |= data[i - whole - 1] >> (word_bits - part);
      }
      result.trim();
      return result;
    }
  }
  LAB_INLINE value shr_by(size_t amount) const {
    if (amount >= Bits) return {};
    if constexpr (words == 1) {
      return of(uint64_t(data[0]) >> amount);
    } else {
      value result;
      const size_t whole = amount / word_bits, part = amount % word_bits;
      for (size_t i = 0; i + whole < words; i++) {
        result.data[i] = data[i + whole] >> part;
        if (part && i + whole + 1 < words) result.data[i] |= data[i + whole + 1] << (word_bits - part);
      }
      return result;
    }
  }

  // Arithmetic of vectors wider than 64 bits; for narrower ones the cells below do without.
  value add(const value &other, bool invert = false, bool carry = false) const {
    value result;
    for (size_t i = 0; i < words; i++) {
      const word b = invert ? ~other.data[i] : other.data[i];
      const word sum = data[i] + b;
      const word with = sum + carry;
      carry = sum < b || with < sum;
      result.data[i] = with;
    }
    result.trim();
    return result;
  }
  value sub(const value &other) const { return add(other, true, true); }
  LAB_INLINE value neg() const {
    if constexpr (words == 1) return of(0 - uint64_t(data[0]));
    return value().sub(*this);
  }
  bool ucmp(const value &other) const {  // unsigned less than
    for (size_t i = words; i-- > 0;)
      if (data[i] != other.data[i]) return data[i] < other.data[i];
    return false;
  }
  bool scmp(const value &other) const {  // signed less than
    return is_neg() != other.is_neg() ? is_neg() : ucmp(other);
  }
  value mul(const value &other) const {
    value result;
    for (size_t i = 0; i < words; i++) {
      unsigned __int128 carry = 0;
      for (size_t j = 0; i + j < words; j++) {
        carry += (unsigned __int128)data[i] * other.data[j] + result.data[i + j];
        result.data[i + j] = word(carry);
        carry >>= 64;
      }
    }
    result.trim();
    return result;
  }
  // Quotient and remainder. A division by zero gives all ones and the dividend, as RISC-V has it; in Verilog it's x.
  std::pair<value, value> udivmod(const value &divisor) const {
    value quotient, rest;
    if (divisor.is_zero()) return {quotient.bit_not(), *this};
    for (size_t i = Bits; i-- > 0;) {
      const bool out = rest.is_neg();
      rest = rest.template shl_by<Bits>(1);
      rest.data[0] |= bit(i);
      if (out || !rest.ucmp(divisor)) {
        rest = rest.sub(divisor);
        quotient.data[i / word_bits] |= word(1) << (i % word_bits);
      }
    }
    return {quotient, rest};
  }

  // Bits of `source` from bit `low` on.
  template <size_t Source>
  LAB_INLINE void fill_from(const value<Source> &source, size_t low) {
    using other = value<Source>;
    for (size_t i = 0; i < words; i++) {
      word got = 0;
      for (size_t have = 0; have < word_bits;) {
        const size_t at = low + i * word_bits + have;
        if (at >= Source) break;
        got |= word(source.data[at / other::word_bits] >> (at % other::word_bits)) << have;
        have += other::word_bits - at % other::word_bits;
      }
      data[i] = got;
    }
  }

 private:
  template <size_t Amount>
  LAB_INLINE static bool too_far(const value<Amount> &amount) {
    for (size_t i = 1; i < amount.words; i++)
      if (amount.data[i]) return true;
    return amount.data[0] >= Bits;
  }
};

// Some bits of a vector that can be assigned to.
template <class Target, size_t High, size_t Low>
struct slice_of : expression<slice_of<Target, High, Low>, High - Low + 1> {
  static constexpr size_t width = High - Low + 1;
  Target &target;
  slice_of(Target &of) : target(of) {}

  LAB_INLINE value<width> val() const { return target.template cut<High, Low>(); }
  LAB_INLINE operator value<width>() const { return val(); }
  LAB_INLINE explicit operator bool() const { return bool(val()); }
  template <size_t High2, size_t Low2 = High2>
  LAB_INLINE slice_of<Target, Low + High2, Low + Low2> slice() const {
    return {target};
  }
  template <size_t Count>
  LAB_INLINE auto repeat() const {
    return val().template repeat<Count>();
  }
  LAB_INLINE const slice_of &operator=(const value<width> &bits) const {
    constexpr size_t all = Target::bits;
    if constexpr (all <= 64) {
      constexpr uint64_t mask = (width >= 64 ? ~uint64_t(0) : (uint64_t(1) << width % 64) - 1) << Low;
      target = Target::of((uint64_t(target.data[0]) & ~mask) | (uint64_t(bits.data[0]) << Low));
    } else {
      const Target mask = value<width>().bit_not().template zcast<all>().template shl_by<all>(Low);
      target = target.update(bits.template zcast<all>().template shl_by<all>(Low), mask);
    }
    return *this;
  }
};

// Two vectors side by side, `left` the more significant one; can be assigned to if both can.
template <class Left, class Right>
struct concat_of : expression<concat_of<Left, Right>, std::decay_t<Left>::bits + std::decay_t<Right>::bits> {
  static constexpr size_t low = std::decay_t<Right>::bits;
  static constexpr size_t width = std::decay_t<Left>::bits + low;
  // Temporaries are kept, names are referred to.
  Left left;
  Right right;
  concat_of(Left l, Right r) : left(std::forward<Left>(l)), right(std::forward<Right>(r)) {}

  LAB_INLINE value<width> val() const {
    const value<width - low> &high = left.val();
    const value<low> &rest = right.val();
    if constexpr (width <= 64) {
      return value<width>::of((uint64_t(high.data[0]) << low % 64) | rest.data[0]);
    } else {
      return high.template zcast<width>().template shl_by<width>(low).bit_or(rest.template zcast<width>());
    }
  }
  LAB_INLINE operator value<width>() const { return val(); }
  LAB_INLINE explicit operator bool() const { return bool(val()); }
  template <size_t High, size_t Low2 = High>
  LAB_INLINE auto slice() const {
    return val().template cut<High, Low2>();
  }
  LAB_INLINE const concat_of &operator=(const value<width> &bits) {
    left = bits.template cut<width - 1, low>();
    right = bits.template cut<low - 1, 0>();
    return *this;
  }
};

// A vector that keeps its value until the end of an evaluation: a register, or logic that is evaluated out of order.
template <size_t Bits>
struct wire {
  value<Bits> curr;
  value<Bits> next;

  wire() = default;
  explicit constexpr wire(const value<Bits> &initial) : curr(initial), next(initial) {}
  template <class... Pieces, class = std::enable_if_t<(sizeof...(Pieces) > 0 && (std::is_integral_v<Pieces> && ...))>>
  explicit constexpr wire(Pieces... pieces) : curr(pieces...), next(pieces...) {}
  wire(const wire &) = delete;
  wire(wire &&) = default;
  wire &operator=(const wire &) = delete;
  wire &operator=(wire &&) = default;

  template <class Observer>
  LAB_INLINE bool commit(Observer &) {
    // Without a branch: a design has thousands of these, one after the other.
    const bool changed = curr != next;
    curr = next;
    return changed;
  }
};

// A memory whose writes take effect together, those of ports with a higher number last.
template <size_t Width>
struct memory {
  const size_t depth;
  std::vector<value<Width>> data;

  explicit memory(size_t words) : depth(words), data(words) {}

  const value<Width> &operator[](size_t index) const { return data[index]; }
  value<Width> &operator[](size_t index) { return data[index]; }

  void update(size_t index, const value<Width> &with, const value<Width> &mask, int port = 0) {
    auto place = queue.end();
    while (place != queue.begin() && std::prev(place)->port > port) --place;
    queue.insert(place, write{index, with, mask, port});
  }

  template <class Observer>
  bool commit(Observer &) {
    if (queue.empty()) return false;
    bool changed = false;
    for (const write &entry : queue) {
      const value<Width> now = data[entry.index].update(entry.with, entry.mask);
      changed |= now != data[entry.index];
      data[entry.index] = now;
    }
    queue.clear();
    return changed;
  }

 private:
  struct write {
    size_t index;
    value<Width> with;
    value<Width> mask;
    int port;
  };
  std::vector<write> queue;
};

struct memory_index {
  bool valid;
  size_t index;
  template <size_t Bits>
  LAB_INLINE memory_index(const value<Bits> &address, size_t first, size_t depth) {
    const size_t at = address.data[0];
    valid = at >= first && at < first + depth;
    for (size_t i = 1; i < address.words; i++) valid = valid && address.data[i] == 0;
    index = at - first;
  }
};

// Cells. `_u` and `_s` say how an operand narrower than needed is extended; the first parameter is the result's width.

template <size_t Y, size_t A, size_t... B>
inline constexpr bool narrow = Y <= 64 && A <= 64 && ((B <= 64) && ...);

template <size_t A, size_t B>
inline constexpr size_t wider = A > B ? A : B;

#define LAB_UNARY(name, extend, number, fast, slow)        \
  template <size_t Y, size_t A>                            \
  LAB_INLINE value<Y> name(const value<A> &a) {            \
    if constexpr (narrow<Y, A>) {                          \
      const auto x = a.number();                           \
      (void)x;                                             \
      return value<Y>::of(uint64_t(fast));                 \
    } else {                                               \
      const value<Y> x = a.template extend<Y>();           \
      return slow;                                         \
    }                                                      \
  }

// Operands are extended to the width of the result.
#define LAB_BINARY(name, extend, number, fast, slow)                    \
  template <size_t Y, size_t A, size_t B>                               \
  LAB_INLINE value<Y> name(const value<A> &a, const value<B> &b) {      \
    if constexpr (narrow<Y, A, B>) {                                    \
      const uint64_t x = uint64_t(a.number());                          \
      const uint64_t y = uint64_t(b.number());                          \
      return value<Y>::of(fast);                                        \
    } else {                                                            \
      const value<Y> x = a.template extend<Y>();                        \
      const value<Y> y = b.template extend<Y>();                        \
      return slow;                                                      \
    }                                                                   \
  }

// Operands are extended to the width of the wider one; the result is a bit.
#define LAB_COMPARE(name, extend, number, fast, slow)                   \
  template <size_t Y, size_t A, size_t B>                               \
  LAB_INLINE value<Y> name(const value<A> &a, const value<B> &b) {      \
    if constexpr (narrow<Y, A, B>) {                                    \
      const auto x = a.number();                                        \
      const auto y = b.number();                                        \
      return value<Y>::of(fast);                                        \
    } else {                                                            \
      const value<wider<A, B>> x = a.template extend<wider<A, B>>();    \
      const value<wider<A, B>> y = b.template extend<wider<A, B>>();    \
      return value<Y>(uint32_t(slow));                                  \
    }                                                                   \
  }

LAB_UNARY(not_u, zcast, number, ~x, x.bit_not())
LAB_UNARY(not_s, scast, signed_number, ~x, x.bit_not())
LAB_UNARY(pos_u, zcast, number, x, x)
LAB_UNARY(pos_s, scast, signed_number, x, x)
LAB_UNARY(neg_u, zcast, number, 0 - uint64_t(x), x.neg())
LAB_UNARY(neg_s, scast, signed_number, 0 - uint64_t(x), x.neg())

#define LAB_REDUCE(name, expression)               \
  template <size_t Y, size_t A>                    \
  LAB_INLINE value<Y> name(const value<A> &a) {    \
    return value<Y>(uint32_t(expression));         \
  }

template <size_t A>
LAB_INLINE bool parity(const value<A> &a) {
  uint64_t all = 0;
  for (size_t i = 0; i < a.words; i++) all ^= a.data[i];
  return __builtin_parityll(all);
}

LAB_REDUCE(logic_not, a.is_zero())
LAB_REDUCE(reduce_and, a.bit_not().is_zero())
LAB_REDUCE(reduce_or, !a.is_zero())
LAB_REDUCE(reduce_bool, !a.is_zero())
LAB_REDUCE(reduce_xor, parity(a))
LAB_REDUCE(reduce_xnor, !parity(a))

LAB_BINARY(and_uu, zcast, number, x & y, x.bit_and(y))
LAB_BINARY(and_ss, scast, signed_number, x & y, x.bit_and(y))
LAB_BINARY(or_uu, zcast, number, x | y, x.bit_or(y))
LAB_BINARY(or_ss, scast, signed_number, x | y, x.bit_or(y))
LAB_BINARY(xor_uu, zcast, number, x ^ y, x.bit_xor(y))
LAB_BINARY(xor_ss, scast, signed_number, x ^ y, x.bit_xor(y))
LAB_BINARY(xnor_uu, zcast, number, ~(x ^ y), x.bit_xor(y).bit_not())
LAB_BINARY(xnor_ss, scast, signed_number, ~(x ^ y), x.bit_xor(y).bit_not())
LAB_BINARY(add_uu, zcast, number, x + y, x.add(y))
LAB_BINARY(add_ss, scast, signed_number, x + y, x.add(y))
LAB_BINARY(sub_uu, zcast, number, x - y, x.sub(y))
LAB_BINARY(sub_ss, scast, signed_number, x - y, x.sub(y))
LAB_BINARY(mul_uu, zcast, number, x *y, x.mul(y))
LAB_BINARY(mul_ss, scast, signed_number, x *y, x.mul(y))

LAB_COMPARE(eq_uu, zcast, number, x == y, x == y)
LAB_COMPARE(eq_ss, scast, signed_number, x == y, x == y)
LAB_COMPARE(ne_uu, zcast, number, x != y, x != y)
LAB_COMPARE(ne_ss, scast, signed_number, x != y, x != y)
LAB_COMPARE(eqx_uu, zcast, number, x == y, x == y)
LAB_COMPARE(eqx_ss, scast, signed_number, x == y, x == y)
LAB_COMPARE(nex_uu, zcast, number, x != y, x != y)
LAB_COMPARE(nex_ss, scast, signed_number, x != y, x != y)
LAB_COMPARE(lt_uu, zcast, number, x < y, x.ucmp(y))
LAB_COMPARE(lt_ss, scast, signed_number, x < y, x.scmp(y))
LAB_COMPARE(le_uu, zcast, number, x <= y, !y.ucmp(x))
LAB_COMPARE(le_ss, scast, signed_number, x <= y, !y.scmp(x))
LAB_COMPARE(gt_uu, zcast, number, x > y, y.ucmp(x))
LAB_COMPARE(gt_ss, scast, signed_number, x > y, y.scmp(x))
LAB_COMPARE(ge_uu, zcast, number, x >= y, !x.ucmp(y))
LAB_COMPARE(ge_ss, scast, signed_number, x >= y, !x.scmp(y))

template <size_t Y, size_t A, size_t B>
LAB_INLINE value<Y> logic_and(const value<A> &a, const value<B> &b) {
  return value<Y>(uint32_t(bool(a) && bool(b)));
}
template <size_t Y, size_t A, size_t B>
LAB_INLINE value<Y> logic_or(const value<A> &a, const value<B> &b) {
  return value<Y>(uint32_t(bool(a) || bool(b)));
}

// Shifts: the letters are the signedness of the operand and of the amount. An amount that is negative shifts the other
// way, in `shift` and `shiftx` only.
#define LAB_SHIFT(name, expression)                                     \
  template <size_t Y, size_t A, size_t B>                               \
  LAB_INLINE value<Y> name(const value<A> &a, const value<B> &b) {      \
    return expression;                                                  \
  }

// Room for the result and for the operand: bits that are shifted out on the right come from above the result's width.
template <size_t Y, size_t A>
inline constexpr size_t room = Y > A ? Y : A;

LAB_SHIFT(shl_uu, a.template zcast<Y>().shl(b))
LAB_SHIFT(shl_su, a.template scast<Y>().shl(b))
LAB_SHIFT(sshl_uu, a.template zcast<Y>().shl(b))
LAB_SHIFT(sshl_su, a.template scast<Y>().shl(b))
LAB_SHIFT(shr_uu, a.shr(b).template zcast<Y>())
LAB_SHIFT(shr_su, (a.template scast<room<Y, A>>().shr(b).template zcast<Y>()))
LAB_SHIFT(sshr_uu, a.shr(b).template zcast<Y>())
LAB_SHIFT(sshr_su, a.sshr(b).template scast<Y>())
LAB_SHIFT(shift_uu, shr_uu<Y>(a, b))
LAB_SHIFT(shift_su, shr_su<Y>(a, b))
LAB_SHIFT(shift_us, b.is_neg() ? shl_uu<Y>(a, b.template scast<B + 1>().neg()) : shr_uu<Y>(a, b))
LAB_SHIFT(shift_ss, b.is_neg() ? shl_su<Y>(a, b.template scast<B + 1>().neg()) : shr_su<Y>(a, b))
LAB_SHIFT(shiftx_uu, shr_uu<Y>(a, b))
LAB_SHIFT(shiftx_su, shr_su<Y>(a, b))
LAB_SHIFT(shiftx_us, shift_us<Y>(a, b))
LAB_SHIFT(shiftx_ss, shift_ss<Y>(a, b))

// Division. Signed: rounds to zero; the remainder has the sign of the dividend, `modfloor` that of the divisor.
template <size_t Y, size_t A, size_t B>
std::pair<value<Y>, value<Y>> divmod_uu(const value<A> &a, const value<B> &b) {
  constexpr size_t width = wider<Y, wider<A, B>>;
  const auto result = a.template zcast<width>().udivmod(b.template zcast<width>());
  return {result.first.template zcast<Y>(), result.second.template zcast<Y>()};
}
template <size_t Y, size_t A, size_t B>
std::pair<value<Y>, value<Y>> divmod_ss(const value<A> &a, const value<B> &b) {
  // One bit more, so that the most negative number has an opposite.
  constexpr size_t width = wider<Y, wider<A, B>> + 1;
  value<width> x = a.template scast<width>(), y = b.template scast<width>();
  const bool x_neg = x.is_neg(), y_neg = y.is_neg();
  if (x_neg) x = x.neg();
  if (y_neg) y = y.neg();
  auto [quotient, rest] = x.udivmod(y);
  if (x_neg != y_neg) quotient = quotient.neg();
  if (x_neg) rest = rest.neg();
  return {quotient.template zcast<Y>(), rest.template zcast<Y>()};
}

LAB_SHIFT(div_uu, divmod_uu<Y>(a, b).first)
LAB_SHIFT(div_ss, divmod_ss<Y>(a, b).first)
LAB_SHIFT(mod_uu, divmod_uu<Y>(a, b).second)
LAB_SHIFT(mod_ss, divmod_ss<Y>(a, b).second)
LAB_SHIFT(modfloor_uu, divmod_uu<Y>(a, b).second)

template <size_t Y, size_t A, size_t B>
value<Y> modfloor_ss(const value<A> &a, const value<B> &b) {
  const value<Y> rest = divmod_ss<Y>(a, b).second;
  return a.is_neg() != b.is_neg() && !rest.is_zero() ? add_ss<Y>(b, rest) : rest;
}

// What the generated text mentions besides.
struct performer;
struct interior {};
struct observer {};

}  // namespace rtl
}  // namespace lab

#undef LAB_UNARY
#undef LAB_BINARY
#undef LAB_COMPARE
#undef LAB_REDUCE
#undef LAB_SHIFT
