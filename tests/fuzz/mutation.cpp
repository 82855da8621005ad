#include "mutation.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string_view>

namespace rankine::fuzz {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t longest_input = 1 << 20;

constexpr std::array extreme_numbers{"0"sv,
                                     "-1"sv,
                                     "1"sv,
                                     "-0"sv,
                                     "127"sv,
                                     "255"sv,
                                     "65536"sv,
                                     "2147483647"sv,
                                     "2147483648"sv,
                                     "-2147483649"sv,
                                     "4294967297"sv,
                                     "9223372036854775807"sv,
                                     "9223372036854775808"sv,
                                     "-9223372036854775808"sv,
                                     "18446744073709551615"sv,
                                     "18446744073709551616"sv,
                                     "4611686018427387904"sv,
                                     "1000000000"sv,
                                     "1e300"sv,
                                     "-1e300"sv,
                                     "1e999"sv,
                                     "1e-320"sv,
                                     "0.5"sv,
                                     "3.7"sv,
                                     "1.0"sv,
                                     "nan"sv,
                                     "inf"sv,
                                     "-inf"sv,
                                     "0x10"sv,
                                     "007"sv,
                                     "1_000"sv,
                                     "+2"sv};

constexpr std::array other_values{
    "null"sv,        "true"sv,        "false"sv,     "\"\""sv,       "\"x\""sv,    "[]"sv,
    "{}"sv,          "[[]]"sv,        "{\"a\":1}"sv, "[1,2]"sv,      "[1.5]"sv,    "[null]"sv,
    "\"\\u0000\""sv, "\"\\ud800\""sv, "'text'"sv,    "1979-05-27"sv, "\"\xff\""sv, "[\"a\", 1]"sv,
    "{a = 1}"sv,     "\"-1\""sv,      "[{}]"sv};

constexpr std::array<std::uint64_t, 14> extreme_words{0,
                                                      1,
                                                      0x7f,
                                                      0x80,
                                                      0xff,
                                                      0x7fff,
                                                      0xffff,
                                                      0x7fffffff,
                                                      0x80000000,
                                                      0xffffffff,
                                                      0x100000001,
                                                      0x7fffffffffffffff,
                                                      0x8000000000000000,
                                                      0xffffffffffffffff};

struct Span {
  std::size_t begin = 0;
  std::size_t length = 0;
};

/// The changes of one input.
class Mutation {
 public:
  Mutation(const Target& target, RandomStream& random)
      : target_(target), random_(random), input_(target.seeds[below(target.seeds.size())]) {}

  std::string run() {
    // Mostly few changes: an input that is wrong in many places is refused for the first of them.
    int changes = 1;
    while (changes < 12 && chance(2)) ++changes;
    for (; changes > 0; --changes) change();
    if (chance(400)) nest();
    if (chance(400)) repeat();
    if (input_.size() > longest_input) input_.resize(longest_input);
    return std::move(input_);
  }

 private:
  void change() {
    using Change = void (Mutation::*)();
    static constexpr std::array<Change, 16> changes{
        &Mutation::flip_bit,       &Mutation::overwrite_byte, &Mutation::insert_bytes,
        &Mutation::remove_chunk,   &Mutation::copy_chunk,     &Mutation::splice,
        &Mutation::replace_number, &Mutation::replace_number, &Mutation::replace_number,
        &Mutation::replace_value,  &Mutation::replace_value,  &Mutation::insert_word,
        &Mutation::change_lines,   &Mutation::truncate,       &Mutation::overwrite_word,
        &Mutation::change_digit};
    (this->*changes[below(changes.size())])();
  }

  std::size_t below(std::size_t bound) { return random_.below(bound); }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }
  template <class List>
  const auto& one_of(const List& list) {
    return list[below(std::size(list))];
  }
  /// A place in the input, its end included.
  std::size_t place() { return below(input_.size() + 1); }
  /// A piece of `text`, mostly a short one.
  Span chunk_of(const std::string& text) {
    const std::size_t begin = below(text.size() + 1);
    const std::size_t longest = std::size_t{1} << below(10);
    return {begin, std::min(text.size() - begin, 1 + below(longest))};
  }

  void flip_bit() {
    if (input_.empty()) return;
    char& byte = input_[below(input_.size())];
    byte = static_cast<char>(byte ^ (1 << below(8)));
  }
  void overwrite_byte() {
    if (!input_.empty()) input_[below(input_.size())] = static_cast<char>(below(256));
  }
  void insert_bytes() {
    std::string bytes;
    for (std::size_t left = 1 + below(4); left > 0; --left)
      bytes += static_cast<char>(chance(2) ? below(256) : " \n\"[]{}:,=.#-\\"[below(14)]);
    input_.insert(place(), bytes);
  }
  void remove_chunk() {
    const Span chunk = chunk_of(input_);
    input_.erase(chunk.begin, chunk.length);
  }
  void copy_chunk() {
    const Span chunk = chunk_of(input_);
    input_.insert(place(), input_.substr(chunk.begin, chunk.length));
  }
  void splice() {
    const std::string& other = one_of(target_.seeds);
    const Span chunk = chunk_of(other);
    input_.insert(place(), other, chunk.begin, chunk.length);
  }
  void truncate() {
    if (chance(2)) input_.resize(place());
  }
  void insert_word() {
    if (target_.words.empty()) return;
    std::size_t at = place();
    // Half of them into texts, where patterns and names are.
    if (chance(2)) at = std::min(input_.find('"', at), input_.size() - 1) + 1;
    input_.insert(at, one_of(target_.words));
  }
  /// Little-endian, as lengths and offsets of binary formats are.
  void overwrite_word() {
    const std::size_t bytes = std::size_t{1} << below(4);
    if (input_.size() < bytes) return;
    const std::uint64_t word = one_of(extreme_words);
    // Headers are at the beginning.
    const std::size_t end = chance(2) ? input_.size() : std::min<std::size_t>(input_.size(), 32);
    std::memcpy(input_.data() + below(end - std::min(end, bytes) + 1), &word, bytes);
  }
  void change_digit() {
    const Span number = find_number();
    if (number.length == 0) return;
    input_[number.begin + below(number.length)] = "0123456789.-e"[below(13)];
  }
  void replace_number() {
    const Span number = find_number();
    if (number.length == 0) return;
    input_.replace(number.begin, number.length, one_of(extreme_numbers));
  }
  void replace_value() {
    const Span value = find_value();
    if (value.length == 0) return;
    const auto new_value = chance(3) ? one_of(extreme_numbers) : one_of(other_values);
    input_.replace(value.begin, value.length, new_value);
  }

  /// The first number behind a random place.
  Span find_number() {
    const std::size_t begin = input_.find_first_of("0123456789", place());
    if (begin == input_.npos) return {};
    const std::size_t end = input_.find_first_not_of("0123456789.eE+-", begin);
    return {begin, std::min(end, input_.size()) - begin};
  }
  /// The first value behind a random place: a number, a word, a text, a list or an object.
  Span find_value() {
    const std::size_t begin = input_.find_first_of("0123456789\"'[{tfn", place());
    if (begin == input_.npos) return {};
    const char first = input_[begin];
    std::size_t end = begin + 1;
    if (first == '"' || first == '\'') {
      end = input_.find(first, end);
      end = end == input_.npos ? end : end + 1;
    } else if (first == '[' || first == '{') {
      end = end_of_brackets(begin);
    } else {
      end = input_.find_first_not_of("0123456789.eE+-abcdefghijklmnopqrstuvwxyz_", end);
    }
    return {begin, std::min(end, input_.size()) - begin};
  }
  std::size_t end_of_brackets(std::size_t begin) const {
    int depth = 0;
    for (std::size_t i = begin; i < input_.size(); ++i) {
      if (input_[i] == '[' || input_[i] == '{') ++depth;
      if (input_[i] == ']' || input_[i] == '}') --depth;
      if (depth == 0) return i + 1;
    }
    return input_.npos;
  }

  Span line_at(std::size_t somewhere) const {
    const std::size_t before = somewhere == 0 ? input_.npos : input_.rfind('\n', somewhere - 1);
    const std::size_t begin = before == input_.npos ? 0 : before + 1;
    const std::size_t end = input_.find('\n', begin);
    return {begin, (end == input_.npos ? input_.size() : end + 1) - begin};
  }
  /// A line goes away, comes twice, or moves.
  void change_lines() {
    const Span line = line_at(place());
    const std::string text = input_.substr(line.begin, line.length);
    if (!chance(3)) input_.erase(line.begin, line.length);
    if (!chance(3)) input_.insert(line_at(place()).begin, text);
  }

  /// Brackets in brackets, deep enough to exhaust a stack that grows with them.
  void nest() {
    const std::size_t depth = std::size_t{1} << (4 + below(14));
    constexpr std::array<std::array<std::string_view, 2>, 5> brackets{
        {{"[", "]"}, {"{\"a\":", "}"}, {"(", ")"}, {"a.", ""}, {"{a=", "}"}}};
    const auto& [open, close] = one_of(brackets);
    std::string text;
    for (std::size_t level = 0; level < depth; ++level) text += open;
    text += "1";
    if (!chance(3))
      for (std::size_t level = 0; level < depth; ++level) text += close;
    // In place of a value it keeps what is around it right.
    const Span value = find_value();
    input_.replace(std::min(value.begin, input_.size()), value.length, text);
  }
  void repeat() {
    const Span chunk = chunk_of(input_);
    const std::string text = input_.substr(chunk.begin, chunk.length);
    const std::size_t longest = std::size_t{1} << (8 + below(10));
    std::string copies;
    while (!text.empty() && copies.size() < longest) copies += text;
    input_.insert(chunk.begin, copies);
  }

  const Target& target_;
  RandomStream& random_;
  std::string input_;
};

}  // namespace

std::string mutated_seed(const Target& target, RandomStream& random) {
  return Mutation(target, random).run();
}

}  // namespace rankine::fuzz
