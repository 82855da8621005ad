#include "compress/checkpoint.hpp"

#include <fmt/format.h>

#include <system_error>

#include "core/errors.hpp"
#include "files/json_document.hpp"
#include "files/output_file.hpp"
#include "parallel/agreement.hpp"

namespace rankine::compress {

namespace fs = std::filesystem;

namespace {

constexpr const char* notes_file = "stage.json";

}  // namespace

void Fingerprint::add_bytes(std::span<const std::byte> bytes) {
  for (const std::byte byte : bytes) {
    value_ ^= static_cast<std::uint64_t>(byte);
    value_ *= 0x100000001b3u;
  }
}

Fingerprint& Fingerprint::add(std::string_view text) {
  add(static_cast<std::uint64_t>(text.size()));
  add_bytes(std::as_bytes(std::span(text)));
  return *this;
}

Fingerprint& Fingerprint::add(std::span<const std::int64_t> values) {
  add(static_cast<std::uint64_t>(values.size()));
  add_bytes(std::as_bytes(values));
  return *this;
}

Fingerprint& Fingerprint::add(std::uint64_t value) {
  add_bytes(std::as_bytes(std::span(&value, 1)));
  return *this;
}

Fingerprint& Fingerprint::add(double value) {
  add_bytes(std::as_bytes(std::span(&value, 1)));
  return *this;
}

fs::path Checkpoint::folder(const Stage& stage) const {
  return directory_ / fmt::format("{}-{:016x}", stage.name, stage.fingerprint);
}

std::optional<nlohmann::json> Checkpoint::find_json(const Stage& stage) const {
  if (!is_wanted()) return std::nullopt;
  std::string text = parallel::agree_on_failure(world_, [&] {
    const fs::path path = folder(stage) / notes_file;
    std::error_code ignored;
    return world_.rank() == 0 && fs::is_regular_file(path, ignored) ? files::read_text(path)
                                                                    : std::string();
  });
  text = world_.broadcast(std::move(text), 0);
  if (text.empty()) return std::nullopt;
  return parallel::agree_on_failure(world_, [&] {
    return files::parse_json(text, fmt::format("'{}'", (folder(stage) / notes_file).string()));
  });
}

void Checkpoint::refuse(const Stage& stage, std::string_view why) const {
  throw known_to_all(
      world_.size(),
      InputError(fmt::format("Cannot go on from '{}' ({}). Remove that folder; the stage is done "
                             "again then.",
                             folder(stage).string(), why)));
}

void Checkpoint::complete(const Stage& stage, const nlohmann::json& notes) const {
  parallel::agree_on_failure(world_, [&] {
    if (world_.rank() != 0) return;
    std::error_code ignored;
    fs::create_directories(folder(stage), ignored);
    const std::string text = notes.dump();
    files::write_atomically(folder(stage) / notes_file, std::as_bytes(std::span(text)));
  });
}

void Checkpoint::remove(const Stage& stage) const {
  world_.barrier();  // others may still read it
  std::error_code ignored;
  if (world_.rank() == 0) fs::remove_all(folder(stage), ignored);
  world_.barrier();
}

}  // namespace rankine::compress
