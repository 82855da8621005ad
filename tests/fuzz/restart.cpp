// Restart folders of rankine-compress: a run goes on from stages of which one file was changed.
#include <algorithm>
#include <array>
#include <string_view>

#include "targets.hpp"
#include "tiny_compression.hpp"
#include "verdict.hpp"

namespace rankine::fuzz {

namespace fs = std::filesystem;

namespace {

std::string keep_in(const fs::path& folder) {
  return "[run]\ncheckpoint_interval = 0\ndirectory = \"" + folder.string() + "\"\n";
}

/// A compression with all stages there are, and a profile.
constexpr const char* compression =
    "[method]\nform = \"pivoted\"\nweighting = \"two-sided\"\n"
    "[ranks]\nallocation = \"fermi\"\nparameter_ratio = 0.7\nfermi_steps = 2\n"
    "[heal]\nsteps = 2\nwindow_length = 8\n";
constexpr const char* profile =
    "[method]\nform = \"low-rank\"\nweighting = \"none\"\n[ranks]\nallocation = \"uniform\"\n"
    "[sensitivity]\nbond_dimensions = [2]\nby = [\"layer\"]\n";

const FolderContent& kept(const char* deck) {
  static std::map<std::string, FolderContent> known;
  FolderContent& content = known[deck];
  if (!content.empty()) return content;
  const ScratchFolder scratch;
  compress_tiny_model(deck + keep_in(scratch.path() / "kept"));
  return content = read_folder(scratch.path() / "kept");
}

/// Stages whose result makes others unneeded, which then are not read.
void remove_later_stages(FolderContent& content, const std::string& changed) {
  if (changed.starts_with("healing.1-"))
    std::erase_if(content, [](const auto& file) { return file.first.starts_with("healing.2-"); });
  constexpr std::array earlier{std::string_view("inputs-"), std::string_view("gradients-"),
                               std::string_view("fermi-")};
  if (std::ranges::none_of(earlier, [&](auto stage) { return changed.starts_with(stage); })) return;
  std::erase_if(content, [](const auto& file) { return file.first.starts_with("weights-"); });
}

/// The first line of an input names the file; a stage that only a profile has is a profile's.
void go_on(const std::string& input, const fs::path& folder) {
  const bool is_profile = input.starts_with("profile/");
  const char* deck = is_profile ? profile : compression;
  const auto slash = std::min(input.find('/'), input.size());
  ChangedFolder changed =
      changed_folder(kept(deck), input.substr(std::min(slash + 1, input.size())));
  remove_later_stages(changed.content, changed.changed);
  write_folder(folder / "kept", changed.content);
  compress_tiny_model(deck + keep_in(folder / "kept"));
}

}  // namespace

Target restart_folders() {
  Target target{.name = "restart",
                .words = {"\"loss\":null,", "\"steps\":1000000000,", "1.5", "\"of_weight\":[0],",
                          "\"count\":4294967297,", "\"F32\"", "\"F64\"", "\"I32\"", "\"U8\"",
                          "\"shape\":[8,8],", "\"rank\":0,", "\"form\":\"mpo\",", "[0]", "[8]",
                          "[]", "null", "-1", "1e300", "\"spectrum\":[],"},
                .read = go_on};
  for (const auto& [path, bytes] : kept(compression))
    target.seeds.push_back("compression/" + input_of(path, bytes));
  for (const auto& [path, bytes] : kept(profile))
    target.seeds.push_back("profile/" + input_of(path, bytes));
  return target;
}

}  // namespace rankine::fuzz
