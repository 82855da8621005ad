// Which keys of config.json say nothing about what a model computes.
#pragma once

#include <initializer_list>
#include <span>
#include <string_view>

#include "files/json_section.hpp"

namespace rankine::models {

/// Of Hugging Face's software, apart from those that begin with "_", which are its own notes.
extern const std::span<const std::string_view> harmless_keys;

/// Throws InputError for a key that is in none of the lists of `known`.
///
/// What such a key means cannot be known: it may scale logits or leave out a norm, and the numbers
/// would be wrong without a sign. A warning would be lost in the log of a job.
void refuse_unknown_keys(const files::JsonSection& section,
                         std::initializer_list<std::span<const std::string_view>> known);

/// Throws InputError for weights that are no plain numbers and for code of the model's own.
void refuse_other_formats(const files::JsonSection& config);

}  // namespace rankine::models
