#include "models/export/modelling_file.hpp"

#include <nlohmann/json.hpp>
#include <string>

#include "files/json_document.hpp"
#include "weights/forms/column_pivoted.hpp"

namespace rankine::models {

namespace {

/// What the modelling file must know of a weight to make room for its tensors.
nlohmann::json description_of(const weights::Weight& weight) {
  nlohmann::json result{{"form", weights::name(weight.form())}, {"rank", weight.kept_rank()}};
  if (weight.form() != weights::Form::pivoted) return result;
  const bool has_columns = dynamic_cast<const weights::ColumnPivoted*>(&weight) != nullptr;
  result["pivots"] = has_columns ? "columns" : "rows";
  return result;
}

constexpr const char* source =
    R"(# A Llama model with linear layers stored as factors (Rankine, docs/algorithms/compression.md).
import torch
from torch import nn
from torch.nn import functional as F
from transformers import LlamaForCausalLM


class LowRankLinear(nn.Module):
    """y = left (right x)."""

    def __init__(self, inputs, outputs, rank):
        super().__init__()
        self.left = nn.Parameter(torch.empty(outputs, rank))
        self.right = nn.Parameter(torch.empty(rank, inputs))

    def forward(self, x):
        return F.linear(F.linear(x, self.right), self.left)


class PivotedLinear(nn.Module):
    """The pivot rows of the matrix, and the coefficients that make the other rows of them."""

    def __init__(self, inputs, outputs, rank):
        super().__init__()
        self.outputs = outputs
        self.basis = nn.Parameter(torch.empty(rank, inputs))
        self.coefficients = nn.Parameter(torch.empty(outputs - rank, rank))
        self.register_buffer("pivots", torch.zeros(rank, dtype=torch.int32))

    def forward(self, x):
        is_pivot = torch.zeros(self.outputs, dtype=torch.bool, device=x.device)
        is_pivot[self.pivots.long()] = True
        order = torch.argsort(torch.cat([is_pivot.nonzero(), (~is_pivot).nonzero()]).squeeze(1))
        own = F.linear(x, self.basis)
        return torch.cat([own, F.linear(own, self.coefficients)], -1).index_select(-1, order)


class ColumnPivotedLinear(nn.Module):
    """The pivot columns of the matrix, and the coefficients that make the other columns of them."""

    def __init__(self, inputs, outputs, rank):
        super().__init__()
        self.columns = nn.Parameter(torch.empty(outputs, rank))
        self.coefficients = nn.Parameter(torch.empty(rank, inputs - rank))
        self.register_buffer("pivots", torch.zeros(rank, dtype=torch.int32))

    def forward(self, x):
        is_other = torch.ones(x.shape[-1], dtype=torch.bool, device=x.device)
        is_other[self.pivots.long()] = False
        others = x[..., is_other]
        return F.linear(x[..., self.pivots.long()] + F.linear(others, self.coefficients), self.columns)


FORMS = {"low-rank": LowRankLinear, "pivoted": PivotedLinear, "pivoted-columns": ColumnPivotedLinear}


class RankineForCausalLM(LlamaForCausalLM):
    def __init__(self, config):
        super().__init__(config)
        for name, stored in config.rankine_forms.items():
            parent, _, child = name.rpartition(".")
            dense = getattr(self.get_submodule(parent), child)
            form = "pivoted-columns" if stored.get("pivots") == "columns" else stored["form"]
            layer = FORMS[form](dense.in_features, dense.out_features, stored["rank"])
            setattr(self.get_submodule(parent), child, layer)
)";

}  // namespace

bool has_modelling_class(weights::Form form) {
  return form == weights::Form::low_rank || form == weights::Form::pivoted;
}

std::string modelling_source() { return source; }

std::string factorised_config(const std::string& config_json, const LanguageModel& model) {
  nlohmann::json config = files::parse_json(config_json, "'config.json'");
  config["architectures"] = {"RankineForCausalLM"};
  config["auto_map"] = {{"AutoModelForCausalLM", "modeling_rankine.RankineForCausalLM"}};
  config["rankine_forms"] = nlohmann::json::object();
  for (const Slot* slot : model.slots())
    if (has_modelling_class(slot->weight()->form()))
      config["rankine_forms"][slot->name()] = description_of(*slot->weight());
  return config.dump(2) + "\n";
}

}  // namespace rankine::models
