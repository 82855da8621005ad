#include "compress/job/output_folders.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
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
  StageFolders(const CompressionJob& job, const deck::DeckValues& values)
      : directory_(job.options.scoring.run.directory),
        values_(values),
        wanted_(stages_of(job, values)) {
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

  std::vector<std::string> lines() const {
    std::vector<std::string> lines = damages_;
    const std::string others = others_ == 0
                                   ? ""
                                   : fmt::format("{} {} of other decks, models or versions",
                                                 others_, others_ == 1 ? "stage" : "stages");
    const std::string directory = fmt::format("run.directory = {}", directory_.string());
    if (!of_deck_.empty())
      lines.push_back(fmt::format("{} holds {} of this deck{}{}", directory,
                                  fmt::join(of_deck_, ", "), others.empty() ? "" : " and ",
                                  others));
    else if (others_ > 0)
      lines.push_back(
          fmt::format("{} holds nothing of this deck, but {}{}", directory, others, difference()));
    return lines;
  }

 private:
  void look_into(const fs::path& folder) {
    try {
      const auto text = run::stage_text(folder);
      if (!text) return;
      run::StageNotes notes = run::stage_notes_of(*text);
      const auto stage = std::ranges::find_if(wanted_, [&](const run::Stage& wanted) {
        return notes.of_deck == wanted.of_deck && is_named(notes.folder, wanted.name);
      });
      if (stage == wanted_.end() || notes.folder != folder.filename()) {
        ++others_;
        compare(notes.values);
        return;
      }
      require_listed_tensors(folder, notes);
      if (std::ranges::find(of_deck_, stage->name) == of_deck_.end())
        of_deck_.push_back(stage->name);
    } catch (const InputError& error) {
      damages_.push_back(fmt::format("what '{}' holds will be computed anew ({})", folder.string(),
                                     run::clause_of(error.what())));
    }
  }

  /// A stage, or a state of a series.
  static bool is_named(const std::string& folder, const std::string& stage) {
    return folder.starts_with(stage + "-") || folder.starts_with(stage + ".");
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

  /// The deck that is nearest to this one counts.
  void compare(const deck::DeckValues& there) {
    auto found = deck::differences(there, values_);
    if (!differences_ || found.size() < differences_->size()) differences_ = std::move(found);
  }
  std::string difference() const {
    constexpr std::ptrdiff_t most = 3;
    if (!differences_ || differences_->empty()) return "";
    const auto shown = std::min(most, std::ssize(*differences_));
    return fmt::format(": {}{}",
                       fmt::join(differences_->begin(), differences_->begin() + shown, "; "),
                       std::ssize(*differences_) > shown ? "; ..." : "");
  }

  fs::path directory_;
  const deck::DeckValues& values_;
  std::vector<run::Stage> wanted_;
  std::vector<std::string> of_deck_;
  int others_ = 0;
  std::optional<std::vector<std::string>> differences_;
  std::vector<std::string> damages_;
};

}  // namespace

void check_output_folders(const CompressionJob& job) {
  if (const fs::path folder = job.options.result.directory; !folder.empty()) {
    files::check_folder_writable(folder, "export.directory = " + folder.string());
    check_names_free(folder);
  }
  const AdapterOptions& adapter = job.options.adapter;
  if (adapter.exists() && !adapter.directory.empty())
    files::check_folder_writable(adapter.directory, "adapter.directory = " + adapter.directory);
  if (const fs::path folder = job.options.scoring.run.directory; !folder.empty())
    files::check_folder_writable(folder, "run.directory = " + folder.string());
}

std::vector<std::string> look_into_folders(const CompressionJob& job,
                                           const deck::DeckValues& values) {
  std::vector<std::string> lines;
  const fs::path output = job.options.result.directory;
  std::error_code ignored;
  if (!output.empty() && std::ranges::any_of(model_files, [&](const char* name) {
        return fs::exists(output / name, ignored);
      }))
    lines.push_back(fmt::format(
        "export.directory = {} holds a model already, which will be replaced", output.string()));
  if (job.options.scoring.run.directory.empty()) return lines;
  for (std::string& line : StageFolders(job, values).lines()) lines.push_back(std::move(line));
  return lines;
}

}  // namespace rankine::compress
