#include "compress/allocation/knapsack.hpp"

#include <algorithm>
#include <limits>

#include "core/contracts.hpp"

namespace rankine::compress {

namespace {

constexpr std::size_t most_partial_choices = 4096;

/// Options of the first matrices: the last one taken, and the choice before it.
struct Partial {
  std::int64_t numbers;
  double loss;
  double excess;  ///< above the bound
  std::int32_t before;
  std::int32_t option;
};

/// Ordered by numbers, loss falls strictly.
void drop_dominated(std::vector<Partial>& partials) {
  std::ranges::sort(partials, [](const Partial& a, const Partial& b) {
    return a.numbers != b.numbers ? a.numbers < b.numbers : a.loss < b.loss;
  });
  double least = std::numeric_limits<double>::infinity();
  std::erase_if(partials, [&](const Partial& partial) {
    if (partial.loss >= least) return true;
    least = partial.loss;
    return false;
  });
}

void keep_the_nearest(std::vector<Partial>& partials) {
  if (partials.size() <= most_partial_choices) return;
  const auto middle = partials.begin() + most_partial_choices;
  std::ranges::nth_element(partials, middle, {}, &Partial::excess);
  partials.erase(middle, partials.end());
}

class Search {
 public:
  Search(const std::vector<std::vector<Option>>& options, std::int64_t budget, double price)
      : options_(options), budget_(budget), price_(price) {
    for (const auto& of_matrix : options) {
      double least = std::numeric_limits<double>::infinity();
      for (const Option& option : of_matrix) least = std::min(least, priced(option));
      least_.push_back(least);
      bound_ += least;
    }
    bound_ -= price * static_cast<double>(budget);
  }

  std::vector<std::size_t> run(const std::vector<std::size_t>& known) {
    double known_loss = 0;
    for (std::size_t m = 0; m < known.size(); ++m) known_loss += options_[m][known[m]].loss;
    gap_ = known_loss - bound_;
    stages_.push_back({{0, 0, 0, -1, -1}});
    for (std::size_t m = 0; m < options_.size(); ++m) extend(m);
    const auto& last = stages_.back();
    const Partial* best = nullptr;
    for (const Partial& partial : last)
      if (partial.numbers <= budget_ && partial.loss < (best ? best->loss : known_loss))
        best = &partial;
    return best ? trace(best) : known;
  }

 private:
  double priced(const Option& option) const {
    return option.loss + price_ * static_cast<double>(option.numbers);
  }

  void extend(std::size_t m) {
    std::vector<Partial> next;
    const auto& before = stages_.back();
    for (std::size_t o = 0; o < options_[m].size(); ++o) {
      const Option& option = options_[m][o];
      const double excess = priced(option) - least_[m];
      if (excess > gap_) continue;
      for (std::size_t b = 0; b < before.size(); ++b) {
        const Partial& partial = before[b];
        if (partial.excess + excess > gap_ || partial.numbers + option.numbers > budget_) continue;
        next.push_back({partial.numbers + option.numbers, partial.loss + option.loss,
                        partial.excess + excess, static_cast<std::int32_t>(b),
                        static_cast<std::int32_t>(o)});
      }
    }
    drop_dominated(next);
    keep_the_nearest(next);
    stages_.push_back(std::move(next));
  }

  std::vector<std::size_t> trace(const Partial* last) const {
    std::vector<std::size_t> chosen(options_.size());
    for (std::size_t m = options_.size(); m-- > 0;) {
      chosen[m] = static_cast<std::size_t>(last->option);
      last = &stages_[m][static_cast<std::size_t>(last->before)];
    }
    return chosen;
  }

  const std::vector<std::vector<Option>>& options_;
  std::int64_t budget_;
  double price_;
  std::vector<double> least_;
  double bound_ = 0;
  double gap_ = 0;
  std::vector<std::vector<Partial>> stages_;
};

}  // namespace

std::vector<std::size_t> choose_options(const std::vector<std::vector<Option>>& options,
                                        std::int64_t budget, double price,
                                        std::vector<std::size_t> known) {
  RANKINE_EXPECTS(options.size() == known.size(), "a known choice for every matrix");
  return Search(options, budget, price).run(known);
}

}  // namespace rankine::compress
