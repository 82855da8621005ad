// The arrays of a state in memory, complete on every rank: stands for files in tests.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/errors.hpp"
#include "gpeps/state/state_arrays.hpp"

namespace rankine::testing {

class StoredArrays : public gpeps::ArraySource {
 public:
  std::map<std::string, std::vector<std::int64_t>> shapes;
  std::map<std::string, std::vector<double>> numbers;

  StoredArrays() = default;
  /// Collective: owners give to all.
  StoredArrays(const gpeps::StateArrays& arrays, const parallel::Communicator& ranks) {
    for (const gpeps::StateArray& array : arrays.all) {
      std::size_t size = 1;
      for (const std::int64_t length : array.shape) size *= static_cast<std::size_t>(length);
      std::vector<double>& values = numbers[array.name];
      std::visit([&](const auto& own) { values.assign(own.begin(), own.end()); }, array.values);
      values.resize(size);
      ranks.broadcast(std::span(values), array.owner);
      shapes[array.name] = array.shape;
    }
  }
  bool operator==(const StoredArrays& other) const {
    return shapes == other.shapes && numbers == other.numbers;
  }

  std::vector<std::int64_t> shape(const std::string& name) const override {
    const auto found = shapes.find(name);
    if (found == shapes.end()) throw InputError("no array " + name + " is stored. Store it.");
    return found->second;
  }
  void read(const std::string& name, std::span<float> values) const override {
    copy(numbers.at(name), values);
  }
  void read(const std::string& name, std::span<double> values) const override {
    copy(numbers.at(name), values);
  }

 private:
  template <class Number>
  static void copy(const std::vector<double>& from, std::span<Number> to) {
    for (std::size_t k = 0; k < to.size(); ++k) to[k] = static_cast<Number>(from.at(k));
  }
};

}  // namespace rankine::testing
