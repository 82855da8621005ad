// What was read of input files, so that one rank reads for all: its records take the place of the
// files on the others.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rankine {

/// Bytes from the start of a file.
struct InputRecord {
  std::string path;              ///< as it was named
  std::uint64_t most_bytes = 0;  ///< that were asked for
  std::uint64_t file_bytes = 0;
  std::string bytes;

  bool is_whole() const { return bytes.size() == file_bytes; }
};

/// While one lives, what is read through core/input_file.hpp in this process is recorded. One at a
/// time.
class InputRecorder {
 public:
  InputRecorder();
  InputRecorder(const InputRecorder&) = delete;
  InputRecorder& operator=(const InputRecorder&) = delete;
  ~InputRecorder();

  const std::vector<InputRecord>& records() const { return records_; }

  // For core/input_file.cpp.
  static bool is_recording();
  static void record(InputRecord input);

 private:
  std::vector<InputRecord> records_;
};

/// While one lives, files that have records are not opened. One at a time.
class InputReplay {
 public:
  explicit InputReplay(const std::vector<InputRecord>& records);
  InputReplay(const InputReplay&) = delete;
  InputReplay& operator=(const InputReplay&) = delete;
  ~InputReplay();

  // For core/input_file.cpp: nullptr without a record.
  static const InputRecord* find(const std::string& path, std::uint64_t most_bytes);
  static bool has(const std::string& path);
};

/// Records as one text, to be sent, and the way back.
std::string packed(const std::vector<InputRecord>& records);
std::vector<InputRecord> unpacked_records(const std::string& text);

}  // namespace rankine
