#include "models/export/image_module_file.hpp"

namespace rankine::models {

namespace {

constexpr const char* source =
    R"(# An image network as torch.nn modules, from network.json and model.safetensors beside this file
# (Rankine, docs/algorithms/image_networks.md). network = load(); logits = network(images)
import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F


class FactorConv2d(nn.Module):
    """A convolution whose kernel is stored as the tensors of a form; the bias is added once."""

    def __init__(self, layer, tensors):
        super().__init__()
        for name, values in tensors.items():
            self.register_parameter(name, nn.Parameter(values))
        self.outputs, self.kernel = layer["outputs"], layer.get("kernel", [1, 1])
        self.moves = {key: layer.get(key, value) for key, value in
                      (("stride", [1, 1]), ("padding", [0, 0]), ("dilation", [1, 1]))}
        self.is_linear = layer["type"] == "linear"

    def forward(self, x):
        if self.is_linear:
            return self.apply_form(x.flatten(1)[:, :, None, None]).flatten(1)
        return self.apply_form(x)


class TuckerConv2d(FactorConv2d):
    """1 x 1, then the core as the kernel moves, then 1 x 1."""

    def apply_form(self, x):
        core, factors = self.core, dict(self.named_parameters())
        if "height_factor" in factors:
            core = torch.einsum("abhw,kh->abkw", core, self.height_factor)
        if "width_factor" in factors:
            core = torch.einsum("abhw,kw->abhk", core, self.width_factor)
        if "input_factor" in factors:
            x = F.conv2d(x, self.input_factor.t()[:, :, None, None])
        bias = factors.get("bias")
        if "output_factor" not in factors:
            return F.conv2d(x, core, bias, **self.moves)
        return F.conv2d(F.conv2d(x, core, **self.moves), self.output_factor[:, :, None, None], bias)


class LowRankConv2d(FactorConv2d):
    """The right factor as the kernel moves, then the left one as 1 x 1."""

    def apply_form(self, x):
        right = self.right.reshape(self.right.shape[0], x.shape[1], *self.kernel)
        y = F.conv2d(x, right, **self.moves)
        return F.conv2d(y, self.left[:, :, None, None], getattr(self, "bias", None))


class MatrixProductConv2d(FactorConv2d):
    """Cores (bond, row leg, column leg, bond), contracted to a kernel for every call."""

    def apply_form(self, x):
        chain, k = self.core0[0], 1
        while hasattr(self, f"core{k}"):
            chain = torch.einsum("ijb,bmnc->imjnc", chain, getattr(self, f"core{k}"))
            chain = chain.flatten(0, 1).flatten(1, 2)
            k += 1
        kernel = chain.reshape(self.outputs, x.shape[1], *self.kernel)
        return F.conv2d(x, kernel, getattr(self, "bias", None), **self.moves)


FORMS = {"tucker": TuckerConv2d, "low-rank": LowRankConv2d, "mpo": MatrixProductConv2d}


def dense_layer(layer, tensors):
    weight = tensors["weight"]
    if layer["type"] == "linear":
        return nn.Linear(weight.shape[1], weight.shape[0], bias=layer["bias"])
    groups = layer.get("groups", 1)
    return nn.Conv2d(weight.shape[1] * groups, weight.shape[0], tuple(layer["kernel"]),
                     tuple(layer.get("stride", (1, 1))), tuple(layer.get("padding", (0, 0))),
                     tuple(layer.get("dilation", (1, 1))), groups, bias=layer["bias"])


class Network(nn.Module):
    """The layers of network.json; sub-modules have the names of the checkpoint."""

    def __init__(self, description, tensors):
        super().__init__()
        self.layers = description["layers"]
        self.forms = description.get("forms", {})
        self.add_all(self.layers, tensors)

    def add_all(self, layers, tensors):
        for layer in layers:
            self.add_all(layer.get("body", []), tensors)
            self.add_all(layer.get("shortcut", []), tensors)
            if "name" not in layer:
                continue
            prefix = layer["name"] + "."
            own = {key[len(prefix):]: value for key, value in tensors.items()
                   if key.startswith(prefix) and "." not in key[len(prefix):]}
            self.put(layer["name"], self.module_of(layer, own))

    def module_of(self, layer, own):
        if layer["type"] == "batch-norm":
            return nn.BatchNorm2d(own["weight"].shape[0], eps=layer["epsilon"])
        if layer["type"] == "prelu":
            return nn.PReLU(own["weight"].shape[0])
        form = FORMS.get(self.forms.get(layer["name"], "dense"))
        return form(layer, own) if form else dense_layer(layer, own)

    def put(self, name, module):
        place, parts = self, name.split(".")
        for part in parts[:-1]:
            if part not in place._modules:
                place.add_module(part, nn.Module())
            place = place._modules[part]
        place.add_module(parts[-1], module)

    def forward(self, images):
        return self.run(self.layers, images)

    def run(self, layers, x):
        for layer in layers:
            x = self.step(layer, x)
        return x

    def step(self, layer, x):
        kind = layer["type"]
        if kind == "residual":
            return self.run(layer["body"], x) + self.run(layer["shortcut"], x)
        if kind == "relu":
            return F.relu(x)
        if kind == "max-pool":
            return F.max_pool2d(x, layer["kernel"], layer["stride"], layer["padding"],
                                layer["dilation"], layer["ceil_mode"])
        if kind == "average-pool":
            return F.avg_pool2d(x, layer["kernel"], layer["stride"], layer["padding"],
                                layer["ceil_mode"])
        if kind == "global-pool":
            return x.mean((2, 3))
        if kind == "flatten":
            return (x.permute(0, 2, 3, 1) if layer["order"] == "hwc" and x.dim() == 4 else x).flatten(1)
        if kind == "subsample":
            y = x[:, :, ::layer["stride"][0], ::layer["stride"][1]]
            more = layer["outputs"] - x.shape[1]
            return F.pad(y, (0, 0, 0, 0, more // 2, more - more // 2))
        if kind == "linear":
            x = x.flatten(1)
        return self.get_submodule(layer["name"])(x)


def load(folder=Path(__file__).parent):
    """The network in evaluation mode. It takes images normalised with mean and std of network.json."""
    folder = Path(folder)
    tensors = load_file(folder / "model.safetensors")
    network = Network(json.loads((folder / "network.json").read_text()), tensors)
    network.load_state_dict(tensors)
    return network.eval()
)";

}  // namespace

std::string image_module_source() { return source; }

}  // namespace rankine::models
