// The deck of rankine-distill.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "compress/job/options.hpp"
#include "core/named_values.hpp"
#include "deck/schema.hpp"

namespace rankine::distill {

/// What a slice is made of.
enum class SlicesBy {
  layer,  ///< the least that no skip connection crosses
  block,  ///< residual blocks, layers of a transformer
  list,   ///< as the deck says
};
inline constexpr std::array slices_by_names{Named<SlicesBy>{SlicesBy::layer, "layer"},
                                            Named<SlicesBy>{SlicesBy::block, "block"},
                                            Named<SlicesBy>{SlicesBy::list, "list"}};

enum class Mode {
  fit_only,  ///< the closed-form fit
  local,     ///< and every slice trained against the teacher's features
  global,    ///< or the whole network trained
  hybrid,    ///< local, then global
};
inline constexpr std::array mode_names{
    Named<Mode>{Mode::fit_only, "fit-only"}, Named<Mode>{Mode::local, "local"},
    Named<Mode>{Mode::global, "global"}, Named<Mode>{Mode::hybrid, "hybrid"}};

/// What the whole network is trained to say.
enum class GlobalTargets { labels, teacher };
inline constexpr std::array global_target_names{
    Named<GlobalTargets>{GlobalTargets::labels, "labels"},
    Named<GlobalTargets>{GlobalTargets::teacher, "teacher"}};

struct SliceOptions {
  SlicesBy by = SlicesBy::layer;
  std::vector<std::string> list = {};  ///< "layer1.0", "layer1.0..layer1.2"
  std::int64_t count = 0;  ///< of slices, whose costs are balanced; 0 for as many as `by` says
};

struct TrainingOptions {
  Mode mode = Mode::local;
  std::int64_t sweeps = 0;  ///< of the fit, on the compressed network's own inputs
  std::int64_t epochs = 10;
  std::int64_t batch_size = 64;  ///< images or windows of a step
  double learning_rate = 1e-3;
  std::vector<double> learning_rates = {};  ///< one for each slice in place of that; empty for none
  std::int64_t seed = 1;
  double warm_up = 0.1;
  double held_out = 0.05;           ///< part of the samples by which the best state is chosen
  bool fail_on_divergence = false;  ///< exit code 4 where a slice diverged
  bool score_slices = false;        ///< the network with each slice alone replaced
  GlobalTargets targets = GlobalTargets::teacher;
  std::int64_t global_epochs = 5;  ///< of the mode hybrid
  double global_learning_rate = 5e-4;
  std::int64_t crop = 0;  ///< pixels; of the images that the whole network is trained on
  bool flip = false;
};

struct DistillOptions {
  compress::CompressOptions compression;  ///< model, data or text, forms, ranks, export
  SliceOptions slices;
  TrainingOptions distill;

  bool trains_slices() const { return distill.mode == Mode::local || distill.mode == Mode::hybrid; }
  bool trains_network() const {
    return distill.mode == Mode::global || distill.mode == Mode::hybrid;
  }
  /// Whether the network as it was is needed beside the new one.
  bool has_teacher() const {
    return trains_slices() || (trains_network() && distill.targets == GlobalTargets::teacher);
  }
  std::int64_t network_epochs() const {
    return distill.mode == Mode::hybrid ? distill.global_epochs : distill.epochs;
  }
  double network_learning_rate() const {
    return distill.mode == Mode::hybrid ? distill.global_learning_rate : distill.learning_rate;
  }
};

/// "; hybrid, 9 slices over 2 teams", for the end of a line that says how weights are replaced.
std::string mode_text(const DistillOptions& options, std::int64_t slices, int teams);

/// Declares every keyword of rankine-distill.
void declare_keywords(deck::Schema& schema, DistillOptions& options);

}  // namespace rankine::distill
