// A file open through MPI-IO on this rank alone.
//
// The ranks of a run each open the file they share, and read or write their own ranges. Nothing
// here is collective, so a rank that fails leaves the others free to go on to an agreement.
#pragma once

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace rankine::parallel {

/// Owns its MPI handle; move-only. Lives within a Session.
class File {
 public:
  enum class Access { read, write };

  /// Opens an existing file. Throws InputError, naming it, if that is not possible.
  File(const std::filesystem::path& path, Access access);
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();

  /// Fills `bytes` from byte `offset` on. Throws InputError, naming the file, if it ends too early
  /// or cannot be read.
  void read(std::uint64_t offset, std::span<std::byte> bytes) const;

  /// Throws ResourceError, naming the file, if the bytes do not all fit.
  void write(std::uint64_t offset, std::span<const std::byte> bytes);

  /// Returns when what was written is on the disk. Throws ResourceError.
  void synchronize();

 private:
  void close() noexcept;

  std::filesystem::path path_;
  MPI_File handle_ = MPI_FILE_NULL;
};

}  // namespace rankine::parallel
