// The result file of a run: readable at any time, under its final name only when it is complete.
//
// While the run goes on, the results so far are in "<name>.partial" with the root attribute status
// "running"; a killed job leaves it like that, a stopped one with "stopped", a failed one with
// "failed". Every save writes the whole file anew (results are small: curves, not states) and puts
// it in place by renaming, so that no reader ever meets a half-written file.
#pragma once

#include <complex>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "files/hdf5/result_content.hpp"
#include "files/output_lock.hpp"

namespace rankine::files {

/// What the run says about itself in the root attributes and in /provenance. Nothing in it may
/// name hosts, users or absolute paths.
struct RunDescription {
  std::string filetype;         ///< the kind of content: "rankine-simulate"
  std::int64_t format_version;  ///< of that kind
  std::string program;
  std::int64_t n_ranks = 1;
  std::int64_t threads = 1;         ///< per rank
  std::string effective_deck = {};  ///< TOML: every keyword with its value and source
  std::map<std::string, std::string> library_versions = {};  ///< HDF5's is added by ResultFile
  std::vector<std::string> inputs = {};  ///< "sha256 name" of each file that was read
  std::string job_id = {};               ///< of the batch system; may be empty
};

/// Used by one rank; what it throws belongs into parallel::agree_on_failure.
class ResultFile {
 public:
  /// Keeps other runs from `path` for as long as it lives (OutputLock). Throws like check_writable.
  ResultFile(std::filesystem::path path, const RunDescription& run);
  ResultFile(const ResultFile&) = delete;
  ResultFile& operator=(const ResultFile&) = delete;
  /// If results were saved but never completed, marks "<name>.partial" as failed.
  ~ResultFile();

  /// Sets the dataset at `path` ("/results/theta_h"), replacing an earlier one. `values` in
  /// row-major order of `shape`. Nothing is written before save or complete.
  void write(const std::string& path, std::span<const double> values,
             std::vector<std::size_t> shape, Description description);
  void write(const std::string& path, std::span<const std::int64_t> values,
             std::vector<std::size_t> shape, Description description);
  void write(const std::string& path, std::span<const std::complex<double>> values,
             std::vector<std::size_t> shape, Description description);
  void write(const std::string& path, std::span<const std::string> values,
             std::vector<std::size_t> shape, Description description);
  /// One text as a scalar dataset.
  void write_text(const std::string& path, std::string text, const std::string& long_name);

  /// Sets an attribute of a group ("/results"), which is created if need be.
  void set_attribute(const std::string& group, const std::string& name, Attribute value);

  /// Puts all that was set so far, and the log lines so far in /log, into "<name>.partial".
  /// `kept` says to the user how much that is ("3 of 8 points"), should the run be stopped.
  /// Throws InputError or ResourceError (disk), LibraryError (HDF5).
  void save(std::string_view kept);

  /// Saves what was set so far for a run that goes on later: status "stopped".
  void stop();

  /// Saves for good and gives the file its final name, replacing an older file of that name; both
  /// stand in the log.
  void complete();

 private:
  template <class T>
  void set_dataset(const std::string& path, std::span<const T> values,
                   std::vector<std::size_t> shape, Description description);
  void save_with_status(const char* status);

  std::filesystem::path path_;
  std::filesystem::path partial_path_;
  std::optional<OutputLock> lock_;  ///< until the file is complete
  bool replaces_ = false;
  ResultContent content_;
  bool is_partial_on_disk_ = false;
};

/// "1.10.8", for --version and provenance.
std::string hdf5_version();

}  // namespace rankine::files
