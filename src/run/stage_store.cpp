#include "run/stage_store.hpp"

#include <fmt/format.h>

#include <system_error>

#include "core/log.hpp"
#include "core/profile.hpp"
#include "files/json_document.hpp"
#include "files/output_file.hpp"
#include "parallel/agreement.hpp"
#include "run/fingerprint.hpp"

namespace rankine::run {

namespace fs = std::filesystem;

namespace {

constexpr const char* notes_file = "stage.json";

}  // namespace

std::optional<std::string> stage_text(const fs::path& folder) {
  std::error_code ignored;
  if (fs::symlink_status(folder, ignored).type() == fs::file_type::not_found) return std::nullopt;
  if (!fs::is_directory(folder, ignored))
    throw InputError(fmt::format("'{}' is no folder", folder.string()));
  const fs::path path = folder / notes_file;
  if (fs::symlink_status(path, ignored).type() == fs::file_type::not_found) return std::nullopt;
  if (!fs::is_regular_file(path, ignored))
    throw InputError(fmt::format("'{}' is no file that can be read", path.string()));
  return files::read_text(path);
}

std::string clause_of(const std::string& message) {
  const auto advice = message.find("). ");
  const auto reason = message.find(" (");
  if (advice == message.npos || reason >= advice) return message;
  const std::string_view text = message;
  return fmt::format("{}: {}", text.substr(0, reason),
                     text.substr(reason + 2, advice - reason - 2));
}

fs::path StageStore::folder(const Stage& stage) const {
  const std::uint64_t print = Fingerprint().add(stage.of_deck).add(model_).value();
  return directory_ / fmt::format("{}-{}", stage.name, files::checksum_text(print));
}

std::optional<StageNotes> StageStore::find_notes(const Stage& stage) const {
  const ProfileStage profile("checkpoint", Flops::counted);
  if (!is_wanted()) return std::nullopt;
  return naming(stage, [&]() -> std::optional<StageNotes> {
    // Rank 0 reads for all.
    const auto mine = parallel::agree_on_failure(
        world_, [&] { return world_.rank() == 0 ? stage_text(folder(stage)) : std::nullopt; });
    if (world_.max(mine ? 1 : 0) == 0) return std::nullopt;
    const std::string text = world_.broadcast(mine.value_or(""), 0);
    StageNotes found = stage_notes_of(text);
    if (found.folder != folder(stage).filename())
      throw InputError(fmt::format("its stage.json belongs to '{}'", found.folder));
    return found;
  });
}

void StageStore::verify(const Stage& stage) const {
  const ProfileStage profile("checkpoint", Flops::counted);
  const auto noted = find_notes(stage);
  files::verify_tensors(world_, folder(stage), noted ? noted->tensors : files::TensorChecksums(),
                        notes_file);
}

void StageStore::refuse(const Stage& stage, std::string_view why) const {
  throw known_to_all(world_.size(),
                     Refusal(fmt::format("Cannot go on from '{}' ({}). Remove that folder; the run "
                                         "then goes on from the stage before.",
                                         folder(stage).string(), why)));
}

void StageStore::pass_over(const Stage& stage, const InputError& error) const {
  if (world_.rank() == 0) log().warn("{}. It is computed anew.", clause_of(error.what()));
  remove(stage);
}

void StageStore::complete(const Stage& stage, const nlohmann::json& notes, Holds holds) const {
  const ProfileStage profile("checkpoint", Flops::counted);
  StageNotes all{.folder = folder(stage).filename().string(),
                 .of_deck = stage.of_deck,
                 .notes = notes,
                 .values = values_,
                 .tensors = {}};
  if (holds == Holds::tensors) all.tensors = files::checksums_of(world_, folder(stage));
  parallel::agree_on_failure(world_, [&] {
    if (world_.rank() != 0) return;
    std::error_code ignored;
    fs::create_directories(folder(stage), ignored);
    const std::string text = text_of(all);
    files::write_atomically(folder(stage) / notes_file, std::as_bytes(std::span(text)));
  });
}

void StageStore::remove(const Stage& stage) const {
  const ProfileStage profile("checkpoint", Flops::counted);
  world_.barrier();  // others may still read it
  std::error_code ignored;
  if (world_.rank() == 0) fs::remove_all(folder(stage), ignored);
  world_.barrier();
}

}  // namespace rankine::run
