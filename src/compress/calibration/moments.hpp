// Second moments of what goes into the weights of a network on calibration batches, and of the loss
// gradients that come back to their outputs.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "compress/calibration/loss_gradients.hpp"
#include "files/safetensors/safetensors.hpp"
#include "linalg/distributed/dist_matrix.hpp"
#include "models/network.hpp"
#include "parallel/communicator.hpp"
#include "parallel/teams.hpp"
#include "weights/rows/row_split.hpp"

namespace rankine::compress {

/// What of a second moment is wanted: n^2 numbers or n.
enum class MomentPart { whole, diagonal };

struct MomentShape {
  std::int64_t size = 0;
  MomentPart part = MomentPart::whole;
};

/// A sum of x^T x over rows (tokens, or patches of images): this rank's rows of its lower triangle,
/// or of its diagonal.
class SecondMoment {
 public:
  /// A zero n x n matrix whose rows are shared evenly by the team; sums are kept as `type`.
  SecondMoment(const parallel::Communicator& team, std::int64_t n, torch::ScalarType type,
               MomentPart part = MomentPart::whole);

  /// Adds x^T x; x is rows x n, the same on all ranks of the team. Not collective.
  void add(const torch::Tensor& x);

  std::int64_t size() const { return split_.total(); }
  /// Collective over `world`, the ranks of all teams: the n numbers of the diagonal in float64,
  /// summed over the teams, on every rank.
  torch::Tensor diagonal(const parallel::Communicator& world) const;
  /// Collective over `world`: the mean of the diagonal, summed over the teams.
  double mean_diagonal(const parallel::Communicator& world) const;

  /// How `write` stores it; of the matrix in the file only the lower triangle is defined.
  files::TensorPlan plan(const std::string& name) const;
  /// Collective over `world`: the sum over the teams.
  void write(files::SafetensorsWriter& writer, const std::string& name,
             const parallel::Communicator& world) const;
  /// Adds what was written to this rank's rows; for one team alone. Not collective.
  void add(const files::SafetensorsReader& reader, const files::TensorEntry& tensor);

  /// Collective over `world`: on rank `owner` the symmetric matrix, n x n in float64, summed over
  /// the teams, or its diagonal, n numbers, where only that was wanted. Elsewhere no numbers:
  /// nobody else needs memory for it.
  torch::Tensor assemble_on(const parallel::Communicator& world, int owner) const;

  /// Of a whole moment. Collective over the ranks of the grid, the world: sums over the teams. Only
  /// the lower triangle of `target` is defined.
  void spread(linalg::DistMatrix<double>& target) const;

  /// This rank's rows, as they are kept.
  weights::Parameter own_rows(const std::string& name) const {
    return {name, rows_, weights::Placement::rows, split_.first(rank_), size()};
  }

  void set_own_rows(const torch::Tensor& rows) { rows_.copy_(rows); }

  /// Gives the memory back; the moment is not used any more.
  void release() { rows_ = torch::Tensor(); }

 private:
  torch::Tensor own_diagonal() const;

  weights::RowSplit split_;
  int rank_;
  MomentPart part_;
  torch::Tensor rows_;  ///< own rows x n, or own rows x 1
};

/// What the weights `names` of a network met, in their order.
struct InputMoments {
  /// Weights that read the same activation (query, key and value; gate and up) share a moment.
  std::vector<std::size_t> of_weight;
  std::vector<SecondMoment> moments;
};

/// Writes the moments, summed over the teams, to safetensors in `folder`. Collective over `world`.
void write_moments(const std::vector<SecondMoment>& moments, const parallel::Communicator& world,
                   const std::filesystem::path& folder);
/// Reads moments of these shapes back, which are all that the folder holds; sums are kept as
/// `type`. Collective over `world`. Throws InputError on all ranks.
std::vector<SecondMoment> read_moments(const std::vector<MomentShape>& shapes,
                                       torch::ScalarType type, const parallel::Communicator& world,
                                       const parallel::Teams& teams,
                                       const std::filesystem::path& folder);

/// What is known of a measurement after some rounds, in each of which every team takes one batch
/// through one stage (inputs) or through the network (gradients).
struct PartialMoments {
  std::int64_t rounds = 0;
  std::vector<SecondMoment> moments = {};  ///< of this team's batches
  std::vector<torch::Tensor> activations =
      {};  ///< of this team's batches, as far as they have come
};

/// To go on with a measurement that was stopped. Collective over the world.
struct MeasurementCheckpoint {
  std::function<void(PartialMoments&)> restore = [](PartialMoments&) {};
  /// After each round; what it throws all ranks throw.
  std::function<void(const PartialMoments&)> keep = [](const PartialMoments&) {};
};

/// Collective over `world`: each team runs its share of the batches through the network, stage by
/// stage as far as one of the weights is. Weights read activations. They are observed meanwhile.
InputMoments measure_inputs(models::Network& network, const parallel::Communicator& world,
                            const parallel::Teams& teams, const std::vector<std::string>& names,
                            const std::vector<models::Batch>& batches,
                            MomentPart part = MomentPart::whole,
                            const MeasurementCheckpoint& checkpoint = {});

/// Passes this team's batches, one in each round, forward and the summed loss back, in nat, while
/// observers add to the moments of `state`. `what` is measured, for people. Collective over
/// `world`.
void observe_backward(const models::Network& network, const parallel::Communicator& world,
                      const parallel::Teams& teams, const std::vector<models::Batch>& batches,
                      Targets targets, const char* what, PartialMoments& state,
                      const MeasurementCheckpoint& checkpoint);

/// What of the moment of its output gradients is kept for a weight: of one outside the stages, with
/// as many outputs as a vocabulary, the diagonal alone.
MomentPart gradient_part(const models::Network& network, const std::string& name,
                         MomentPart wanted);

/// Collective over `world`: moments of the gradients of the summed loss, in nat, at the outputs of
/// each weight (`gradient_part` of them), whose rows count as `gradients` says; one backward pass
/// for each batch. Sums are kept in the network's precision.
std::vector<SecondMoment> measure_output_gradients(
    models::Network& network, const parallel::Communicator& world, const parallel::Teams& teams,
    const std::vector<std::string>& names, const std::vector<models::Batch>& batches,
    const LossGradients& gradients, MomentPart part = MomentPart::whole,
    const MeasurementCheckpoint& checkpoint = {});

}  // namespace rankine::compress
