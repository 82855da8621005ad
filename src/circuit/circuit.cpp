#include "circuit/circuit.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace rankine::circuit {

namespace {

/// Whether a gate matters to what is asked for; if it does, what it asks of its sites in turn.
bool propagate(const Gate& gate, std::vector<Demand>& demand) {
  Demand& a = demand[gate.sites[0]];
  Demand none = Demand::none;
  Demand& b = gate.n_sites() == 2 ? demand[gate.sites[1]] : none;
  if (a == Demand::none && b == Demand::none) return false;
  if (!gate.is_diagonal()) {
    a = b = Demand::full;
    return true;
  }
  if (a != Demand::full && b != Demand::full) return false;  // diagonal operators commute
  a = std::max(a, Demand::diagonal);
  b = std::max(b, Demand::diagonal);
  return true;
}

}  // namespace

Circuit causal_cone(const Circuit& circuit, int n_sites,
                    const std::vector<std::vector<Demand>>& measured) {
  std::vector<Demand> demand(n_sites, Demand::none);
  Circuit kept;
  kept.steps.resize(circuit.steps.size());
  for (int s = circuit.n_steps() - 1; s >= 0; --s) {
    for (std::size_t site = 0; site < measured[s].size(); ++site)
      demand[site] = std::max(demand[site], measured[s][site]);
    const Step& step = circuit.steps[s];
    for (auto gate = step.rbegin(); gate != step.rend(); ++gate)
      if (propagate(*gate, demand)) kept.steps[s].push_back(*gate);
    std::ranges::reverse(kept.steps[s]);
  }
  return kept;
}

Circuit separated(const Circuit& circuit) {
  using Factors = std::optional<std::array<OperatorPointer, 2>>;
  std::map<OperatorPointer, Factors> known;
  const auto factors_of = [&](const OperatorPointer& op) -> const Factors& {
    const auto [place, is_new] = known.try_emplace(op);
    if (is_new && op->n_sites() == 2) place->second = product_factors(*op);
    return place->second;
  };
  Circuit out;
  for (const Step& step : circuit.steps) {
    Step& kept = out.steps.emplace_back();
    for (const Gate& gate : step) {
      const Factors& factors = factors_of(gate.op);
      if (!factors) kept.push_back(gate);
      for (int k = 0; factors && k < 2; ++k) kept.push_back({(*factors)[k], {gate.sites[k], -1}});
    }
    std::erase_if(kept, [](const Gate& gate) { return gate.op->is_identity(); });
  }
  return out;
}

namespace {

/// Where a gate of the circuit being fused stands, and how many non-diagonal gates its sites had
/// seen then.
struct Place {
  int step = -1;
  int index = -1;
  std::array<int, 2> epochs{0, 0};
};

class Fuser {
 public:
  explicit Fuser(int n_sites, int n_steps) : epoch_(n_sites, 0), last_(n_sites), out_(n_steps) {}

  void add(int step, const Gate& gate) {
    if (Gate* earlier = partner(gate)) {
      earlier->op = multiplied(gate, *earlier);
      return;
    }
    const Place place{step, static_cast<int>(out_[step].size()), epochs(gate)};
    out_[step].push_back(gate);
    if (!gate.is_diagonal())
      for (int k = 0; k < gate.n_sites(); ++k) ++epoch_[gate.sites[k]];
    if (gate.is_diagonal()) diagonal_[key(gate)] = place;
    for (int k = 0; k < gate.n_sites(); ++k) last_[gate.sites[k]] = place;
  }

  Circuit finish() {
    Circuit circuit;
    for (Step& step : out_) {
      std::erase_if(step, [](const Gate& gate) { return gate.op->is_identity(); });
      circuit.steps.push_back(std::move(step));
    }
    return circuit;
  }

 private:
  static std::pair<int, int> key(const Gate& gate) {
    if (gate.n_sites() == 1) return {gate.sites[0], -1};
    return {std::min(gate.sites[0], gate.sites[1]), std::max(gate.sites[0], gate.sites[1])};
  }

  std::array<int, 2> epochs(const Gate& gate) const {
    const auto [a, b] = key(gate);
    return {epoch_[a], b < 0 ? 0 : epoch_[b]};
  }

  /// The earlier gate this one can be multiplied onto, or null.
  Gate* partner(const Gate& gate) {
    if (gate.is_diagonal()) {
      const auto found = diagonal_.find(key(gate));
      if (found != diagonal_.end() && found->second.epochs == epochs(gate))
        return &at(found->second);
    }
    const Place& last = last_[gate.sites[0]];
    if (last.step < 0 || key(at(last)) != key(gate)) return nullptr;
    if (gate.n_sites() == 2) {
      const Place& other = last_[gate.sites[1]];
      if (other.step != last.step || other.index != last.index) return nullptr;
    }
    // Only a gate that keeps its kind may absorb: a diagonal gate that turned non-diagonal would
    // make epochs lie.
    return at(last).is_diagonal() == gate.is_diagonal() ? &at(last) : nullptr;
  }

  Gate& at(const Place& place) { return out_[place.step][place.index]; }

  OperatorPointer multiplied(const Gate& later, const Gate& earlier) {
    const bool same_order = later.sites == earlier.sites;
    auto& product_of = products_[{later.op.get(), earlier.op.get(), same_order}];
    if (!product_of)
      product_of = product(same_order ? *later.op : *exchanged(*later.op), *earlier.op);
    operands_.push_back(later.op);
    operands_.push_back(earlier.op);
    return product_of;
  }

  std::vector<int> epoch_;
  std::vector<Place> last_;
  std::vector<Step> out_;
  std::map<std::pair<int, int>, Place> diagonal_;
  std::map<std::tuple<const Operator*, const Operator*, bool>, OperatorPointer> products_;
  std::vector<OperatorPointer> operands_;  // keeps the addresses used as keys alive
};

}  // namespace

namespace {

Circuit multiplied(const Circuit& circuit, int n_sites) {
  Fuser fuser(n_sites, circuit.n_steps());
  for (int s = 0; s < circuit.n_steps(); ++s)
    for (const Gate& gate : circuit.steps[s]) fuser.add(s, gate);
  return fuser.finish();
}

std::ptrdiff_t couplings(const Circuit& circuit) {
  std::ptrdiff_t count = 0;
  for (const Step& step : circuit.steps)
    count += std::ranges::count_if(step, [](const Gate& gate) { return gate.n_sites() == 2; });
  return count;
}

}  // namespace

Circuit fused(const Circuit& circuit, int n_sites) {
  Circuit result = multiplied(separated(circuit), n_sites);
  for (;;) {
    // One-site gates that come of products may meet others in turn.
    const Circuit apart = separated(result);
    if (couplings(apart) == couplings(result)) return result;
    result = multiplied(apart, n_sites);
  }
}

std::vector<Step> layers(const Step& step, int n_sites) {
  std::vector<int> next_layer(n_sites, 0);
  std::vector<Step> out;
  for (const Gate& gate : step) {
    int layer = 0;
    for (int k = 0; k < gate.n_sites(); ++k) layer = std::max(layer, next_layer[gate.sites[k]]);
    for (int k = 0; k < gate.n_sites(); ++k) next_layer[gate.sites[k]] = layer + 1;
    if (layer == std::ssize(out)) out.emplace_back();
    out[layer].push_back(gate);
  }
  return out;
}

namespace {

/// Pauli strings pulled back through gates; what an operator makes of two letters is computed once.
class PullBack {
 public:
  /// False when the gate is no Clifford gate for the string, which then stays as it is.
  bool apply(PauliString& string, const Gate& gate) {
    PauliString local;
    for (int k = 0; k < gate.n_sites(); ++k)
      if (const auto letter = string.letters.find(gate.sites[k]); letter != string.letters.end())
        local.letters[k] = letter->second;
    if (local.letters.empty()) return true;
    auto [known, is_new] = images_.try_emplace({gate.op.get(), local.letters});
    if (is_new) known->second = pull_back(local, {gate.op, {0, gate.n_sites() == 2 ? 1 : -1}});
    if (!known->second) return false;
    string.sign *= known->second->sign;
    for (int k = 0; k < gate.n_sites(); ++k) string.letters.erase(gate.sites[k]);
    for (const auto& [k, letter] : known->second->letters) string.letters[gate.sites[k]] = letter;
    return true;
  }

 private:
  std::map<std::pair<const Operator*, std::map<int, char>>, std::optional<PauliString>> images_;
};

}  // namespace

std::vector<CliffordRoute> clifford_routes(const Circuit& clifford, const PauliString& string,
                                           std::size_t most) {
  std::vector<CliffordRoute> routes{{{}, string}};
  CliffordRoute route = routes.front();
  std::map<const Operator*, OperatorPointer> inverse;
  PullBack pull;
  const auto list = [&] {
    if (routes.size() < most) routes.push_back(route);
  };
  int kind = 0;  // sites of the gates of the layer that is being undone
  for (auto step = clifford.steps.rbegin(); step != clifford.steps.rend(); ++step) {
    if (kind != 0 && !step->empty() && step->back().n_sites() != kind) list();
    route.extension.steps.emplace_back();
    for (auto gate = step->rbegin(); gate != step->rend(); ++gate) {
      if (kind != 0 && gate->n_sites() != kind && gate != step->rbegin()) list();
      kind = gate->n_sites();
      if (!pull.apply(route.readout, *gate)) return routes;
      auto& inverted = inverse[gate->op.get()];
      if (!inverted) inverted = adjoint(*gate->op);
      route.extension.steps.back().push_back({inverted, gate->sites});
      if (route.readout.letters.size() > 1) continue;
      routes.push_back(route);
      return routes;
    }
  }
  list();
  return routes;
}

}  // namespace rankine::circuit
