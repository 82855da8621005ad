// The file of a suite of rankine-bench: CSV or HDF5, as its name says.
#pragma once

#include <string>

#include "parallel/agreement.hpp"
#include "parallel/communicator.hpp"

namespace rankine::bench {

/// On rank 0, if a file is wanted. Collective; what a writer throws all ranks throw.
template <class WriteCsv, class WriteHdf5>
void write_file(const parallel::Communicator& world, const std::string& file,
                const WriteCsv& write_csv, const WriteHdf5& write_hdf5) {
  parallel::agree_on_failure(world, [&] {
    if (world.rank() != 0 || file.empty()) return;
    if (file.ends_with(".csv"))
      write_csv();
    else
      write_hdf5();
  });
}

}  // namespace rankine::bench
