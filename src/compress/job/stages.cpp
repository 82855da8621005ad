#include "compress/job/stages.hpp"

#include "core/version.hpp"
#include "run/fingerprint.hpp"

namespace rankine::compress {

namespace {

std::uint64_t as_unsigned(std::int64_t value) { return static_cast<std::uint64_t>(value); }

run::Fingerprint of_selection(const CompressionJob& job) {
  run::Fingerprint print;
  print.add(program_version()).add(name(job.options.scoring.model.precision));
  for (const NamedShape& weight : job.selected) print.add(weight.name);
  return print;
}

run::Fingerprint& add_windows(run::Fingerprint& print, const TokenWindows& windows) {
  for (const auto& window : windows) print.add(window);
  return print;
}

run::Fingerprint of_scoring(const CompressionJob& job) {
  run::Fingerprint print;
  for (const models::Window& window : job.scoring.plan.windows)
    print.add(window.ids(job.scoring.plan.text)).add(as_unsigned(window.first_scored));
  for (const models::TaskItem& item : job.scoring.tasks.items)
    for (const models::TaskChoice& choice : item.choices)
      print.add(choice.ids).add(as_unsigned(choice.first_scored));
  return print;
}

void add_counts(run::Fingerprint& print, const LossGradients& gradients) {
  if (!gradients.are_all_alike()) print.add(gradients.trim).add(gradients.clip);
}

void add_disentangler(run::Fingerprint& print, const DisentanglerOptions& options) {
  for (const std::int64_t count :
       {options.gate_size, options.depth, options.sweeps, options.gradient_steps})
    print.add(as_unsigned(count));
  print.add(name_in(weights::odd_leg_names, options.odd_leg))
      .add(name_in(weights::disentangling_start_names, options.start));
}

void add_clusters(run::Fingerprint& print, const CompressOptions& options) {
  const MethodOptions& method = options.method;
  print.add(as_unsigned(options.calibration.gradient_groups));
  print.add(method.codebooks).add(method.outlier_share).add(as_unsigned(method.rounds));
  print.add(name_in(weights::outlier_choice_names, method.outlier_choice))
      .add(name_in(weights::code_start_names, method.start));
}

/// Of the selected weights, the form they get and the norm of its errors, but for the windows.
run::Fingerprint of_norm(const CompressionJob& job) {
  const MethodOptions& method = job.options.method;
  const CalibrationOptions& calibration = job.options.calibration;
  run::Fingerprint print = of_selection(job);
  print.add(name(method.form)).add(name(method.weighting));
  print.add(name_in(gradient_target_names, calibration.gradients.targets));
  print.add(calibration.ridge);
  if (calibration.input_ridge != CalibrationOptions().input_ridge)
    print.add(calibration.input_ridge);
  add_counts(print, calibration.gradients);
  return print;
}

void add_error_weights(run::Fingerprint& print, const RankOptions& ranks) {
  if (ranks.error_weights == ErrorWeights::measured)
    print.add(ranks.measured_ratio).add(as_unsigned(ranks.measured_windows));
  if (ranks.depth_bias > 0) print.add(ranks.depth_bias).add(ranks.depth_bias_decay);
}

/// Of the ranks of the weights.
run::Fingerprint of_ranks(const CompressionJob& job) {
  const MethodOptions& method = job.options.method;
  const RankOptions& ranks = job.options.ranks;
  run::Fingerprint print = of_norm(job);
  for (const std::int64_t count : {method.sites, method.sweeps, method.clusters, method.outliers})
    print.add(as_unsigned(count));
  if (method.sized_by() == weights::SizedBy::values) add_clusters(print, job.options);
  print.add(name(ranks.allocation)).add(name(ranks.error_weights)).add(ranks.parameter_ratio);
  for (const std::int64_t count : {ranks.bond_dimension, ranks.fermi_steps, ranks.multiple_of})
    print.add(as_unsigned(count));
  if (job.options.allocates_values()) print.add(ranks.bits_per_weight).add(name(method.storage));
  add_error_weights(print, ranks);
  if (method.form == weights::Form::disentangled) add_disentangler(print, job.options.disentangler);
  for (const auto* windows : {&job.calibration_windows, &job.gradient_windows, &job.fermi_windows})
    add_windows(print, *windows);
  if (!job.fermi_windows.empty()) print.add(as_unsigned(job.options.scoring.parallel.teams));
  return print;
}

/// Of the compressed weights before healing.
run::Fingerprint of_weights(const CompressionJob& job) {
  run::Fingerprint print = of_ranks(job);
  if (const FitOptions& fit = job.options.fit; fit.is_sequential())
    print.add(name(fit.order)).add(name(fit.target)).add(fit.anchor).add(fit.ridge);
  return print;
}

/// Matrices and diagonals are stages of their own.
std::string name_of_moments(const char* name, bool are_whole) {
  return are_whole ? name : std::string(name) + "-diagonals";
}

run::Stage study_stage(const CompressionJob& job, const char* name, const run::Fingerprint& study) {
  return {name, of_weights(job).add(study.value()).add(of_scoring(job).value()).value()};
}

}  // namespace

run::Stage scores_stage(const CompressionJob& job) {
  return {"scores", of_selection(job).add(of_scoring(job).value()).value()};
}

run::Stage inputs_stage(const CompressionJob& job) {
  run::Fingerprint print = of_selection(job);
  return {name_of_moments("inputs", job.options.method.needs_whole_inputs()),
          add_windows(print, job.calibration_windows).value()};
}

run::Stage gradients_stage(const CompressionJob& job) {
  const LossGradients& gradients = job.options.calibration.gradients;
  run::Fingerprint print = of_selection(job);
  add_counts(print, gradients);
  const bool is_sampled = gradients.targets == Targets::sampled;
  return {name_of_moments(is_sampled ? "sampled-gradients" : "gradients",
                          job.options.method.needs_whole_gradients()),
          add_windows(print, job.gradient_windows).value()};
}

run::Stage token_moments_stage(const CompressionJob& job) {
  run::Fingerprint print = of_selection(job);
  print.add(as_unsigned(job.options.calibration.gradient_groups));
  print.add(name_in(gradient_target_names, job.options.calibration.gradients.targets));
  add_counts(print, job.options.calibration.gradients);
  return {"weighted-inputs", add_windows(print, job.gradient_windows).value()};
}

run::Stage codebook_errors_stage(const CompressionJob& job) {
  const MethodOptions& method = job.options.method;
  run::Fingerprint print = of_norm(job);
  for (const std::int64_t count : {method.clusters, method.outliers}) print.add(as_unsigned(count));
  add_clusters(print, job.options);
  add_windows(print, job.calibration_windows);
  return {"codebook-errors", add_windows(print, job.gradient_windows).value()};
}

run::Stage error_weights_stage(const CompressionJob& job) {
  const RankOptions& ranks = job.options.ranks;
  run::Fingerprint print = of_norm(job);
  print.add(ranks.measured_ratio).add(as_unsigned(ranks.measured_windows));
  print.add(as_unsigned(ranks.multiple_of));
  add_windows(print, job.calibration_windows);
  return {"error-weights", add_windows(print, job.gradient_windows).value()};
}

run::Stage fermi_stage(const CompressionJob& job) { return {"fermi", of_ranks(job).value()}; }

run::Stage fit_stage(const CompressionJob& job, const std::string& module) {
  return {"fit-" + module, of_weights(job).add(module).value()};
}

run::Stage weights_stage(const CompressionJob& job) { return {"weights", of_weights(job).value()}; }

run::Stage healing_stage(const CompressionJob& job) {
  const HealOptions& heal = job.options.heal;
  run::Fingerprint print = of_weights(job);
  print.add(job.before_healing);
  print.add(name(heal.loss)).add(heal.learning_rate).add(heal.warm_up);
  if (heal.is_whitened()) print.add(name(heal.coordinates));
  for (const std::int64_t count :
       {heal.steps, heal.windows_per_step, job.options.scoring.parallel.teams, heal.check_every,
        heal.patience})
    print.add(as_unsigned(count));
  add_windows(print, job.held_out_windows);
  return {"healing", add_windows(print, job.healing_windows).value()};
}

run::Stage adapter_stage(const CompressionJob& job, const deck::DeckValues& values) {
  run::Fingerprint print = of_selection(job);
  print.add(job.options.heal.steps > 0 ? healing_stage(job).of_deck : weights_stage(job).of_deck);
  print.add(name(job.options.method.storage)).add(values, {"adapter"});
  print.add(as_unsigned(job.options.scoring.parallel.teams));
  return {"adapter", add_windows(print, job.adapter_windows).value()};
}

run::Stage noise_stage(const CompressionJob& job, const deck::DeckValues& values) {
  run::Fingerprint print;
  print.add(adapter_stage(job, values).of_deck).add(values, {"noise"});
  print.add(as_unsigned(job.options.scoring.parallel.teams));
  return {"noise", print.add(of_scoring(job).value()).value()};
}

run::Stage sensitivity_stage(const CompressionJob& job) {
  const SensitivityOptions& options = job.options.sensitivity;
  run::Fingerprint study;
  for (const GroupBy by : options.by) study.add(name(by));
  return study_stage(job, "sensitivity", study.add(options.bond_dimensions));
}

run::Stage experiments_stage(const CompressionJob& job) {
  const ExperimentOptions& options = job.options.experiments;
  run::Fingerprint study;
  for (const std::string& name : options.names) study.add(name);
  study.add(options.clusters).add(options.layers).add(options.seeds);
  return study_stage(job, "experiments", study.add(as_unsigned(options.layer_step)));
}

std::vector<run::Stage> stages_of(const CompressionJob& job, const deck::DeckValues& values) {
  const CompressOptions& options = job.options;
  const bool has_experiments = !options.experiments.names.empty();
  std::vector<run::Stage> stages;
  if (!job.scoring.plan.windows.empty() && !job.scoring.reference_config)
    stages.push_back(scores_stage(job));
  if (job.measures_inputs()) stages.push_back(inputs_stage(job));
  if (options.needs_token_moments()) stages.push_back(token_moments_stage(job));
  if (options.needs_gradients()) stages.push_back(gradients_stage(job));
  if (options.is_profile()) {
    stages.push_back(sensitivity_stage(job));
    return stages;
  }
  if (has_experiments) stages.push_back(experiments_stage(job));
  if (options.allocates_values()) stages.push_back(codebook_errors_stage(job));
  if (options.measures_errors()) stages.push_back(error_weights_stage(job));
  if (options.needs_fermi()) stages.push_back(fermi_stage(job));
  if (!has_experiments && options.selects_weights()) stages.push_back(weights_stage(job));
  if (options.heal.steps > 0) stages.push_back(healing_stage(job));
  if (options.adapter.is_trained()) stages.push_back(adapter_stage(job, values));
  if (!options.noise.error_rates.empty()) stages.push_back(noise_stage(job, values));
  return stages;
}

}  // namespace rankine::compress
