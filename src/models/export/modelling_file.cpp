#include "models/export/modelling_file.hpp"

#include <nlohmann/json.hpp>
#include <string>

#include "files/json_document.hpp"
#include "weights/forms/column_pivoted.hpp"

namespace rankine::models {

namespace {

/// What the modelling file must know of a weight to make room for its tensors.
nlohmann::json description_of(const weights::Weight& weight, files::DataType dense_type) {
  nlohmann::json result{{"form", weights::name(weight.form())},
                        {"rank", weight.kept_rank()},
                        {"storage", weights::name(weight.storage())},
                        {"dense_type", files::name_of(dense_type)}};
  if (weight.form() != weights::Form::pivoted) return result;
  const bool has_columns = dynamic_cast<const weights::ColumnPivoted*>(&weight) != nullptr;
  result["pivots"] = has_columns ? "columns" : "rows";
  return result;
}

constexpr const char* source =
    R"(# A model with linear layers stored as factors (Rankine, docs/algorithms/compression.md).
import torch
from torch import nn
from torch.nn import functional as F
from transformers import BASE


class FactorisedLinear(nn.Module):
    """A linear layer by another way than one matrix."""

    def __init__(self, dense):
        super().__init__()
        self.inputs, self.outputs, self.bias = dense.in_features, dense.out_features, dense.bias

    def forward(self, x):
        y = self.product(x)
        return y if self.bias is None else y + self.bias


class LowRankLinear(FactorisedLinear):
    """y = left (right x)."""

    def __init__(self, dense, rank):
        super().__init__(dense)
        self.left = nn.Parameter(torch.empty(self.outputs, rank))
        self.right = nn.Parameter(torch.empty(rank, self.inputs))

    def product(self, x):
        return F.linear(F.linear(x, self.right), self.left)


class Pivots(FactorisedLinear):
    """Which of `length` rows or columns are pivots; the others follow in their order."""

    def __init__(self, dense, rank, length):
        super().__init__(dense)
        self.length, self.known = length, None
        self.register_buffer("pivots", torch.zeros(rank, dtype=torch.int32))

    def places(self, device):
        if self.known is None or self.known.device != device:
            is_other = torch.ones(self.length, dtype=torch.bool, device=device)
            is_other[self.pivots.to(device).long()] = False
            self.known = torch.cat([self.pivots.to(device).long(), is_other.nonzero().squeeze(1)])
        return self.known


class PivotedLinear(Pivots):
    """The pivot rows of the matrix, and the coefficients that make the other rows of them."""

    def __init__(self, dense, rank):
        super().__init__(dense, rank, dense.out_features)
        self.basis = nn.Parameter(torch.empty(rank, self.inputs))
        self.coefficients = nn.Parameter(torch.empty(self.outputs - rank, rank))

    def product(self, x):
        own = F.linear(x, self.basis)
        y = torch.empty(*x.shape[:-1], self.outputs, dtype=own.dtype, device=x.device)
        return y.index_copy(-1, self.places(x.device), torch.cat([own, F.linear(own, self.coefficients)], -1))


class ColumnPivotedLinear(Pivots):
    """The pivot columns of the matrix, and the coefficients that make the other columns of them."""

    def __init__(self, dense, rank):
        super().__init__(dense, rank, dense.in_features)
        self.columns = nn.Parameter(torch.empty(self.outputs, rank))
        self.coefficients = nn.Parameter(torch.empty(rank, self.inputs - rank))

    def product(self, x):
        rank = len(self.pivots)
        x = x.index_select(-1, self.places(x.device))
        return F.linear(x[..., :rank] + F.linear(x[..., rank:], self.coefficients), self.columns)


FORMS = {"low-rank": LowRankLinear, "pivoted": PivotedLinear, "pivoted-columns": ColumnPivotedLinear}


class RankineForCausalLM(BASE):
    def __init__(self, config):
        super().__init__(config)
        # Once loaded, this class stands for the stock one in transformers' list.
        for name, stored in getattr(config, "rankine_forms", {}).items():
            parent, _, child = name.rpartition(".")
            dense = getattr(self.get_submodule(parent), child)
            form = "pivoted-columns" if stored.get("pivots") == "columns" else stored["form"]
            setattr(self.get_submodule(parent), child, FORMS[form](dense, stored["rank"]))
)";

}  // namespace

bool has_modelling_class(weights::Form form) {
  return form == weights::Form::low_rank || form == weights::Form::pivoted;
}

std::string modelling_source(const LanguageModel& model) {
  std::string text = source;
  for (auto at = text.find("BASE"); at != std::string::npos; at = text.find("BASE", at))
    text.replace(at, 4, model.config().architecture->class_name);
  return text;
}

std::string plain_config(const std::string& config_json, const LanguageModel& model) {
  nlohmann::json config = files::parse_json(config_json, "'config.json'");
  if (!config.contains(stored_factors_key)) return config_json;
  config["architectures"] = {model.config().architecture->class_name};
  for (const char* key : {"auto_map", stored_factors_key}) config.erase(key);
  return config.dump(2) + "\n";
}

std::string factorised_config(const std::string& config_json, const LanguageModel& model,
                              const CheckpointPlan& plan) {
  nlohmann::json config = files::parse_json(config_json, "'config.json'");
  config["model_type"] = model.config().architecture->model_type;
  config["architectures"] = {"RankineForCausalLM"};
  config["auto_map"] = {{"AutoModelForCausalLM", "modeling_rankine.RankineForCausalLM"}};
  config[stored_factors_key] = nlohmann::json::object();
  for (const TensorGroup& group : plan.groups)
    if (group.keeps_forms)
      config[stored_factors_key][group.places[0].name] =
          description_of(*group.weights[0], group.dense_type);
  return config.dump(2) + "\n";
}

}  // namespace rankine::models
