// What observables ask when they choose how they are read.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "gpeps/observables/reading.hpp"
#include "gpeps/routes/site_choice.hpp"
#include "gpeps/routes/string_choice.hpp"

namespace rankine::gpeps {

class Planner {
 public:
  /// `steps`: those after which is measured (1-based, ascending). Both must outlive the object.
  Planner(const MeasuredCircuit& measured, const std::vector<int>& steps)
      : measured_(measured), steps_(steps) {}

  const lattice::Graph& graph() const { return measured_.graph; }
  const std::vector<int>& steps() const { return steps_; }

  /// How a string is read after each measured step: as a product of these. The same string gets the
  /// same readings, so that observables can share them.
  using StringReadings = std::vector<std::vector<std::shared_ptr<const StringReading>>>;
  const StringReadings& read(const circuit::PauliString& string);

  /// How Z of every site is read, but for those that are `known`.
  SiteChooser::Sites choose_sites(const std::set<int>& known) const {
    return SiteChooser(measured_).choose(steps_, known);
  }

  /// Strings that are observables of the deck, and so read anyway.
  void add_to_deck(const circuit::PauliString& string) { in_deck_.insert(string.text()); }
  bool is_in_deck(const circuit::PauliString& string) const {
    return in_deck_.contains(string.text());
  }

 private:
  const MeasuredCircuit& measured_;
  const std::vector<int>& steps_;
  std::map<std::string, StringReadings> known_;
  std::set<std::string> in_deck_;
};

}  // namespace rankine::gpeps
