// A tiny model in a folder that all ranks of the test see.
#pragma once

#include <torch/types.h>
#include <unistd.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "../../mpi_world.hpp"
#include "../../tiny_architectures.hpp"

namespace rankine {

/// Written by rank 0; removed when the last user is done.
class TinyFolder {
 public:
  explicit TinyFolder(const TinyModel& model)
      : path_(world().broadcast((std::filesystem::temp_directory_path() /
                                 ("rankine_tiny_model_" + std::to_string(getpid())))
                                    .string(),
                                0)) {
    if (world().rank() == 0) model.write(path_);
    world().barrier();
  }
  TinyFolder(const TinyFolder&) = delete;
  TinyFolder& operator=(const TinyFolder&) = delete;
  ~TinyFolder() {
    world().barrier();
    std::error_code ignored;
    if (world().rank() == 0) std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::vector<std::int64_t> random_ids(int count, std::int64_t vocabulary,
                                            std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::vector<std::int64_t> ids;
  for (int i = 0; i < count; ++i)
    ids.push_back(static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(vocabulary)));
  return ids;
}

inline torch::Tensor as_tensor(const std::vector<std::int64_t>& ids) {
  return torch::tensor(ids, torch::kInt64);
}

/// The models of the tests: grouped heads with Llama 3's scaling; fewer heads than ranks and a tied
/// head; original pairs; GPT-2; and one of each other architecture.
inline std::vector<TinyModel> tiny_models() {
  std::vector<TinyModel> all{
      tiny_llama({.more = ",\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8.0,"
                          "\"low_freq_factor\":1.0,\"high_freq_factor\":4.0,"
                          "\"original_max_position_embeddings\":32}"},
                 1),
      tiny_llama(
          {.vocabulary = 3, .width = 5, .heads = 2, .key_heads = 1, .hidden = 2, .tied = true}, 2),
      tiny_llama({.heads = 4, .key_heads = 4, .more = ",\"rope_pairs\":\"adjacent\""}, 3),
      tiny_gpt2(4)};
  for (TinyModel& model : tiny_architectures()) all.push_back(std::move(model));
  return all;
}

}  // namespace rankine
