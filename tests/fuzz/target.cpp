#include "target.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace rankine::fuzz {

namespace fs = std::filesystem;

std::string project_file(const fs::path& path) {
  std::ifstream file(fs::path(RANKINE_SOURCE_DIR) / path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read the seed " + path.string());
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<std::string> project_files(const fs::path& folder, const std::string& extension) {
  std::vector<fs::path> paths;
  for (const auto& entry :
       fs::recursive_directory_iterator(fs::path(RANKINE_SOURCE_DIR) / folder)) {
    if (entry.path().extension() == extension) paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  std::vector<std::string> contents;
  for (const fs::path& path : paths) contents.push_back(project_file(path));
  return contents;
}

fs::path write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  if (!file.write(bytes.data(), static_cast<std::streamsize>(bytes.size())) || !file.flush())
    throw std::runtime_error("cannot write " + path.string());
  return path;
}

}  // namespace rankine::fuzz
