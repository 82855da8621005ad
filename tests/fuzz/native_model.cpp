// Folders of compressed models in their native form.
#include <torch/types.h>

#include "models/language/language_model.hpp"
#include "targets.hpp"
#include "tiny_compression.hpp"
#include "verdict.hpp"

namespace rankine::fuzz {

namespace fs = std::filesystem;

namespace {

/// Of every form and storage that there is.
const std::map<std::string, FolderContent>& native_models() {
  static std::map<std::string, FolderContent> models;
  if (!models.empty()) return models;
  const ScratchFolder scratch;
  const std::map<std::string, std::string> methods{
      {"pivoted", "form = \"pivoted\""},
      {"low-rank", "form = \"low-rank\"\nstorage = \"4-bit\""},
      {"mpo", "form = \"mpo\"\nstorage = \"bfloat16\""},
      {"clustered", "form = \"clustered\"\nclusters = 4\noutliers = 2"},
      {"dense", "form = \"dense\"\nstorage = \"4-bit\""},
      {"disentangled",
       "form = \"disentangled\"\n[disentangler]\ngate_size = 2\ndepth = 1\nsweeps = 1"},
      {"rotated",
       "form = \"clustered\"\nclusters = 4\n[adapter]\nkind = \"cayley\"\nside = \"both\"\n"
       "block = 2\nlayers = 2\nsteps = 0"},
      {"updated", "form = \"low-rank\"\n[adapter]\nkind = \"lora\"\nsteps = 0"}};
  for (const auto& [name, method] : methods) {
    const fs::path folder = scratch.path() / name;
    compress_tiny_model("[method]\nweighting = \"none\"\n" + method +
                        "\n[ranks]\nparameter_ratio = 0.8\nallocation = "
                        "\"uniform\"\n[export]\nformat = \"native\"\ndirectory = \"" +
                        folder.string() + "\"\n");
    models[name] = read_folder(folder);
  }
  return models;
}

/// The first line of an input is MODEL/FILE.
void read_native_model(const std::string& input, const fs::path& folder) {
  const auto slash = std::min(input.find('/'), input.size());
  const auto model = native_models().find(input.substr(0, slash));
  if (model == native_models().end()) return;
  const fs::path path = folder / "native";
  write_folder(
      path, changed_folder(model->second, input.substr(std::min(slash + 1, input.size()))).content);
  const torch::NoGradGuard no_gradients;
  const auto read = models::LanguageModel::read(world(), world(), path, models::Precision::float32);
  read.logits(read.hidden_states(torch::tensor({1, 2, 3}, torch::kInt64)));
}

}  // namespace

Target native_model_folders() {
  Target target{.name = "native",
                .words = {"\"form\":\"pivoted\",",
                          "\"mpo\"",
                          "\"clustered\"",
                          "\"low-rank\"",
                          "\"rank\":0,",
                          "\"exact\"",
                          "\"4-bit\"",
                          "\"bfloat16\"",
                          "\"F32\"",
                          "\"U8\"",
                          "\"I32\"",
                          "\"F64\"",
                          "[8,8]",
                          "[0,8]",
                          "\"rotated\"",
                          "\"updated\"",
                          "\"disentangled\"",
                          ".rotation.inputs.strides",
                          ".update.left",
                          ".left",
                          ".right",
                          ".weight",
                          "\"format_version\":2,",
                          "{},",
                          "4294967297"},
                .read = read_native_model};
  for (const auto& [name, files] : native_models())
    for (const auto& [path, bytes] : files)
      if (path == "rankine.json" || path == "config.json" || path.ends_with(".safetensors"))
        target.seeds.push_back(name + "/" + input_of(path, bytes));
  return target;
}

}  // namespace rankine::fuzz
