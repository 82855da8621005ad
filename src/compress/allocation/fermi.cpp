#include "compress/allocation/fermi.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace rankine::compress {

namespace {

using Values = std::vector<double>;

double geometric(double first, double last, double fraction) {
  return first * std::pow(last / first, fraction);
}

/// The cut-off of one matrix at one temperature.
struct SoftCut {
  double potential;
  double temperature;

  double mask(std::size_t i) const {
    return 1 / (1 + std::exp((static_cast<double>(i) + 0.5 - potential) / temperature));
  }
  double slope(std::size_t i) const {
    const double f = mask(i);
    return f * (1 - f) / temperature;
  }
};

/// The potentials as parts of the full ranks, with their budget.
class Potentials {
 public:
  Potentials(const std::vector<Candidate>& candidates, FactorGauge gauge, double budget,
             const std::vector<std::int64_t>& ranks)
      : candidates_(candidates), gauge_(gauge), budget_(budget) {
    for (std::size_t m = 0; m < candidates.size(); ++m)
      parts_.push_back(static_cast<double>(ranks[m]) / full(m));
  }

  void cool(double first, double last, double fraction) {
    temperatures_.clear();
    for (std::size_t m = 0; m < candidates_.size(); ++m)
      temperatures_.push_back(geometric(std::max(first * full(m), last), last, fraction));
    restore_budget();
  }

  Components masks() const {
    Components all;
    for (std::size_t m = 0; m < candidates_.size(); ++m) {
      Values& mask = all.emplace_back(candidates_[m].singular_values.size());
      for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = cut(m).mask(i);
    }
    return all;
  }

  Values soft_ranks() const {
    Values ranks;
    for (std::size_t m = 0; m < candidates_.size(); ++m) ranks.push_back(soft_rank(m, 0));
    return ranks;
  }
  const Values& parts() const { return parts_; }
  void set_parts(Values parts) { parts_ = std::move(parts); }

  /// d loss / d part, made orthogonal to d budget / d part.
  Values tangent(const Components& of_masks) const {
    Values of_loss, of_budget;
    for (std::size_t m = 0; m < candidates_.size(); ++m) {
      double loss = 0, rank = 0;
      for (std::size_t i = 0; i < static_cast<std::size_t>(full(m)); ++i) {
        rank += cut(m).slope(i);
        if (i < of_masks[m].size()) loss += of_masks[m][i] * cut(m).slope(i);
      }
      of_loss.push_back(full(m) * loss);
      of_budget.push_back(full(m) * rank *
                          soft_cost(gauge_, candidates_[m].shape, soft_rank(m, 0)).slope);
    }
    const double along = dot(of_loss, of_budget) / std::max(dot(of_budget, of_budget), 1e-300);
    for (std::size_t m = 0; m < of_loss.size(); ++m) of_loss[m] -= along * of_budget[m];
    return of_loss;
  }

  void move(const Values& steps) {
    for (std::size_t m = 0; m < parts_.size(); ++m) {
      const double margin = 2 * temperatures_[m] / full(m);
      parts_[m] = std::clamp(parts_[m] + steps[m], 0.5 / full(m), 1 + margin);
    }
    restore_budget();
  }

 private:
  static double dot(const Values& a, const Values& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  }
  double full(std::size_t m) const { return static_cast<double>(candidates_[m].shape.full_rank()); }
  SoftCut cut(std::size_t m, double shift = 0) const {
    return {(parts_[m] + shift) * full(m), temperatures_[m]};
  }
  double soft_rank(std::size_t m, double shift) const {
    double sum = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(full(m)); ++i)
      sum += cut(m, shift).mask(i);
    return sum;
  }
  double cost(double shift) const {
    double sum = 0;
    for (std::size_t m = 0; m < parts_.size(); ++m)
      sum += soft_cost(gauge_, candidates_[m].shape, soft_rank(m, shift)).numbers;
    return sum;
  }

  /// One number added to all parts, found by bisection: the cost grows with it.
  void restore_budget() {
    double low = -2, high = 2;
    for (int i = 0; i < 50; ++i) {
      const double middle = (low + high) / 2;
      (cost(middle) > budget_ ? high : low) = middle;
    }
    for (double& part : parts_) part += low;
  }

  const std::vector<Candidate>& candidates_;
  FactorGauge gauge_;
  double budget_;
  Values parts_;
  Values temperatures_;
};

/// Kingma and Ba, arXiv:1412.6980.
class Adam {
 public:
  explicit Adam(std::size_t size) : mean_(size, 0), square_(size, 0) {}
  explicit Adam(const FermiState& state)
      : count_(state.steps), mean_(state.mean), square_(state.square) {}
  FermiState state(const Values& parts, const Importance& importance) const {
    return {count_, parts, mean_, square_, importance};
  }

  Values step(const Values& gradient, double learning_rate) {
    ++count_;
    Values steps(gradient.size());
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      mean_[i] += (1 - beta1_) * (gradient[i] - mean_[i]);
      square_[i] += (1 - beta2_) * (gradient[i] * gradient[i] - square_[i]);
      const auto count = static_cast<double>(count_);
      const double mean = mean_[i] / (1 - std::pow(beta1_, count));
      const double size = std::sqrt(square_[i] / (1 - std::pow(beta2_, count)));
      steps[i] = size > 0 ? -learning_rate * mean / size : 0;
    }
    return steps;
  }

 private:
  static constexpr double beta1_ = 0.9, beta2_ = 0.97;
  std::int64_t count_ = 0;
  Values mean_;
  Values square_;
};

}  // namespace

std::vector<std::int64_t> fermi_ranks(const std::vector<Candidate>& candidates, FactorGauge gauge,
                                      std::int64_t budget, std::vector<std::int64_t> first,
                                      const FermiOptions& options, const MaskGradient& gradient,
                                      const FermiCheckpoint& checkpoint) {
  Potentials potentials(candidates, gauge, static_cast<double>(budget), first);
  Adam adam(candidates.size());
  Importance importance;
  const auto fraction_at = [&](std::int64_t step) {
    return static_cast<double>(step) /
           static_cast<double>(std::max<std::int64_t>(1, options.steps - 1));
  };
  const auto cool = [&](std::int64_t step) {
    potentials.cool(options.temperature_first, options.temperature_last, fraction_at(step));
  };
  std::int64_t step = 0;
  if (const auto& from = checkpoint.from) {
    potentials.set_parts(from->parts);
    adam = Adam(*from);
    importance = from->importance;
    step = from->steps;
    cool(step - 1);
  }
  for (; step < options.steps; ++step) {
    cool(step);
    const Components masks = potentials.masks();
    const Components of_masks = gradient(step, masks);
    importance.observe(masks, of_masks);
    const Values tangent = potentials.tangent(of_masks);
    potentials.move(adam.step(tangent, geometric(options.learning_rate_first,
                                                 options.learning_rate_last, fraction_at(step))));
    checkpoint.keep(adam.state(potentials.parts(), importance));
  }
  return whole_ranks(candidates, gauge, budget, potentials.soft_ranks(), importance.estimate());
}

}  // namespace rankine::compress
