// Intermediate results on disk: a run that was stopped continues where it was, and runs share what
// depends on the same things (a model, a calibration text, a circuit).
//
// Each stage has a folder DIRECTORY/<stage>-<fingerprint>, whose fingerprint covers everything the
// stage depends on, so one directory serves many decks. It holds the stage's tensors
// (model.safetensors) and, written last, stage.json with its notes: a folder without it is
// incomplete, and ignored. What is read is not trusted: notes are sealed, tensors have checksums,
// and the stages hold shapes and numbers against model and deck.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/errors.hpp"
#include "parallel/communicator.hpp"
#include "run/stage_notes.hpp"

namespace rankine::run {

struct Stage {
  std::string name;
  /// Covers everything the stage depends on but the numbers of the model: deck, tokens, version of
  /// the program. Known without loading the model.
  std::uint64_t of_deck;
};

/// What stands beside the notes of a stage.
enum class Holds { notes, tensors };

/// The text of a file stage.json, if there is one in the folder of a stage; nothing if there is no
/// such folder or it is incomplete. On one rank. Throws InputError.
std::optional<std::string> stage_text(const std::filesystem::path& folder);

/// A message without its advice, to stand in parentheses.
std::string clause_of(const std::string& message);

class StageStore {
 public:
  /// With an empty `directory` nothing is kept. `world` outlives the store; `model` tells the
  /// model's numbers from others; `values` of the deck are noted, so that later runs can say in
  /// what they differ.
  StageStore(const parallel::Communicator& world, std::filesystem::path directory,
             std::uint64_t model, deck::DeckValues values = {})
      : world_(world),
        directory_(std::move(directory)),
        model_(model),
        values_(std::move(values)) {}

  bool is_wanted() const { return !directory_.empty(); }
  const parallel::Communicator& ranks() const { return world_; }
  const std::filesystem::path& directory() const { return directory_; }
  std::uint64_t model() const { return model_; }
  std::filesystem::path folder(const Stage& stage) const;

  /// The notes of a complete stage, on all ranks; nothing if there is none. Collective over the
  /// world. Throws InputError on all ranks, naming the folder, if they are there and cannot be
  /// read, are damaged, or are no Notes.
  template <class Notes>
  std::optional<Notes> find(const Stage& stage) const {
    const auto found = find_notes(stage);
    if (!found) return std::nullopt;
    return naming(stage, [&] { return notes_as<Notes>(found->notes); });
  }

  /// What `take(notes)` makes of a complete stage; nothing if there is none or, after a warning, if
  /// it cannot be gone on from: it is computed anew then. `take` is collective, fails on all ranks
  /// or on none, and changes nothing when it throws InputError. Collective over the world.
  template <class Notes, class Take>
  auto restore(const Stage& stage, Take&& take) const
      -> std::optional<std::invoke_result_t<Take, const Notes&>> {
    try {
      const auto notes = find<Notes>(stage);
      if (!notes) return std::nullopt;
      return naming(stage, [&] { return take(*notes); });
    } catch (const InputError& error) {
      pass_over(stage, error);
      return std::nullopt;
    }
  }

  /// What `read` makes of the stage's folder, whose tensors have the checksums that are noted.
  /// `read` is collective and fails on all ranks of the world or on none; its errors become those
  /// of the folder. Collective over the world. Throws InputError on all ranks.
  template <class Read>
  auto read_tensors(const Stage& stage, Read&& read) const {
    return naming(stage, [&] {
      verify(stage);
      return read(folder(stage));
    });
  }

  /// Makes what is in the stage's folder count. Collective over the world, after all files are
  /// there. Throws InputError or ResourceError on all ranks.
  void complete(const Stage& stage, const nlohmann::json& notes, Holds holds) const;

  /// Removes an earlier state of a stage. Collective over the world.
  void remove(const Stage& stage) const;

 private:
  /// An error that names the folder already.
  struct Refusal : InputError {
    using InputError::InputError;
  };
  /// For what does not fit. Throws Refusal, which all ranks shall do.
  [[noreturn]] void refuse(const Stage& stage, std::string_view why) const;
  void pass_over(const Stage& stage, const InputError& error) const;
  std::optional<StageNotes> find_notes(const Stage& stage) const;
  void verify(const Stage& stage) const;

  /// Errors of `work`, which all ranks throw alike, become those of the stage's folder.
  template <class Work>
  auto naming(const Stage& stage, Work&& work) const {
    try {
      return work();
    } catch (const Refusal&) {
      throw;
    } catch (const InputError& error) {
      refuse(stage, clause_of(error.what()));
    } catch (const NumericalError& error) {
      refuse(stage, clause_of(error.what()));
    }
  }

  const parallel::Communicator& world_;
  std::filesystem::path directory_;
  std::uint64_t model_;
  deck::DeckValues values_;
};

}  // namespace rankine::run
