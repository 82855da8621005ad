#include "gpeps/observables/magnetization.hpp"

#include <algorithm>

namespace rankine::gpeps {

using circuit::Demand;
using circuit::PauliString;

namespace {

/// Z of several sites in mean field, all in one pass.
class MeanFieldSites : public Reading {
 public:
  /// `ignored`: of each of the sites.
  MeanFieldSites(std::vector<int> sites, std::vector<LoopsIgnored> ignored)
      : sites_(std::move(sites)), ignored_(std::move(ignored)) {}

  void ask(std::vector<Demand>& of_sites) const override {
    for (const int site : sites_) of_sites[site] = std::max(of_sites[site], Demand::diagonal);
  }

  std::vector<Value> read(const StateView& state) const override {
    const auto z = state.site_expectations(circuit::pauli_operator('Z'));
    std::vector<Value> values;
    std::vector<ClusterValue> inexact;
    for (std::size_t k = 0; k < sites_.size(); ++k) {
      const int site = sites_[k];
      values.push_back({z[site]});
      if (!ignored_[k].is_exact())
        inexact.push_back({one_site(site), PauliString{{{site, 'Z'}}}, z[site]});
    }
    if (inexact.empty()) return values;
    const std::vector<double> errors = state.loop_errors(inexact);
    auto error = errors.begin();
    for (std::size_t k = 0; k < sites_.size(); ++k)
      if (!ignored_[k].is_exact()) values[k].uncertainty = *error++;
    return values;
  }

 private:
  std::vector<int> sites_;
  std::vector<LoopsIgnored> ignored_;
};

/// The worst site stands for the magnetization; an exact value of it takes that of every site.
LoopsIgnored worst_of(const std::vector<LoopsIgnored>& sites) {
  LoopsIgnored all, worst;
  for (const LoopsIgnored& site : sites) {
    worst.count = std::max(worst.count, site.count);
    all.join(site);
  }
  return {worst.count, all.shortest, all.exact_flops};
}

/// Parts are the sites.
class Magnetization : public Observable {
 public:
  using Observable::Observable;

  std::string long_name() const override { return "mean of Z over all sites"; }
  std::optional<PartsDataset> parts_dataset() const override {
    return PartsDataset{"site_z", "expectation value of Z on each site", "Z of each site", "sites"};
  }

  std::vector<ObservableColumn> choose(Planner& planner) const override {
    const int n_sites = planner.graph().n_sites();
    std::set<int> shared;
    for (int site = 0; site < n_sites; ++site)
      if (planner.is_in_deck({{{site, 'Z'}}})) shared.insert(site);
    auto [factors, ignored] = planner.choose_sites(shared);
    std::vector<ObservableColumn> columns;
    for (std::size_t c = 0; c < factors.size(); ++c)
      columns.push_back(choose_column(planner, c, shared, factors[c], std::move(ignored[c])));
    return columns;
  }

  /// The sites it reads itself first, then those that are observables of the deck.
  Value combine(std::size_t column, std::span<const Value> parts) const override {
    Value sum{0, 0};
    for (const Value& part : parts) sum.value += part.value;
    for (const bool is_borrowed : {false, true})
      for (const auto& use : columns()[column].uses)
        for (const int part : use.parts)
          if (use.is_borrowed == is_borrowed) sum.uncertainty += parts[part].uncertainty;
    const auto n_sites = static_cast<double>(parts.size());
    return {sum.value / n_sites, sum.uncertainty / n_sites};
  }

 private:
  static ObservableColumn choose_column(Planner& planner, std::size_t index,
                                        const std::set<int>& shared,
                                        const std::map<int, Factor>& apart,
                                        std::vector<LoopsIgnored> ignored) {
    ObservableColumn column;
    std::vector<std::string> names, names_of_shared;
    for (const auto& [site, factor] : apart) {
      names.push_back(factor.name());
      column.uses.push_back({std::make_shared<const StringReading>(factor), {site}});
    }
    for (const int site : shared) {
      const auto& reading = planner.read({{{site, 'Z'}}})[index].front();
      names_of_shared.push_back(reading->factor().name());
      ignored[site] = reading->factor().ignored;
      column.uses.push_back({reading, {site}, true});
    }
    std::vector<int> others;
    std::vector<LoopsIgnored> ignored_by_others;
    for (int site = 0; site < planner.graph().n_sites(); ++site)
      if (!apart.contains(site) && !shared.contains(site)) {
        others.push_back(site);
        ignored_by_others.push_back(ignored[site]);
      }
    if (!others.empty()) {
      names.insert(names.begin(), "mean-field");
      column.uses.push_back(
          {std::make_shared<const MeanFieldSites>(others, std::move(ignored_by_others)), others});
    }
    names.insert(names.end(), names_of_shared.begin(), names_of_shared.end());
    column.route = joined_names(names);
    column.ignored = worst_of(ignored);
    column.by_part = std::move(ignored);
    return column;
  }
};

}  // namespace

std::unique_ptr<Observable> make_magnetization(const std::string& text, const lattice::Graph&) {
  if (text != "magnetization") return nullptr;
  return std::make_unique<Magnetization>(text);
}

}  // namespace rankine::gpeps
