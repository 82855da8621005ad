// An observable of the deck: what it is made of, and how it is read after each measured step.
//
// At each measured step it has parts, numbers that readings give, and a value that follows from
// them. How to add one is in docs/developer.md.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "circuit/pauli.hpp"
#include "gpeps/observables/planner.hpp"
#include "gpeps/observables/reading.hpp"

namespace rankine::gpeps {

/// How an observable is read after one measured step.
class ObservableColumn {
 public:
  /// A reading, and which parts of the observable its values are.
  struct Use {
    ReadingPointer reading;
    std::vector<int> parts;
    bool is_borrowed = false;  ///< of another observable, which has it among its own
  };
  /// Adds a part: the value of a string.
  void add(std::shared_ptr<const StringReading> reading);

  std::vector<Use> uses;
  std::string route;                  ///< names of what it is read by
  LoopsIgnored ignored;               ///< by the value
  std::vector<LoopsIgnored> by_part;  ///< by each part; as many as there are parts

 private:
  std::vector<std::string> names_;  ///< of what was added
};

class Observable {
 public:
  explicit Observable(std::string text) : text_(std::move(text)) {}
  virtual ~Observable() = default;

  /// As in the deck.
  const std::string& text() const { return text_; }
  /// Name of its dataset: the text with `_` for spaces.
  std::string dataset() const;
  /// What it is, for people.
  virtual std::string long_name() const = 0;
  /// The Pauli string it is, if it is one.
  virtual const circuit::PauliString* string() const { return nullptr; }

  /// Chooses how it is read after each step of the planner.
  virtual std::vector<ObservableColumn> choose(Planner& planner) const = 0;
  void plan(Planner& planner) { columns_ = choose(planner); }
  /// Per measured step, when it is planned.
  const std::vector<ObservableColumn>& columns() const { return columns_; }
  /// Whether no measured step leaves loops out.
  bool is_exact() const;

  /// Its value after a measured step, from its parts.
  virtual Value combine(std::size_t column, std::span<const Value> parts) const = 0;

  /// How its parts stand in the result file; nothing when only the value does.
  struct PartsDataset {
    std::string name;       ///< "site_z"
    std::string long_name;  ///< "expectation value of Z on each site"
    std::string subject;    ///< what there is one part for: "Z of each site"
    std::string axis;       ///< "sites"
  };
  virtual std::optional<PartsDataset> parts_dataset() const { return std::nullopt; }

 private:
  std::string text_;
  std::vector<ObservableColumn> columns_;
};

/// The observable that a text of the deck names. InputError: none, or one that does not fit the
/// lattice.
std::unique_ptr<Observable> make_observable(const std::string& text, const lattice::Graph& graph);

}  // namespace rankine::gpeps
