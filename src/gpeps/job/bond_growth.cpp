#include "gpeps/job/bond_growth.hpp"

#include <algorithm>
#include <cmath>

namespace rankine::gpeps {

namespace {

constexpr double largest_site = 1e200;

}  // namespace

double BondGrowth::elements(int site) const {
  double product = 2;
  for (int edge : graph_.edges_at(site)) product *= static_cast<double>(bond_[edge]);
  return std::min(product, largest_site);
}

BondChange BondGrowth::change(const circuit::Gate& gate) const {
  BondChange change{.edge = graph_.find_edge(gate.sites[0], gate.sites[1])};
  if (change.edge < 0) return change;
  const int d = gate.op->dimension();
  change.terms = static_cast<double>(gate.is_diagonal() ? d : d * d);
  change.before = static_cast<double>(bond_[change.edge]);
  change.after = std::min(change.before * change.terms, static_cast<double>(limit_));
  for (int site : gate.sites)
    change.after = std::min(change.after, elements(site) / change.before);
  change.after = std::max(1.0, std::floor(change.after));
  return change;
}

void BondGrowth::apply(const BondChange& change) {
  bond_[change.edge] = static_cast<std::int64_t>(change.after);
}

}  // namespace rankine::gpeps
