#include "files/hdf5/result_file.hpp"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <chrono>
#include <functional>
#include <numeric>
#include <system_error>
#include <utility>

#include "core/contracts.hpp"
#include "core/log.hpp"
#include "core/stop_signal.hpp"
#include "core/version.hpp"
#include "files/hdf5/hdf5_call.hpp"
#include "files/hdf5/hdf5_image.hpp"
#include "files/output_file.hpp"

namespace rankine::files {

namespace {

std::string utc_now() {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now));
}

std::filesystem::path writable(std::filesystem::path path) {
  check_writable(path);
  return path;
}

std::string name_of(const std::filesystem::path& path) { return path.filename().string(); }

std::map<std::string, Attribute> root_attributes(const RunDescription& run) {
  return {{"filetype", run.filetype},   {"format_version", run.format_version},
          {"program", run.program},     {"program_version", program_version()},
          {"git_commit", git_commit()}, {"created_utc", utc_now()},
          {"n_ranks", run.n_ranks},     {"threads", run.threads}};
}

}  // namespace

ResultFile::ResultFile(std::filesystem::path path, const RunDescription& run)
    : path_(writable(std::move(path))), partial_path_(path_) {
  lock_.emplace(path_, run.program);
  partial_path_ += ".partial";
  remove_leftovers(partial_path_);
  std::error_code ignored;
  replaces_ = std::filesystem::exists(path_, ignored);
  if (replaces_) log().info("{} is there already; this run will replace it", name_of(path_));
  set_stop_notice("nothing was saved yet", lock_->file());
  content_.group_attributes["/"] = root_attributes(run);
  write_text("/provenance/effective_deck", run.effective_deck,
             "every keyword with the value used and its source (TOML)");
  for (const auto& [library, version] : run.library_versions) {
    set_attribute("/provenance/versions", library, version);
  }
  set_attribute("/provenance/versions", "HDF5", hdf5_version());
  write("/provenance/inputs", run.inputs, {run.inputs.size()},
        {.long_name = "SHA-256 and name of each input file", .units = "1", .dims = {"files"}});
  set_attribute("/provenance", "job_id", run.job_id);
}

ResultFile::~ResultFile() {
  set_stop_notice({});
  if (!is_partial_on_disk_) return;
  try {
    save_with_status("failed");
  } catch (...) {  // The reason of the failure matters, not that its mark is missing.
  }
}

template <class T>
void ResultFile::set_dataset(const std::string& path, std::span<const T> values,
                             std::vector<std::size_t> shape, Description description) {
  RANKINE_EXPECTS(std::accumulate(shape.begin(), shape.end(), std::size_t{1},
                                  std::multiplies<>()) == values.size(),
                  "the shape of a dataset has as many elements as there are values");
  content_.datasets[path] = {Array<T>{std::move(shape), {values.begin(), values.end()}},
                             std::move(description)};
}

void ResultFile::write(const std::string& path, std::span<const double> values,
                       std::vector<std::size_t> shape, Description description) {
  set_dataset(path, values, std::move(shape), std::move(description));
}

void ResultFile::write(const std::string& path, std::span<const std::int64_t> values,
                       std::vector<std::size_t> shape, Description description) {
  set_dataset(path, values, std::move(shape), std::move(description));
}

void ResultFile::write(const std::string& path, std::span<const std::complex<double>> values,
                       std::vector<std::size_t> shape, Description description) {
  set_dataset(path, values, std::move(shape), std::move(description));
}

void ResultFile::write(const std::string& path, std::span<const std::string> values,
                       std::vector<std::size_t> shape, Description description) {
  set_dataset(path, values, std::move(shape), std::move(description));
}

void ResultFile::write_text(const std::string& path, std::string text,
                            const std::string& long_name) {
  write(path, std::span<const std::string>(&text, 1), {},
        {.long_name = long_name, .units = "1", .dims = {}});
}

void ResultFile::set_attribute(const std::string& group, const std::string& name, Attribute value) {
  content_.group_attributes[group][name] = std::move(value);
}

void ResultFile::save(std::string_view kept) {
  save_with_status("running");
  set_stop_notice(fmt::format("kept {} in {}", kept, partial_path_.string()), lock_->file());
}

void ResultFile::stop() {
  save_with_status("stopped");
  is_partial_on_disk_ = false;
}

void ResultFile::complete() {
  log().info("results in {}{}", name_of(path_),
             replaces_ ? " (in place of an earlier file of that name)" : "");
  save_with_status("complete");
  rename_file(partial_path_, path_);
  is_partial_on_disk_ = false;
  set_stop_notice({});
  lock_.reset();
}

void ResultFile::save_with_status(const char* status) {
  const std::vector<std::string> lines = log_lines();
  write("/log", lines, {lines.size()},
        {.long_name = "log of the run", .units = "1", .dims = {"lines"}});
  set_attribute("/", "status", status);
  write_atomically(partial_path_, hdf5_image(content_));
  is_partial_on_disk_ = true;
}

std::string hdf5_version() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format("{}.{}.{}", major, minor, release);
}

}  // namespace rankine::files
