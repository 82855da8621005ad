// The small Python file with which Hugging Face's software runs factors as they are stored.
#pragma once

#include <string>

#include "models/language/language_model.hpp"

namespace rankine::models {

inline constexpr const char* modelling_file_name = "modeling_rankine.py";

/// Source of RankineForCausalLM, a Llama whose linear layers named in `config.rankine_forms` are
/// low-rank or pivoted.
std::string modelling_source();

/// `config_json` with the forms of the model's layers and the class that reads them.
std::string factorised_config(const std::string& config_json, const LanguageModel& model);

}  // namespace rankine::models
