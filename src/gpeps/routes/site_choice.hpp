// Chooses how Z of every site is read, for values that take all sites together: exactly for all of
// them where that is affordable.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "gpeps/routes/ways.hpp"

namespace rankine::gpeps {

class SiteChooser {
 public:
  /// `measured` must outlive the object.
  explicit SiteChooser(const MeasuredCircuit& measured) : measured_(measured) {}

  /// `factors[column]` holds the sites that are read otherwise than in mean field,
  /// `ignored[column][site]` what a mean-field reading leaves out.
  struct Sites {
    std::vector<std::map<int, Factor>> factors;
    std::vector<std::vector<LoopsIgnored>> ignored;
  };
  /// After each of `steps` (1-based, ascending). Sites that are `known` are read by somebody else
  /// and left out of the choice.
  Sites choose(const std::vector<int>& steps, const std::set<int>& known) const;

 private:
  /// Sites that may be read exactly after one step, with their light cones.
  struct Column;
  struct SiteChoice {
    int site = 0;
    Factor factor;
    double flops = 0;
  };

  const SimulateOptions& options() const { return measured_.options; }
  const lattice::Graph& graph() const { return measured_.graph; }
  std::vector<SiteChoice> vector_choices(const Column& column) const;
  std::optional<std::vector<SiteChoice>> contraction_choices(Column& column,
                                                             std::vector<bool>& is_hopeless) const;
  void choose_column(Column& column, std::vector<bool>& is_hopeless) const;

  const MeasuredCircuit& measured_;
};

}  // namespace rankine::gpeps
