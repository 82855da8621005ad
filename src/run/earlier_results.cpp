#include "run/earlier_results.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <system_error>
#include <variant>

#include "core/errors.hpp"
#include "core/sha256.hpp"
#include "core/text_format.hpp"
#include "core/version.hpp"
#include "files/hdf5/result_reader.hpp"
#include "run/stage_store.hpp"

namespace rankine::run {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void refuse(const fs::path& partial, const std::string& why) {
  throw InputError(fmt::format(
      "Cannot go on from '{}' ({}). Move it away, or choose another output.file; to start anew, "
      "remove it.",
      partial.string(), why));
}

std::string text_attribute(const fs::path& file, const char* name) {
  const files::Attribute value = files::read_attribute(file, "/", name);
  const auto* text = std::get_if<std::string>(&value);
  return text ? *text : "";
}

/// Of decks, program and inputs; empty if they are the same.
std::vector<std::string> reasons_against(const fs::path& partial, const RunIdentity& identity) {
  std::vector<std::string> reasons;
  if (const std::string type = text_attribute(partial, "filetype"); type != identity.filetype)
    return {fmt::format("it is a file of {}", type)};
  if (files::read_attribute(partial, "/", "format_version") !=
      files::Attribute(identity.format_version))
    return {"its format is that of another version"};
  if (const std::string version = text_attribute(partial, "program_version");
      version != program_version())
    reasons.push_back(fmt::format("version {} wrote it, this is {}", version, program_version()));
  deck::DeckValues there = deck::values_that_count(deck::values_of_effective_deck(
      files::read_text(partial, "/provenance/effective_deck"), partial.string()));
  deck::DeckValues here = deck::values_that_count(identity.values);
  for (const std::string& key : identity.may_differ) {
    there.erase(key);
    here.erase(key);
  }
  for (std::string& difference : deck::differences(there, here))
    reasons.push_back(std::move(difference));
  if (files::read_texts(partial, "/provenance/inputs").values != identity.inputs)
    reasons.push_back("the files that the deck names have other contents");
  return reasons;
}

}  // namespace

std::vector<std::string> input_lines(const std::vector<InputRecord>& records) {
  std::vector<std::string> lines;
  for (const InputRecord& record : records) {
    const fs::path path(record.path);
    if (record.is_whole())
      lines.push_back(fmt::format("{} {}", sha256(record.bytes),
                                  path.is_absolute() ? path.filename().string() : record.path));
  }
  std::ranges::sort(lines);
  const auto rest = std::ranges::unique(lines);
  lines.erase(rest.begin(), rest.end());
  return lines;
}

std::optional<fs::path> find_earlier_results(
    const fs::path& output, const RunIdentity& identity,
    const std::function<std::int64_t(const fs::path&)>& count) {
  fs::path partial = output;
  partial += ".partial";
  std::error_code ignored;
  if (!fs::exists(partial, ignored)) return std::nullopt;
  std::vector<std::string> reasons;
  try {
    if (text_attribute(partial, "filetype") == identity.filetype && count(partial) == 0)
      return std::nullopt;
    reasons = reasons_against(partial, identity);
  } catch (const InputError& error) {
    refuse(partial, clause_of(error.what()));
  }
  if (!reasons.empty()) refuse(partial, fmt::format("{}", fmt::join(reasons, "; ")));
  return partial;
}

}  // namespace rankine::run
