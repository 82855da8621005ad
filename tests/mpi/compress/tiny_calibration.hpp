// A small model with a calibration text, over teams of the test's ranks.
#pragma once

#include <map>

#include "../models/tiny_folder.hpp"
#include "compress/decomposition/weighted_decomposition.hpp"
#include "models/language/language_model.hpp"
#include "parallel/teams.hpp"

namespace rankine::compress {

/// With matrices of more than one block of a grid.
inline TinyModel tiny_layers() {
  return tiny_llama(
      {.vocabulary = 200, .width = 48, .heads = 12, .key_heads = 3, .head_size = 4, .hidden = 150},
      5);
}
/// With fewer rows than ranks in most matrices.
inline TinyModel tiniest_layers() {
  return tiny_llama({.vocabulary = 9, .width = 5, .heads = 2, .key_heads = 1, .hidden = 2}, 6);
}

struct TinyCalibration {
  TinyFolder folder;
  parallel::Teams teams;
  models::LanguageModel model;
  std::vector<std::string> names;  ///< of all weights in the layers
  std::vector<std::vector<std::int64_t>> windows;

  TinyCalibration(const TinyModel& tiny, int n_teams, int n_windows, int length,
                  models::Precision precision = models::Precision::float64)
      : folder(tiny),
        teams(world(), n_teams),
        model(models::LanguageModel::read(world(), teams.team(), folder.path(), precision)) {
    for (const models::Slot* slot : model.slots()) names.push_back(slot->name());
    for (int w = 0; w < n_windows; ++w)
      windows.push_back(random_ids(length, tiny.config.vocabulary_size, 100 + w));
  }
  std::vector<models::Batch> batches() const { return models::token_batches(windows); }
};

/// What `assemble_on` brings, on every rank.
inline torch::Tensor whole(const SecondMoment& moment) {
  torch::Tensor mine;
  for (int rank = 0; rank < world().size(); ++rank) {
    const torch::Tensor brought = moment.assemble_on(world(), rank);
    if (rank == world().rank()) mine = brought;
  }
  return mine;
}

inline double distance(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).norm().item<double>() / std::max(1e-300, b.norm().item<double>());
}

}  // namespace rankine::compress
