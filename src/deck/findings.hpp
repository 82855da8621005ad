// What is wrong with a deck: collected, put into the project's message grammar, thrown together.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deck/keyword.hpp"

namespace rankine::deck {

class Schema;

/// One thing that is wrong; printed as "what, where (why). advice".
struct Problem {
  std::string what;    ///< "lattice.rows is not set"
  std::string why;     ///< "a heavy-hex lattice needs it"
  std::string advice;  ///< "Add rows = 7 under [lattice]."

  std::string message(std::string_view where) const;
};

/// Collects problems. Checks of a schema get one; code that checks values later, against a lattice
/// say, makes its own from the schema that was read, and so names the same lines.
class Findings {
 public:
  explicit Findings(const Schema& schema) : schema_(&schema) {}

  /// The place named is where the deck or the command line gave `key` ("section.name").
  void add(std::string_view key, Problem problem);
  void add(Source source, Problem problem);

  /// Whether the deck or the command line gave `key`.
  bool is_given(std::string_view key) const;
  /// Whether it gave something else than the default, which a printed deck writes down for every
  /// keyword.
  bool is_changed(std::string_view key) const;

  /// For a keyword that a choice made elsewhere leaves without use: a problem if it is changed.
  void expect_unused(std::string_view key, std::string why, std::string advice);

  /// Throws one InputError with all problems in the order of the deck, or returns when there are
  /// none.
  void throw_if_any() const;

 private:
  struct Entry {
    Source source;
    Problem problem;
  };

  const Schema* schema_;
  std::vector<Entry> entries_;
};

}  // namespace rankine::deck
