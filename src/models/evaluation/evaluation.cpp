#include "models/evaluation/evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/memory.hpp"
#include "core/progress.hpp"
#include "core/text_format.hpp"
#include "core/timer.hpp"
#include "models/language/generation.hpp"
#include "models/language/language_model.hpp"
#include "models/language/losses.hpp"
#include "parallel/agreement.hpp"
#include "parallel/teams.hpp"

namespace rankine::models {

using parallel::Communicator;

namespace {

/// Scores of one window on one team; alike on all its ranks.
struct WindowScore {
  double negative_log_likelihood = 0;
  double divergence = 0;
  std::int64_t agreements = 0;
};

WindowScores unknown_scores(std::size_t windows, double unknown, std::int64_t unknown_count) {
  WindowScores scores;
  for (auto* values : {&scores.negative_log_likelihood, &scores.divergence, &scores.seconds})
    values->assign(windows, unknown);
  scores.agreements.assign(windows, unknown_count);
  return scores;
}

WindowScore score_window(const LanguageModel& model, const LanguageModel* reference,
                         const Window& window, const TokenText& text) {
  const torch::InferenceMode no_gradients;
  const std::vector<std::int64_t> ids = window.ids(text);
  const torch::Tensor sequence = torch::tensor(ids, torch::kInt64);
  const std::vector<std::int64_t> targets(ids.begin() + window.first_scored, ids.end());
  // The hidden states that predict the targets; the last position predicts nothing here.
  const auto states = [&](const LanguageModel& one) {
    return one.hidden_states(sequence).narrow(0, window.first_scored - 1, window.scored());
  };
  WindowScore score;
  const auto add = [&](const LogitPart& part) {
    score.negative_log_likelihood += part.negative_log_likelihood();
  };
  if (!reference) {
    for (const LogitPart& part : score_tokens(model, states(model), targets)) add(part);
    return score;
  }
  const ComparedTokens tokens =
      compare_tokens(model, states(model), *reference, states(*reference), targets);
  for (std::size_t t = 0; t < targets.size(); ++t) {
    add(tokens.model[t]);
    score.divergence += tokens.reference[t].divergence(tokens.model[t]);
    score.agreements += tokens.reference[t].reference.top_id == tokens.model[t].top_id ? 1 : 0;
  }
  return score;
}

/// One rank's part of an evaluation.
class Evaluation {
 public:
  Evaluation(const EvaluationJob& job, const Communicator& world, const parallel::Teams& teams,
             const SaveScores& save)
      : job_(job), world_(world), save_(save), teams_(teams) {}

  EvaluationResult run() {
    const Stopwatch load;
    const LanguageModel model = read(job_.options.model.path);
    std::optional<LanguageModel> reference;
    if (job_.reference_config) reference.emplace(read(job_.options.evaluate.reference_model));
    result_.load_seconds = world_.max(load.seconds());
    log().info("weights loaded in {}", format_duration(result_.load_seconds));
    score(model, reference ? &*reference : nullptr);
    parallel::agree_between_teams(world_, teams_.team(), [&] { continue_prompts(model); });
    result_.peak_bytes_largest_rank = world_.max(peak_resident_bytes());
    return std::move(result_);
  }

  EvaluationResult run(const LanguageModel& model) {
    std::optional<LanguageModel> reference;
    if (job_.reference_config) reference.emplace(read(job_.options.evaluate.reference_model));
    score(model, reference ? &*reference : nullptr);
    return std::move(result_);
  }

 private:
  void score(const LanguageModel& model, const LanguageModel* reference) {
    // Agreement adds up the teams' scores: what another team owns is zero.
    result_.scores = unknown_scores(job_.plan.windows.size(), 0, 0);
    const Stopwatch loop;
    parallel::agree_between_teams(world_, teams_.team(),
                                  [&] { score_own_windows(model, reference); });
    gather_scores();
    result_.loop_seconds = world_.max(loop.seconds());
  }

  LanguageModel read(const std::string& folder) const {
    return LanguageModel::read(world_, teams_.team(), folder, job_.options.model.precision);
  }

  /// What it throws is known to all ranks of the team; other teams learn of it afterwards.
  void score_own_windows(const LanguageModel& model, const LanguageModel* reference) {
    const auto n_windows = job_.plan.windows.size();
    ProgressLine progress(world_.rank() == 0 ? Output::shown : Output::silent);
    Stopwatch since_save;
    EvaluationResult known;
    known.scores = unknown_scores(n_windows, nan, -1);
    for (auto w = static_cast<std::size_t>(teams_.index()); w < n_windows;
         w += static_cast<std::size_t>(teams_.count())) {
      const Stopwatch clock;
      const Window& window = job_.plan.windows[w];
      const WindowScore score = score_window(model, reference, window, job_.plan.text);
      require_finite(score, w);
      put(result_.scores, w, score, teams_.leads() ? 1 : 0, clock.seconds());
      put(known.scores, w, score, 1, clock.seconds());
      tell(progress, known, w);
      save(known, since_save);
    }
  }

  /// All ranks of the team have the same score.
  void require_finite(const WindowScore& score, std::size_t w) const {
    if (std::isfinite(score.negative_log_likelihood) && std::isfinite(score.divergence)) return;
    throw known_to_all(
        teams_.team().size(),
        NumericalError(fmt::format(
            "the loss of window {} is not finite (the model overflows, or predicts a token with "
            "probability 0). Try model.precision = \"float64\", or check the checkpoint.",
            w)));
  }

  /// Now and then, on rank 0; its team hears at once if that fails.
  void save(const EvaluationResult& known, Stopwatch& since_save) const {
    if (!save_.save || teams_.index() != 0) return;
    parallel::agree_on_failure(teams_.team(), [&] {
      if (world_.rank() != 0 || since_save.seconds() <= save_.seconds_between) return;
      save_.save(known);
      since_save.restart();
    });
  }

  static void put(WindowScores& scores, std::size_t w, const WindowScore& score, int weight,
                  double seconds) {
    scores.negative_log_likelihood[w] = weight * score.negative_log_likelihood;
    scores.divergence[w] = weight * score.divergence;
    scores.agreements[w] = weight * score.agreements;
    scores.seconds[w] = weight * seconds;
  }

  void tell(ProgressLine& progress, const EvaluationResult& known, std::size_t w) const {
    const auto done = static_cast<double>(w + 1),
               all = static_cast<double>(job_.plan.windows.size());
    progress.update(
        std::min(1.0, done / all),
        fmt::format("window {} of {} | perplexity {:.4e}", w + 1, job_.plan.windows.size(),
                    std::exp(known.mean(job_, known.scores.negative_log_likelihood))));
  }

  void gather_scores() {
    WindowScores& scores = result_.scores;
    for (auto* values : {&scores.negative_log_likelihood, &scores.divergence, &scores.seconds})
      world_.sum(std::span(*values));
    world_.sum(std::span(scores.agreements));
  }

  /// The first team speaks; rank 0 is in it.
  void continue_prompts(const LanguageModel& model) {
    const GenerateOptions& generate = job_.options.generate;
    if (teams_.index() != 0) return;
    for (Continuation continuation : job_.prompts) {
      continuation.ids = continue_sequence(model, continuation.prompt_ids,
                                           {.tokens = generate.tokens,
                                            .temperature = generate.temperature,
                                            .top_k = generate.top_k,
                                            .seed = static_cast<std::uint64_t>(generate.seed)});
      continuation.text = text_of(continuation.ids);
      result_.continuations.push_back(std::move(continuation));
    }
  }

  /// Empty without a tokenizer. An end token is not part of it, whatever the tokenizer calls it.
  std::string text_of(const std::vector<std::int64_t>& ids) const {
    if (!job_.tokenizer) return "";
    const auto& ends = job_.config.end_of_sequence;
    std::vector<std::int32_t> words(ids.begin(), ids.end());
    if (!words.empty() && std::ranges::find(ends, words.back()) != ends.end()) words.pop_back();
    return job_.tokenizer->decode(words, text::SpecialTokens::left_out);
  }

  static constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const EvaluationJob& job_;
  const Communicator& world_;
  const SaveScores& save_;
  const parallel::Teams& teams_;
  EvaluationResult result_;
};

}  // namespace

double EvaluationResult::mean(const EvaluationJob& job, const std::vector<double>& values) const {
  double sum = 0;
  std::int64_t tokens = 0;
  for (std::size_t w = 0; w < values.size(); ++w) {
    if (std::isnan(values[w])) continue;
    sum += values[w];
    tokens += job.plan.windows[w].scored();
  }
  return tokens == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(tokens);
}

EvaluationResult evaluate(const EvaluationJob& job, const Communicator& world,
                          const SaveScores& save) {
  const parallel::Teams teams(world, static_cast<int>(job.options.parallel.teams));
  return Evaluation(job, world, teams, save).run();
}

EvaluationResult score_model(const EvaluationJob& job, const Communicator& world,
                             const parallel::Teams& teams, const LanguageModel& model) {
  const SaveScores nowhere;
  return Evaluation(job, world, teams, nowhere).run(model);
}

}  // namespace rankine::models
