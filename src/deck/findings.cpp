// Findings in the order of the deck: lines first, then the command line, then what is missing.
#include "deck/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/errors.hpp"
#include "deck/schema.hpp"

namespace rankine::deck {
namespace {

int position(const Source& source) {
  constexpr int last = std::numeric_limits<int>::max();
  if (source.kind == Source::Kind::deck) return source.line;
  return source.kind == Source::Kind::command_line ? last - 1 : last;
}

}  // namespace

std::string Problem::message(std::string_view where) const {
  return fmt::format("{}, {} ({}). {}", what, where, why, advice);
}

void Findings::add(std::string_view key, Problem problem) {
  add(schema_->at(key).source, std::move(problem));
}

void Findings::add(Source source, Problem problem) {
  entries_.push_back({std::move(source), std::move(problem)});
}

bool Findings::is_given(std::string_view key) const { return schema_->at(key).is_given(); }

void Findings::throw_if_any() const {
  if (entries_.empty()) return;
  std::vector<Entry> sorted = entries_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Entry& one, const Entry& other) {
    return position(one.source) < position(other.source);
  });
  const auto message = [](const Entry& entry) {
    return entry.problem.message(entry.source.where());
  };
  if (sorted.size() == 1) throw InputError(message(sorted.front()));
  std::string text = fmt::format("{} problems in the input:", sorted.size());
  for (const Entry& entry : sorted) text += "\n  " + message(entry);
  throw InputError(text);
}

}  // namespace rankine::deck
