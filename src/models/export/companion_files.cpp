#include "models/export/companion_files.hpp"

#include <nlohmann/json.hpp>
#include <span>

#include "files/json_document.hpp"
#include "files/output_file.hpp"
#include "files/safetensors/layout.hpp"
#include "models/export/modelling_file.hpp"

namespace rankine::models {

namespace {

constexpr const char* companions[] = {"generation_config.json",
                                      "tokenizer.json",
                                      "tokenizer_config.json",
                                      "tokenizer.model",
                                      "special_tokens_map.json",
                                      "vocab.json",
                                      "merges.txt",
                                      "chat_template.jinja"};

/// The text of config.json with the hidden units that the written MLPs have.
std::string with_hidden(const std::string& config_json, const LanguageModel& model,
                        const CheckpointPlan& plan) {
  if (!plan.hidden) return config_json;
  nlohmann::json config = files::parse_json(config_json, "'config.json'");
  config[model.config().architecture->keys.hidden] = *plan.hidden;
  return config.dump(2) + "\n";
}

}  // namespace

void write_text(const std::filesystem::path& path, const std::string& text) {
  files::write_atomically(path, std::as_bytes(std::span(text)));
}

void write_companions(const LanguageModel& model, const Export& wanted,
                      const CheckpointPlan& plan) {
  const std::filesystem::path original = files::folder_of(wanted.original);
  std::error_code ignored;
  for (const char* name : companions)
    if (std::filesystem::is_regular_file(original / name, ignored))
      write_text(wanted.folder / name, files::read_text(original / name));
  const std::string config = with_hidden(files::read_text(original / "config.json"), model, plan);
  if (wanted.format != ExportFormat::factorised)
    return write_text(wanted.folder / "config.json", plain_config(config, model));
  write_text(wanted.folder / modelling_file_name, modelling_source(model));
  write_text(wanted.folder / "config.json", factorised_config(config, model, plan));
}

void write_manifest(const std::filesystem::path& folder, const Manifest& manifest) {
  write_text(folder / manifest_file_name, manifest_text(manifest));
}

void remove_manifest(const std::filesystem::path& folder) {
  std::error_code ignored;
  std::filesystem::remove(folder / manifest_file_name, ignored);
}

std::string name_of(const std::filesystem::path& folder) {
  return (folder.has_filename() ? folder : folder.parent_path()).filename().string();
}

}  // namespace rankine::models
