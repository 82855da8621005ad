#include "text/pattern.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/core.h>
#include <pcre2.h>

#include <array>

#include "core/errors.hpp"
#include "text/pattern_translation.hpp"
#include "text/utf8.hpp"

namespace rankine::text {

namespace {

std::string explain(int error) {
  std::array<unsigned char, 256> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

struct FreeMatchData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};

/// Finds matches in one text.
class Search {
 public:
  Search(const pcre2_code* code, std::string_view text)
      : code_(code), text_(text), data_(pcre2_match_data_create_from_pattern(code, nullptr)) {}

  /// The first match from `from` on.
  bool find(std::size_t from) {
    const int result = pcre2_match(code_, reinterpret_cast<PCRE2_SPTR>(text_.data()), text_.size(),
                                   from, PCRE2_NO_UTF_CHECK, data_.get(), nullptr);
    if (result == PCRE2_ERROR_NOMATCH) return false;
    if (result > 0) return true;
    throw ResourceError(
        fmt::format("Cannot split a text of {} bytes into words ({}: the tokenizer's regular "
                    "expression tries too many ways). Use smaller texts or another tokenizer.",
                    text_.size(), explain(result)));
  }

  std::size_t begin() const { return pcre2_get_ovector_pointer(data_.get())[0]; }
  std::size_t end() const { return pcre2_get_ovector_pointer(data_.get())[1]; }

 private:
  const pcre2_code* code_;
  std::string_view text_;
  std::unique_ptr<pcre2_match_data, FreeMatchData> data_;
};

}  // namespace

Pattern::Pattern(const std::string& expression, std::string_view source) {
  int error = 0;
  std::size_t place = 0;
  pcre2_code* code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                    PCRE2_UTF | PCRE2_UCP, &error, &place, nullptr);
  if (code == nullptr) {
    throw InputError(
        fmt::format("Cannot use the regular expression '{}' of {} ({} at character "
                    "{}). Obtain the file anew.",
                    expression, source, explain(error), place));
  }
  code_ = std::shared_ptr<const void>(code, [code](const void*) { pcre2_code_free(code); });
  // Without just-in-time compilation, where it is not to be had, matching is only slower.
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
}

Pattern Pattern::regular_expression(std::string_view expression, std::string_view source) {
  return Pattern(pcre2_from_oniguruma(expression, source), source);
}

Pattern Pattern::literal(std::string_view text) { return Pattern(pcre2_from_literal(text), ""); }

Pattern Pattern::digit() { return Pattern(pcre2_digit_class(), ""); }

Pattern Pattern::digits() { return Pattern(pcre2_digit_class() + "+", ""); }

Pattern Pattern::word_character() { return Pattern(pcre2_word_class(), ""); }

std::vector<PatternPart> Pattern::cut(std::string_view text) const {
  std::vector<PatternPart> parts;
  const auto add = [&](std::size_t begin, std::size_t end, bool is_match) {
    if (begin < end) parts.push_back({text.substr(begin, end - begin), is_match});
  };
  Search search(static_cast<const pcre2_code*>(code_.get()), text);
  std::size_t done = 0;
  std::size_t from = 0;
  while (from <= text.size() && search.find(from)) {
    add(done, search.begin(), false);
    add(search.begin(), search.end(), true);
    done = search.end();
    from = done;
    if (search.begin() != search.end()) continue;
    // After an empty match the search goes on behind the next character.
    from += done < text.size() ? first_code_point(text.substr(done)).bytes : 1;
  }
  add(done, text.size(), false);
  return parts;
}

}  // namespace rankine::text
