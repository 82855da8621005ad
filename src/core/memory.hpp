// How much memory this process uses and the node still has.
#pragma once

#include <cstdint>
#include <filesystem>

namespace rankine {

/// Bytes of this process in memory now; 0 where /proc does not tell.
std::uint64_t resident_bytes();

/// The most there ever were; 0 where /proc does not tell.
std::uint64_t peak_resident_bytes();

/// Bytes the processes of this job on this node may still allocate together: what the kernel calls
/// available, or what a control group (a batch job's or container's limit) leaves, whichever is
/// less. 0 if unknown. Tests pass another `root` than "/".
std::uint64_t available_node_bytes(const std::filesystem::path& root = "/");

/// Bytes of address space this process may still map: what its limit (`ulimit -v`) leaves; the
/// largest number where there is none.
std::uint64_t address_space_left();

}  // namespace rankine
