#include "distill/kept_slices.hpp"

#include <nlohmann/json.hpp>

#include "core/errors.hpp"
#include "run/fingerprint.hpp"
#include "weights/storage/tensor_folder.hpp"

namespace rankine::distill {

using weights::Parameter;

NLOHMANN_JSON_SERIALIZE_ENUM(Outcome, {{Outcome::trained, "trained"},
                                       {Outcome::fit_kept, "fit kept"},
                                       {Outcome::diverged, "diverged"}})
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SliceReport, name, feature_error_before, feature_error_fit,
                                   feature_error_after, feature_errors, outcome, team, cost,
                                   started, finished)

run::Stage slice_stage(const std::string& slice, std::uint64_t of_deck) {
  return {"slice-" + slice, run::Fingerprint().add(slice).add(of_deck).value()};
}

std::optional<SliceReport> restore_slice(const run::StageStore& store, const run::Stage& stage,
                                         const std::vector<Parameter>& parameters) {
  return store.restore<SliceReport>(stage, [&](const SliceReport& kept) {
    store.read_tensors(stage, [&](const std::filesystem::path& folder) {
      weights::read_tensors(store.ranks(), folder, parameters);
    });
    SliceReport report = kept;
    report.is_restored = true;
    return report;
  });
}

void keep_slice(const run::StageStore& store, const run::Stage& stage, const parallel::Teams& parts,
                const SliceReport& report, const std::vector<Parameter>& parameters) {
  if (!store.is_wanted()) return;
  store.remove(stage);
  weights::write_tensors(store.ranks(), parts, store.folder(stage), parameters);
  store.complete(stage, report, run::Holds::tensors);
}

}  // namespace rankine::distill
