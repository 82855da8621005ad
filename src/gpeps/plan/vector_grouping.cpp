#include "gpeps/plan/vector_grouping.hpp"

#include <cmath>
#include <map>
#include <set>

namespace rankine::gpeps {

namespace {

class VectorGrouping {
 public:
  void add(const Read& read, const Factor& factor, std::int64_t most_sites) {
    const std::set<int> sites(factor.sites.begin(), factor.sites.end());
    if (!factor.extension->steps.empty()) {
      vectors_.push_back({factor.sites, *factor.extension, {read}});
      return;
    }
    std::set<int>& candidates = with_site_[factor.string.letters.begin()->first];
    for (int index : candidates)
      if (joins(vectors_[index], sites, most_sites)) {
        enter(index, sites, read);
        return;
      }
    vectors_.push_back({});
    enter(static_cast<int>(vectors_.size()) - 1, sites, read);
  }

  std::vector<VectorPlan> finish() { return std::move(vectors_); }

 private:
  static bool joins(const VectorPlan& vector, std::set<int> sites, std::int64_t most_sites) {
    const double apart = std::exp2(vector.sites.size()) + std::exp2(sites.size());
    sites.insert(vector.sites.begin(), vector.sites.end());
    return std::cmp_less_equal(sites.size(), most_sites) && std::exp2(sites.size()) <= apart;
  }

  void enter(int index, std::set<int> sites, const Read& read) {
    VectorPlan& vector = vectors_[index];
    sites.insert(vector.sites.begin(), vector.sites.end());
    vector.sites.assign(sites.begin(), sites.end());
    vector.reads.push_back(read);
    for (int site : sites) with_site_[site].insert(index);
  }

  std::vector<VectorPlan> vectors_;
  std::map<int, std::set<int>> with_site_;
};

}  // namespace

std::vector<VectorPlan> grouped_vectors(const MeasurementPlan& plan, std::int64_t most_sites) {
  VectorGrouping grouping;
  for (int column = static_cast<int>(plan.readings.size()) - 1; column >= 0; --column)
    for (int index = 0; index < std::ssize(plan.readings[column]); ++index) {
      const Factor* factor = plan.readings[column][index].reading->own_run();
      if (factor && factor->environment == Environment::state_vector)
        grouping.add({column, index}, *factor, most_sites);
    }
  return grouping.finish();
}

}  // namespace rankine::gpeps
