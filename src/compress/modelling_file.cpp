#include "compress/modelling_file.hpp"

#include <nlohmann/json.hpp>

#include "files/json_document.hpp"

namespace rankine::compress {

namespace {

/// Rows of the factor that the rank counts.
std::int64_t rank_of(const weights::Weight& weight) {
  for (const weights::Parameter& parameter : weight.parameters())
    if (parameter.name == "right" || parameter.name == "basis") return parameter.total_rows;
  return 0;
}

}  // namespace

std::string modelling_source() {
  return R"(# A Llama model with linear layers stored as factors (Rankine, docs/algorithms/compression.md).
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


FORMS = {"low-rank": LowRankLinear, "pivoted": PivotedLinear}


class RankineForCausalLM(LlamaForCausalLM):
    def __init__(self, config):
        super().__init__(config)
        for name, stored in config.rankine_forms.items():
            parent, _, child = name.rpartition(".")
            dense = getattr(self.get_submodule(parent), child)
            layer = FORMS[stored["form"]](dense.in_features, dense.out_features, stored["rank"])
            setattr(self.get_submodule(parent), child, layer)
)";
}

std::string factorised_config(const std::string& config_json, const models::LanguageModel& model) {
  nlohmann::json config = files::parse_json(config_json, "'config.json'");
  config["architectures"] = {"RankineForCausalLM"};
  config["auto_map"] = {{"AutoModelForCausalLM", "modeling_rankine.RankineForCausalLM"}};
  config["rankine_forms"] = nlohmann::json::object();
  for (const models::TransformerLayer& layer : model.layers())
    for (const models::Projection* projection : layer.projections())
      if (projection->weight->form() != "dense")
        config["rankine_forms"][projection->name] = {{"form", projection->weight->form()},
                                                     {"rank", rank_of(*projection->weight)}};
  return config.dump(2) + "\n";
}

}  // namespace rankine::compress
