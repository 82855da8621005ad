#include "text/normalizer.hpp"

#include <fmt/core.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uniset.h>

#include <algorithm>
#include <memory>

#include "core/errors.hpp"
#include "text/unicode_additions.hpp"
#include "text/utf8.hpp"

namespace rankine::text {

namespace {

void check_icu(UErrorCode code, const char* what) {
  if (U_FAILURE(code))
    throw LibraryError(
        fmt::format("ICU cannot {} ({}). Check the installation of ICU.", what, u_errorName(code)));
}

/// Of a pattern such as "[:age=9.0:]".
const icu::UnicodeSet& frozen_set(const char* pattern) {
  UErrorCode code = U_ZERO_ERROR;
  auto set = std::make_unique<icu::UnicodeSet>(icu::UnicodeString::fromUTF8(pattern), code);
  check_icu(code, "make a set of characters");
  set->freeze();
  return *set.release();  // lives as long as the program, as ICU's own data do
}

const icu::Normalizer2& instance_of(UnicodeForm form) {
  UErrorCode code = U_ZERO_ERROR;
  const icu::Normalizer2* found = nullptr;
  switch (form) {
    case UnicodeForm::nfc:
      found = icu::Normalizer2::getNFCInstance(code);
      break;
    case UnicodeForm::nfd:
      found = icu::Normalizer2::getNFDInstance(code);
      break;
    case UnicodeForm::nfkc:
      found = icu::Normalizer2::getNFKCInstance(code);
      break;
    case UnicodeForm::nfkd:
      found = icu::Normalizer2::getNFKDInstance(code);
      break;
  }
  check_icu(code, "normalise text");
  return *found;
}

char32_t lowercase_of(char32_t code_point) {
  const auto added = std::ranges::find_if(lowercase_additions, [&](const LowercaseAddition& range) {
    return code_point >= range.first && code_point <= range.last;
  });
  if (added != std::end(lowercase_additions)) return added->lowercase + (code_point - added->first);
  return static_cast<char32_t>(u_tolower(static_cast<UChar32>(code_point)));
}

/// What `append(result, code_point)` makes of all code points.
template <class Append>
std::string by_code_point(std::string_view text, const Append& append) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const CodePoint code_point = first_code_point(text);
    append(result, code_point.value.value_or(U'\ufffd'));
    text.remove_prefix(code_point.bytes);
  }
  return result;
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

std::string Normalizer::operator()(std::string_view text) const {
  std::string result(text);
  for (const NormalizerStep& step : steps_) result = step(result);
  return result;
}

NormalizerStep to_unicode_form(UnicodeForm form) {
  static const icu::UnicodeSet& known = frozen_set("[:age=9.0:]");
  const auto normalizer = std::make_shared<icu::FilteredNormalizer2>(instance_of(form), known);
  return [normalizer](std::string_view text) {
    if (is_ascii(text)) return std::string(text);
    std::string result;
    icu::StringByteSink<std::string> sink(&result, static_cast<std::int32_t>(text.size()));
    UErrorCode code = U_ZERO_ERROR;
    normalizer->normalizeUTF8(0,
                              icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())),
                              sink, nullptr, code);
    check_icu(code, "normalise text");
    return result;
  };
}

NormalizerStep to_lowercase() {
  return [](std::string_view text) {
    return by_code_point(text, [](std::string& result, char32_t code_point) {
      append_utf8(result, lowercase_of(code_point));
      if (code_point == U'\u0130') append_utf8(result, U'\u0307');  // the one that becomes two
    });
  };
}

NormalizerStep without_accents() {
  // Three characters changed their category since.
  static const icu::UnicodeSet& marks =
      frozen_set("[[[:M:]&[:age=9.0:]\\u1cf2\\u1cf3]-[\\U000111c9]]");
  return [](std::string_view text) {
    return by_code_point(text, [](std::string& result, char32_t code_point) {
      if (!marks.contains(static_cast<UChar32>(code_point))) append_utf8(result, code_point);
    });
  };
}

NormalizerStep stripped(bool left, bool right) {
  return [left, right](std::string_view text) {
    if (right) text = text.substr(0, without_trailing_white_space(text));
    if (left) text.remove_prefix(leading_white_space(text));
    return std::string(text);
  };
}

NormalizerStep with_beginning(std::string beginning) {
  return [beginning = std::move(beginning)](std::string_view text) {
    return text.empty() ? std::string() : beginning + std::string(text);
  };
}

NormalizerStep replaced(Pattern pattern, std::string content) {
  return [pattern = std::move(pattern), content = std::move(content)](std::string_view text) {
    std::string result;
    for (const PatternPart& part : pattern.cut(text)) result += part.is_match ? content : part.text;
    return result;
  };
}

}  // namespace rankine::text
