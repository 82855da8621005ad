// The arithmetic of a model.
#pragma once

#include <array>

#include "core/named_values.hpp"

namespace rankine::models {

enum class Precision { float32, float64 };

/// With the names of decks, result files and manifests.
inline constexpr std::array precision_names{Named<Precision>{Precision::float32, "float32"},
                                            Named<Precision>{Precision::float64, "float64"}};

constexpr std::string_view name(Precision precision) { return name_in(precision_names, precision); }

/// Of one number.
constexpr int bytes_of(Precision precision) { return precision == Precision::float64 ? 8 : 4; }

}  // namespace rankine::models
