// The folders that rankine-compress writes into: whether it can, and what they hold already.
#pragma once

#include <string>
#include <vector>

#include "compress/job/compression_job.hpp"
#include "deck/difference.hpp"

namespace rankine::compress {

/// For use before heavy work, without MPI. Throws InputError or ResourceError if export.directory
/// or run.directory could not be written to.
void check_output_folders(const CompressionJob& job);

/// What a run of the job would find in its folders, on one rank, in words: models that are
/// replaced, stages that are there, damaged ones. Where all stages are of other decks it says in
/// what `values`, those of this deck that count, differ from theirs.
std::vector<std::string> look_into_folders(const CompressionJob& job,
                                           const deck::DeckValues& values);

}  // namespace rankine::compress
