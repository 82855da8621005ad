// The small Python file with which Hugging Face's software runs factors as they are stored.
#pragma once

#include <string>

#include "models/export/export_plan.hpp"
#include "models/language/language_model.hpp"

namespace rankine::models {

inline constexpr const char* modelling_file_name = "modeling_rankine.py";

/// Source of RankineForCausalLM: the model's class in transformers, whose linear layers named in
/// `config.rankine_forms` are low-rank or pivoted.
std::string modelling_source(const LanguageModel& model);

/// `config_json` with the forms of the model's layers and the class that reads them.
std::string factorised_config(const std::string& config_json, const LanguageModel& model,
                              const CheckpointPlan& plan);

/// The config.json of the plain model that a factorised one is of; any other as it is.
std::string plain_config(const std::string& config_json, const LanguageModel& model);

}  // namespace rankine::models
