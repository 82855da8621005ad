#include "gpeps/observables/string_observable.hpp"

#include <fmt/format.h>

namespace rankine::gpeps {

namespace {

class StringObservable : public Observable {
 public:
  StringObservable(const std::string& text, circuit::PauliString string)
      : Observable(text), string_(std::move(string)) {}

  std::string long_name() const override { return fmt::format("expectation value of {}", text()); }
  const circuit::PauliString* string() const override { return &string_; }

  std::vector<ObservableColumn> choose(Planner& planner) const override {
    std::vector<ObservableColumn> columns;
    for (const auto& factors : planner.read(string_)) {
      ObservableColumn& column = columns.emplace_back();
      for (const auto& factor : factors) column.add(factor);
    }
    return columns;
  }

  Value combine(std::size_t, std::span<const Value> parts) const override {
    Value all{1, 0};
    for (const Value& part : parts) {
      all.value *= part.value;
      all.uncertainty += part.uncertainty;
    }
    return all;
  }

 private:
  circuit::PauliString string_;
};

}  // namespace

std::unique_ptr<Observable> make_string_observable(const std::string& text,
                                                   const lattice::Graph& graph) {
  return std::make_unique<StringObservable>(text,
                                            circuit::parse_pauli_string(text, graph.n_sites()));
}

}  // namespace rankine::gpeps
