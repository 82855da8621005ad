// stage.json, by which the folder of a stage counts: what is noted of the stage, and the checksums
// of its tensors. The text is sealed by a checksum of its own.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "core/errors.hpp"
#include "deck/difference.hpp"
#include "files/safetensors/tensor_checksums.hpp"

namespace rankine::run {

struct StageNotes {
  std::string folder;         ///< its name: stage and fingerprint
  std::uint64_t of_deck = 0;  ///< as in Stage
  nlohmann::json notes;       ///< of a kind that the stage knows
  deck::DeckValues values;    ///< that count, of the deck of the run that wrote it
  files::TensorChecksums tensors;
};

/// The text of the file.
std::string text_of(const StageNotes& notes);

/// A text of the file without its seal and last brace, with both.
std::string sealed(const std::string& body);

/// Throws InputError with what is wrong, as a clause.
StageNotes stage_notes_of(const std::string& text);

/// Notes of a type that nlohmann::json knows. Throws InputError likewise, also for what would be
/// taken but not come out again: fractions as counters, truth values as numbers, unknown keys.
template <class Notes>
Notes notes_as(const nlohmann::json& json) {
  try {
    auto notes = json.get<Notes>();
    if (nlohmann::json(notes).dump() == json.dump()) return notes;
  } catch (const nlohmann::json::exception&) {
  }
  throw InputError("its notes are not of the stage's kind");
}

}  // namespace rankine::run
