// A weight that shows its activations to an observer as they pass.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/language/language_model.hpp"
#include "weights/forms/weight.hpp"

namespace rankine::compress {

/// What the observer of a weight may look at; either may be empty.
struct Observer {
  std::function<void(const torch::Tensor& x)> of_inputs = {};
  std::function<void(const torch::Tensor& dy)> of_output_gradients = {};
};

class WatchedWeight final : public weights::Weight {
 public:
  WatchedWeight(const parallel::Communicator& team, std::shared_ptr<weights::Weight> watched,
                Observer observer)
      : Weight(team, watched->split()),
        watched_(std::move(watched)),
        observer_(std::move(observer)) {}

  weights::Form form() const override { return watched_->form(); }
  std::int64_t kept_rank() const override { return watched_->kept_rank(); }
  std::int64_t inputs() const override { return watched_->inputs(); }
  torch::Tensor forward(const torch::Tensor& x) const override;
  torch::Tensor own_rows() const override { return watched_->own_rows(); }
  std::vector<weights::Parameter> parameters() const override { return watched_->parameters(); }
  std::vector<weights::Parameter> indices() const override { return watched_->indices(); }

 private:
  std::shared_ptr<weights::Weight> watched_;
  Observer observer_;
};

/// Puts other weights into a model, and the original ones back in the end.
class TemporaryWeights {
 public:
  explicit TemporaryWeights(models::LanguageModel& model) : model_(model) {}
  TemporaryWeights(const TemporaryWeights&) = delete;
  TemporaryWeights& operator=(const TemporaryWeights&) = delete;
  ~TemporaryWeights();

  void replace(const std::string& name, std::shared_ptr<weights::Weight> weight);
  void watch(const std::string& name, Observer observer);

 private:
  struct Original {
    std::string name;
    std::shared_ptr<weights::Weight> weight;
  };
  models::LanguageModel& model_;
  std::vector<Original> originals_;
};

/// The weight of that name in the layers. It exists.
std::shared_ptr<weights::Weight> weight_of(const models::LanguageModel& model,
                                           const std::string& name);

}  // namespace rankine::compress
