// The weights of a model that patterns select, from config.json and names alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compress/allocation/allocation.hpp"
#include "models/checkpoint/checkpoint_names.hpp"
#include "models/checkpoint/config.hpp"

namespace rankine::compress {

struct NamedShape {
  std::string name;  ///< of the slot (models/slot.hpp)
  MatrixShape shape;
  std::int64_t input = -1;  ///< weights with one number (not negative) read the same activation
  std::int64_t layer = 0;
  models::Part part = models::Part::query;

  /// Whether it has a row for every token.
  bool is_of_vocabulary() const {
    return part == models::Part::embedding || part == models::Part::head;
  }
};

/// Every weight of the layers, in the order of models::Network::slots().
std::vector<NamedShape> named_shapes(const models::ModelConfig& config,
                                     const models::CheckpointNames& names);

/// Embedding and output weight, in the order of models::Network::outer_slots().
std::vector<NamedShape> vocabulary_shapes(const models::ModelConfig& config,
                                          const models::CheckpointNames& names);

/// Those whose name matches one of the patterns (* and ? as in a shell), which are those of
/// `keyword`, and behind them those `by_name` that a pattern names in full. Throws InputError for a
/// pattern that matches none.
std::vector<NamedShape> select_weights(const std::vector<NamedShape>& all,
                                       const std::vector<std::string>& patterns,
                                       std::string_view keyword,
                                       const std::vector<NamedShape>& by_name = {});

/// The matrices of an MLP, by their places among the selected weights.
struct SelectedMlp {
  std::optional<std::size_t> gate;
  std::size_t up = 0;
  std::size_t down = 0;
};

/// Throws InputError for a weight that is none of an MLP, and for an MLP of `config` of which not
/// all matrices are selected.
std::vector<SelectedMlp> whole_mlps(const models::ModelConfig& config,
                                    const std::vector<NamedShape>& selected);

}  // namespace rankine::compress
