// The parameters of the best moment of a training, which may go on for too long.
#pragma once

#include <string>
#include <vector>

#include "weights/storage/parameter.hpp"

namespace rankine::train {

using weights::Parameter;

class BestParameters {
 public:
  /// Every rank copies what it holds of each parameter.
  explicit BestParameters(const std::vector<Parameter>& parameters) {
    for (const Parameter& parameter : parameters) {
      Parameter copy = parameter;
      copy.name += ".best";
      copy.values = parameter.values.detach().clone();
      pairs_.push_back({parameter, std::move(copy)});
    }
  }

  /// The parameters are the best so far.
  void take() const {
    for (const Pair& pair : pairs_) pair.best.values.copy_(pair.present.values.detach());
  }
  /// The parameters become the best.
  void put_back() const {
    const torch::NoGradGuard no_gradients;
    for (const Pair& pair : pairs_) pair.present.values.copy_(pair.best.values);
  }
  /// What a restart needs of them.
  std::vector<Parameter> arrays() const {
    std::vector<Parameter> all;
    for (const Pair& pair : pairs_) all.push_back(pair.best);
    return all;
  }

 private:
  struct Pair {
    Parameter present;
    Parameter best;
  };
  std::vector<Pair> pairs_;
};

}  // namespace rankine::train
