#include "parallel/file.hpp"

#include <fmt/core.h>

#include <array>
#include <string>
#include <utility>

#include "core/errors.hpp"
#include "core/profile.hpp"
#include "parallel/mpi_call.hpp"
#include "parallel/pieces.hpp"

namespace rankine::parallel {

namespace {

std::string explain(int code) {
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  return std::string(text.data(), static_cast<std::size_t>(length));
}

int bytes_moved(const MPI_Status& status) {
  int bytes = 0;
  check_mpi(MPI_Get_count(&status, MPI_BYTE, &bytes), "MPI_Get_count");
  return bytes;
}

}  // namespace

File::File(const std::filesystem::path& path, Access access) : path_(path) {
  const int mode = access == Access::read ? MPI_MODE_RDONLY : MPI_MODE_WRONLY;
  const int code = MPI_File_open(MPI_COMM_SELF, path.c_str(), mode, MPI_INFO_NULL, &handle_);
  if (code == MPI_SUCCESS) return;
  handle_ = MPI_FILE_NULL;
  throw InputError(
      fmt::format("Cannot open '{}' ({}). Name a file that exists and that you may "
                  "{}.",
                  path.string(), explain(code), access == Access::read ? "read" : "write"));
}

File::File(File&& other) noexcept
    : path_(std::move(other.path_)), handle_(std::exchange(other.handle_, MPI_FILE_NULL)) {}

File& File::operator=(File&& other) noexcept {
  if (this == &other) return *this;
  close();
  path_ = std::move(other.path_);
  handle_ = std::exchange(other.handle_, MPI_FILE_NULL);
  return *this;
}

File::~File() { close(); }

void File::close() noexcept {
  if (handle_ == MPI_FILE_NULL) return;
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (!finalized) MPI_File_close(&handle_);
}

void File::read(std::uint64_t offset, std::span<std::byte> bytes) const {
  for_each_piece(bytes.size(), longest_piece, [&](std::size_t first, int count) {
    MPI_Status status;
    const int code = MPI_File_read_at(handle_, static_cast<MPI_Offset>(offset + first),
                                      bytes.data() + first, count, MPI_BYTE, &status);
    if (code == MPI_SUCCESS && bytes_moved(status) == count) return;
    throw InputError(
        fmt::format("Cannot read {} bytes from byte {} of '{}' ({}). Copy the file anew.", count,
                    offset + first, path_.string(),
                    code == MPI_SUCCESS ? std::string("the file ends before") : explain(code)));
  });
}

void File::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  count_bytes_sent(bytes.size());
  for_each_piece(bytes.size(), longest_piece, [&](std::size_t first, int count) {
    MPI_Status status;
    const int code = MPI_File_write_at(handle_, static_cast<MPI_Offset>(offset + first),
                                       bytes.data() + first, count, MPI_BYTE, &status);
    if (code == MPI_SUCCESS && bytes_moved(status) == count) return;
    throw ResourceError(fmt::format(
        "Cannot write {} bytes to '{}' ({}). Free space there or choose another folder.", count,
        path_.string(), code == MPI_SUCCESS ? std::string("not all of them fit") : explain(code)));
  });
}

void File::synchronize() {
  const int code = MPI_File_sync(handle_);
  if (code == MPI_SUCCESS) return;
  throw ResourceError(
      fmt::format("Cannot write '{}' to the disk ({}). Free space there or choose another folder.",
                  path_.string(), explain(code)));
}

}  // namespace rankine::parallel
