// Intermediate results of a compression on disk: a run that was stopped continues where it was, and
// runs with the same model and calibration text share what was measured.
//
// Each stage has a folder DIRECTORY/<stage>-<fingerprint>, whose fingerprint covers everything the
// stage depends on, so one directory serves many decks. It holds the stage's tensors
// (model.safetensors) and, written last, stage.json with its notes: a folder without it is
// incomplete, and ignored.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "parallel/communicator.hpp"

namespace rankine::compress {

/// A 64-bit hash of texts and numbers in their order (FNV-1a).
class Fingerprint {
 public:
  Fingerprint& add(std::string_view text);
  Fingerprint& add(std::span<const std::int64_t> values);
  Fingerprint& add(std::uint64_t value);
  Fingerprint& add(double value);
  std::uint64_t value() const { return value_; }

 private:
  void add_bytes(std::span<const std::byte> bytes);
  std::uint64_t value_ = 0xcbf29ce484222325u;
};

struct Stage {
  std::string name;
  std::uint64_t fingerprint;
};

class Checkpoint {
 public:
  /// With an empty `directory` nothing is kept. `world` outlives the checkpoint.
  Checkpoint(const parallel::Communicator& world, std::filesystem::path directory)
      : world_(world), directory_(std::move(directory)) {}

  bool is_wanted() const { return !directory_.empty(); }
  std::filesystem::path folder(const Stage& stage) const;

  /// The notes of a complete stage, on all ranks; nothing if there is none. Collective over the
  /// world. Throws InputError on all ranks if they are there and cannot be read, or are no Notes.
  template <class Notes>
  std::optional<Notes> find(const Stage& stage) const {
    const auto notes = find_json(stage);
    if (!notes) return std::nullopt;
    try {
      return notes->template get<Notes>();
    } catch (const nlohmann::json::exception& error) {
      refuse(stage, error.what());
    }
  }
  /// For notes of the right kind that do not fit. Throws InputError, which all ranks shall do.
  [[noreturn]] void refuse(const Stage& stage, std::string_view why) const;

  /// Makes what is in the stage's folder count. Collective over the world, after all files are
  /// there. Throws InputError or ResourceError on all ranks.
  void complete(const Stage& stage, const nlohmann::json& notes) const;

  /// Removes an earlier state of a stage. Collective over the world.
  void remove(const Stage& stage) const;

 private:
  std::optional<nlohmann::json> find_json(const Stage& stage) const;

  const parallel::Communicator& world_;
  std::filesystem::path directory_;
};

}  // namespace rankine::compress
