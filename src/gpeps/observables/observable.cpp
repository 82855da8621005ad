#include "gpeps/observables/observable.hpp"

#include <algorithm>

#include "gpeps/observables/magnetization.hpp"
#include "gpeps/observables/string_observable.hpp"

namespace rankine::gpeps {

std::string Observable::dataset() const {
  std::string name;
  for (char c : text_) {
    if (c != ' ')
      name += c;
    else if (!name.empty() && name.back() != '_')
      name += '_';
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  return name;
}

void ObservableColumn::add(std::shared_ptr<const StringReading> reading) {
  const Factor& factor = reading->factor();
  names_.push_back(factor.name());
  route = joined_names(names_);
  ignored.join(factor.ignored);
  by_part.push_back(factor.ignored);
  uses.push_back({std::move(reading), {static_cast<int>(by_part.size()) - 1}});
}

bool Observable::is_exact() const {
  return std::ranges::all_of(columns_,
                             [](const auto& column) { return column.ignored.is_exact(); });
}

namespace {

/// Makes the observable of a text, or nothing when the text is none of its kind.
using Maker = std::unique_ptr<Observable> (*)(const std::string& text, const lattice::Graph& graph);

/// The first that knows a text makes it; Pauli strings come last, since they refuse what is none.
constexpr Maker makers[] = {make_magnetization, make_string_observable};

}  // namespace

std::unique_ptr<Observable> make_observable(const std::string& text, const lattice::Graph& graph) {
  std::unique_ptr<Observable> observable;
  for (const Maker make : makers)
    if (!observable) observable = make(text, graph);
  return observable;
}

}  // namespace rankine::gpeps
