// Slices that are finished, in the restart folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "distill/slice_report.hpp"
#include "parallel/teams.hpp"
#include "run/run_control.hpp"
#include "run/stage_store.hpp"
#include "weights/storage/parameter.hpp"

namespace rankine::distill {

/// What a slice depends on beside the numbers of the teacher.
run::Stage slice_stage(const std::string& slice, std::uint64_t of_deck);

/// Puts the parameters of a finished slice in place, on all ranks of the store; nothing if there is
/// none. Collective.
std::optional<SliceReport> restore_slice(const run::StageStore& store, const run::Stage& stage,
                                         const std::vector<weights::Parameter>& parameters);

/// `parts` are the teams of the store's ranks, the first of which holds all parameters. Collective
/// over the ranks of the store.
void keep_slice(const run::StageStore& store, const run::Stage& stage, const parallel::Teams& parts,
                const SliceReport& report, const std::vector<weights::Parameter>& parameters);

}  // namespace rankine::distill
