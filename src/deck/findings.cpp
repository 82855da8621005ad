// Findings in the order of the deck: lines first, then the command line, then what is missing.
#include "deck/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/errors.hpp"
#include "deck/schema.hpp"

namespace rankine::deck {
namespace {

/// Who gave another file for a deck need not read a message for each of its lines.
constexpr std::size_t most_shown = 50;

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

bool Findings::is_changed(std::string_view key) const {
  const Keyword& keyword = schema_->at(key);
  return keyword.is_given() && keyword.value_text() != keyword.default_text();
}

void Findings::expect_unused(std::string_view key, std::string why, std::string advice) {
  if (is_changed(key))
    add(key, {std::string(key) + " has no use here", std::move(why), std::move(advice)});
}

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
  const std::size_t n_shown = std::min(sorted.size(), most_shown);
  for (std::size_t k = 0; k < n_shown; ++k) text += "\n  " + message(sorted[k]);
  if (n_shown < sorted.size()) text += fmt::format("\n  and {} more", sorted.size() - n_shown);
  throw InputError(text);
}

}  // namespace rankine::deck
