// As what the weights of a model may be written.
#pragma once

#include <array>

#include "core/named_values.hpp"
#include "weights/forms/form.hpp"

namespace rankine::models {

enum class ExportFormat {
  automatic,   ///< one of the next two: factorised where that can be read
  dense,       ///< the matrices that the weights stand for, laid out as in the original
  factorised,  ///< low-rank and pivoted weights as they are stored, with a modelling file
  native,      ///< every weight as it is stored, with a manifest (models/checkpoint/manifest.hpp)
};

/// With their names in decks.
inline constexpr std::array export_format_names{
    Named<ExportFormat>{ExportFormat::automatic, "auto"},
    Named<ExportFormat>{ExportFormat::dense, "dense"},
    Named<ExportFormat>{ExportFormat::factorised, "factorised"},
    Named<ExportFormat>{ExportFormat::native, "native"}};

/// Whether the modelling file of a factorised checkpoint has a class for the form, whose weights
/// are then written as they are stored; others are written dense.
bool has_modelling_class(weights::Form form);

}  // namespace rankine::models
