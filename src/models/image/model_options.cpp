#include "models/image/model_options.hpp"

#include <fmt/format.h>

namespace rankine::models {

namespace {

void check_model(const ModelOptions& model, deck::Findings& findings) {
  if (model.path.empty() && !model.is_image_network())
    findings.add("model.path", {.what = "model.path is not set",
                                .why = "without model.architecture the model is a language model, "
                                       "which is read from its folder",
                                .advice = "Name the folder, or the architecture of an image "
                                          "network."});
  if (model.is_image_network())
    findings.expect_unused("model.adapter", "adapters are read for language models",
                           "Leave it out.");
}

}  // namespace

void declare_model(deck::Schema& schema, ModelOptions& model) {
  auto section = schema.section("model", "The language model or image network.");
  section.keyword("path", model.path)
      .describe(
          "Folder of a checkpoint: config.json, model.safetensors or its shards, tokenizer.json; "
          "of "
          "an image network a folder or a .safetensors file, or empty for one with random "
          "weights.");
  section.keyword("precision", model.precision, precision_names)
      .describe("Numbers that are computed with, whatever type the checkpoint stores.");
  section.keyword("adapter", model.adapter)
      .describe(
          "Folder of an adapter of PEFT's for the language model, OFT or LoRA: "
          "adapter_config.json and adapter_model.safetensors; empty for none.");
  section.keyword("architecture", model.architecture)
      .describe(
          "Of an image network: cifar-resnet-20 (or another depth of 6n+2), resnet-18, resnet-34, "
          "resnet-50, plain (its layers are in model.layers); empty for a language model.");
  section.keyword("layers", model.layers)
      .describe(
          "JSON file of the layers of a plain network; empty for network.json in the folder of the "
          "checkpoint.");
  section.keyword("stem", model.stem, stem_names)
      .describe(
          "First layers of a resnet-18, -34 or -50 without checkpoint, for small images or for "
          "large ones.");
  section.keyword("classes", model.classes)
      .range(0, 1'000'000)
      .describe("Classes of a residual network without checkpoint; 0 for those of the labels.");
  schema.check([&](deck::Findings& findings) { check_model(model, findings); });
}

}  // namespace rankine::models
