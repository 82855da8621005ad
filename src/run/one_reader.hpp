// Input files are read by one rank, for all.
#pragma once

#include <utility>
#include <vector>

#include "core/input_records.hpp"
#include "parallel/agreement.hpp"
#include "parallel/communicator.hpp"

namespace rankine::run {

/// Runs `work`, which reads input files (core/input_file.hpp) and does not communicate, first on
/// rank 0, then on the others with what rank 0 has read. Returns the records of all ranks. What
/// fails on one rank fails on all. Collective.
template <class Work>
std::vector<InputRecord> read_on_one_rank(const parallel::Communicator& world, Work&& work) {
  std::vector<InputRecord> records;
  parallel::agree_on_failure(world, [&] {
    if (world.rank() != 0) return;
    const InputRecorder recorder;
    work();
    records = recorder.records();
  });
  if (world.size() == 1) return records;
  const std::string sent = world.broadcast(world.rank() == 0 ? packed(records) : "", 0);
  parallel::agree_on_failure(world, [&] {
    if (world.rank() == 0) return;
    records = unpacked_records(sent);
    const InputReplay replay(records);
    work();
  });
  return records;
}

}  // namespace rankine::run
