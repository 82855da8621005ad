#include "compress/job/output_folders.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

#include "compress/job/stages.hpp"
#include "core/errors.hpp"
#include "files/output_folder.hpp"
#include "files/safetensors/layout.hpp"
#include "models/checkpoint/manifest.hpp"
#include "run/stage_store.hpp"

namespace rankine::compress {

namespace fs = std::filesystem;

namespace {

constexpr std::array model_files = {files::single_file_name, files::index_file_name,
                                    models::manifest_file_name};

void check_names_free(const fs::path& folder) {
  std::error_code ignored;
  for (const char* name : {files::single_file_name, files::index_file_name,
                           models::manifest_file_name, "config.json", "tokenizer.json"})
    if (fs::is_directory(folder / name, ignored))
      throw InputError(fmt::format(
          "export.directory = {} cannot be written to ('{}' is a folder and no file). Name another "
          "folder.",
          folder.string(), (folder / name).string()));
}

/// The stages of a restart folder.
class StageFolders {
 public:
  explicit StageFolders(const CompressionJob& job)
      : directory_(job.options.checkpoint.directory), wanted_(stages_of(job)) {
    std::error_code error;
    std::vector<fs::path> folders;
    for (fs::directory_iterator entry(directory_, error), end; !error && entry != end;
         entry.increment(error)) {
      std::error_code ignored;
      if (fs::is_directory(entry->path(), ignored)) folders.push_back(entry->path());
    }
    std::ranges::sort(folders);
    for (const fs::path& folder : folders) look_into(folder);
  }

  std::optional<std::string> line() const {
    if (of_deck_.empty() && others_ == 0) return std::nullopt;
    const std::string others = others_ == 0
                                   ? ""
                                   : fmt::format("{} {} of other decks, models or versions",
                                                 others_, others_ == 1 ? "stage" : "stages");
    if (of_deck_.empty())
      return fmt::format("checkpoint.directory = {} holds nothing of this deck, but {}",
                         directory_.string(), others);
    return fmt::format("checkpoint.directory = {} holds {} of this deck{}{}", directory_.string(),
                       fmt::join(of_deck_, ", "), others.empty() ? "" : " and ", others);
  }
  const std::optional<std::string>& damage() const { return damage_; }

 private:
  void look_into(const fs::path& folder) {
    try {
      const auto text = run::stage_text(folder);
      if (!text) return;
      const run::StageNotes notes = run::stage_notes_of(*text);
      const auto stage = std::ranges::find_if(wanted_, [&](const run::Stage& wanted) {
        return notes.of_deck == wanted.of_deck && notes.folder.starts_with(wanted.name + "-");
      });
      if (stage == wanted_.end() || notes.folder != folder.filename()) {
        ++others_;
        return;
      }
      require_listed_tensors(folder, notes);
      of_deck_.push_back(stage->name);
    } catch (const InputError& error) {
      if (!damage_) damage_ = run::cannot_go_on(folder, run::clause_of(error.what()));
    }
  }

  /// Names alone: to read the numbers is for the run.
  static void require_listed_tensors(const fs::path& folder, const run::StageNotes& notes) {
    if (notes.tensors.empty()) return;
    const auto layout = files::read_layout(folder);
    const bool are_listed = std::ranges::equal(
        layout.tensors, notes.tensors,
        [](const auto& entry, const auto& listed) { return entry.name == listed.first; });
    if (!are_listed) throw InputError("its tensors are not those that its stage.json lists");
  }

  fs::path directory_;
  std::vector<run::Stage> wanted_;
  std::vector<std::string> of_deck_;
  int others_ = 0;
  std::optional<std::string> damage_;
};

}  // namespace

void check_output_folders(const CompressionJob& job) {
  if (const fs::path folder = job.options.result.directory; !folder.empty()) {
    files::check_folder_writable(folder, "export.directory = " + folder.string());
    check_names_free(folder);
  }
  if (const fs::path folder = job.options.checkpoint.directory; !folder.empty())
    files::check_folder_writable(folder, "checkpoint.directory = " + folder.string());
}

FolderReport look_into_folders(const CompressionJob& job) {
  FolderReport report;
  const fs::path output = job.options.result.directory;
  std::error_code ignored;
  if (!output.empty() && std::ranges::any_of(model_files, [&](const char* name) {
        return fs::exists(output / name, ignored);
      }))
    report.lines.push_back(fmt::format(
        "export.directory = {} holds a model already, which will be replaced", output.string()));
  if (job.options.checkpoint.directory.empty()) return report;
  const StageFolders stages(job);
  if (const auto line = stages.line()) report.lines.push_back(*line);
  report.damage = stages.damage();
  return report;
}

void FolderReport::require() const {
  if (damage) throw InputError(*damage);
}

}  // namespace rankine::compress
