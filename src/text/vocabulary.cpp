#include "text/vocabulary.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace rankine::text {

ByteTokens::ByteTokens(const Vocabulary& vocabulary) {
  for (unsigned byte = 0; byte < ids_.size(); ++byte) {
    const auto found = vocabulary.find(fmt::format("<0x{:02X}>", byte));
    if (found != vocabulary.end()) ids_[byte] = found->second;
  }
}

bool ByteTokens::append(std::string_view text, std::vector<std::int32_t>& ids) const {
  const auto id_of = [this](char byte) { return ids_[static_cast<unsigned char>(byte)]; };
  if (!std::ranges::all_of(text, [&](char byte) { return id_of(byte).has_value(); })) return false;
  for (const char byte : text) ids.push_back(*id_of(byte));
  return true;
}

}  // namespace rankine::text
