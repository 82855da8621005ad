// The unfinished result file that a stopped run of the same deck has left: what is finished in it
// is not computed again, and nothing fuller is replaced by something emptier.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/input_records.hpp"
#include "deck/difference.hpp"
#include "files/hdf5/result_file.hpp"

namespace rankine::run {

/// What the results of a run depend on.
struct RunIdentity {
  std::string filetype;
  std::int64_t format_version = 0;
  deck::DeckValues values;          ///< of the deck, all
  std::vector<std::string> inputs;  ///< as input_lines
  std::vector<std::string>
      may_differ;  ///< keywords that say which parts there are: lists of points
};

/// "sha256 name" of each whole file that was read: what stands in /provenance/inputs. Names without
/// folders that an absolute path has.
std::vector<std::string> input_lines(const std::vector<InputRecord>& records);

/// "<output>.partial" if parts of the run are finished there: `count(file)` says how many. Nothing
/// if there is none. On one rank. Throws InputError if it holds finished parts but cannot be gone
/// on from: damaged, of another deck (saying in what it differs), input, program or version.
std::optional<std::filesystem::path> find_earlier_results(
    const std::filesystem::path& output, const RunIdentity& identity,
    const std::function<std::int64_t(const std::filesystem::path&)>& count);

}  // namespace rankine::run
