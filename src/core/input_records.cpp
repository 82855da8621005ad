#include "core/input_records.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "core/contracts.hpp"

namespace rankine {

namespace {

std::vector<InputRecord>* recording = nullptr;
const std::vector<InputRecord>* replayed = nullptr;

}  // namespace

InputRecorder::InputRecorder() {
  RANKINE_EXPECTS(!recording, "one recorder at a time");
  recording = &records_;
}

InputRecorder::~InputRecorder() { recording = nullptr; }

bool InputRecorder::is_recording() { return recording != nullptr; }

void InputRecorder::record(InputRecord input) { recording->push_back(std::move(input)); }

InputReplay::InputReplay(const std::vector<InputRecord>& records) {
  RANKINE_EXPECTS(!replayed, "one replay at a time");
  replayed = &records;
}

InputReplay::~InputReplay() { replayed = nullptr; }

const InputRecord* InputReplay::find(const std::string& path, std::uint64_t most_bytes) {
  if (!replayed) return nullptr;
  const auto found = std::ranges::find_if(*replayed, [&](const InputRecord& record) {
    return record.path == path && record.most_bytes == most_bytes;
  });
  return found == replayed->end() ? nullptr : &*found;
}

bool InputReplay::has(const std::string& path) {
  return replayed && std::ranges::find(*replayed, path, &InputRecord::path) != replayed->end();
}

std::string packed(const std::vector<InputRecord>& records) {
  std::string text;
  for (const InputRecord& record : records) {
    const std::array<std::uint64_t, 4> sizes{record.path.size(), record.most_bytes,
                                             record.file_bytes, record.bytes.size()};
    text.append(reinterpret_cast<const char*>(sizes.data()), sizeof sizes);
    text += record.path + record.bytes;
  }
  return text;
}

std::vector<InputRecord> unpacked_records(const std::string& text) {
  std::vector<InputRecord> records;
  for (std::size_t place = 0; place < text.size();) {
    std::array<std::uint64_t, 4> sizes{};
    std::memcpy(sizes.data(), text.data() + place, sizeof sizes);
    place += sizeof sizes;
    records.push_back({text.substr(place, sizes[0]), sizes[1], sizes[2],
                       text.substr(place + sizes[0], sizes[3])});
    place += sizes[0] + sizes[3];
  }
  return records;
}

}  // namespace rankine
