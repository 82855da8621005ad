// The states of one long computation, one after the other: the last few are kept, and a damaged one
// is passed over for the one before.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/log.hpp"
#include "run/stage_store.hpp"

namespace rankine::run {

class StateSeries {
 public:
  /// States are stages "<stage.name>.<number>". Collective over the ranks of the store, which
  /// outlives the series, as all methods are.
  StateSeries(const StageStore& store, Stage stage, std::int64_t keep);

  /// The notes of the newest state that is whole, after `read(folder, notes)` has taken its arrays;
  /// nothing if there is none. `read` is collective and fails on all ranks or on none; what it has
  /// changed before an InputError is changed again by the next state. Damage is a warning.
  template <class Notes, class Read>
  std::optional<Notes> restore(Read&& read) {
    const std::vector<std::int64_t> known = numbers();
    for (const std::int64_t number : known) {
      const Stage stage = numbered(number);
      try {
        auto notes = store_.find<Notes>(stage);
        if (!notes) continue;
        store_.read_tensors(stage, [&](const std::filesystem::path& folder) {
          read(folder, std::as_const(*notes));
        });
        return notes;
      } catch (const InputError& error) {
        pass_over(number, error,
                  number == known.back() ? "It begins anew" : "The state before it is taken");
      }
    }
    return std::nullopt;
  }

  /// Adds a state, whose arrays `write(folder)` writes (collective), and removes the oldest. Throws
  /// InputError or ResourceError on all ranks; earlier states stay then.
  template <class Write>
  void add(const nlohmann::json& notes, Write&& write) {
    if (!store_.is_wanted()) return;
    const Stage stage = numbered(next_);
    store_.remove(stage);
    write(store_.folder(stage));
    store_.complete(stage, notes, Holds::tensors);
    ++next_;
    remove_all_but(keep_);
  }

  /// Removes all states: the computation is done.
  void clear() { remove_all_but(0); }

 private:
  Stage numbered(std::int64_t number) const;
  /// Of the states on disk, newest first, the same on all ranks.
  std::vector<std::int64_t> numbers() const;
  void remove_all_but(std::int64_t count) const;
  void pass_over(std::int64_t number, const InputError& error, const char* instead);

  const StageStore& store_;
  Stage stage_;
  std::int64_t keep_;
  std::int64_t next_ = 1;
  std::vector<std::int64_t> damaged_ = {};
};

}  // namespace rankine::run
