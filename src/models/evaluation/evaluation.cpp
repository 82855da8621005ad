#include "models/evaluation/evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "core/contracts.hpp"
#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/memory.hpp"
#include "core/profile.hpp"
#include "core/progress.hpp"
#include "core/text_format.hpp"
#include "core/timer.hpp"
#include "models/checksum.hpp"
#include "models/language/adapter_reader.hpp"
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

/// Log-likelihood of each choice. What the choices share passes the model once.
std::vector<double> score_item(const LanguageModel& model, const TaskItem& item) {
  const torch::InferenceMode no_gradients;
  const std::int64_t shared = item.shared_tokens();
  KeyValueCache cache = model.make_cache(item.longest());
  const auto states = [&](const TaskChoice& choice, std::int64_t first, std::int64_t end) {
    const std::span ids =
        std::span(choice.ids)
            .subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(end - first));
    cache.length = first;
    return model.hidden_states(torch::tensor(at::ArrayRef(ids.data(), ids.size())), &cache);
  };
  if (shared > 0) states(item.choices.front(), 0, shared);
  std::vector<torch::Tensor> hidden;
  std::vector<std::int64_t> targets;
  for (const TaskChoice& choice : item.choices) {
    const torch::Tensor own = states(choice, shared, std::ssize(choice.ids) - 1);
    hidden.push_back(own.narrow(0, choice.first_scored - 1 - shared, choice.scored()));
    targets.insert(targets.end(), choice.ids.begin() + choice.first_scored, choice.ids.end());
  }
  const std::vector<LogitPart> parts = score_tokens(model, torch::cat(hidden), targets);
  std::vector<double> sums;
  auto part = parts.begin();
  for (const TaskChoice& choice : item.choices) {
    double& sum = sums.emplace_back(0);
    for (std::int64_t t = 0; t < choice.scored(); ++t) sum -= (part++)->negative_log_likelihood();
  }
  return sums;
}

/// One rank's part of an evaluation. Its pieces are the windows, and behind them the items of
/// tasks.
class Evaluation {
 public:
  Evaluation(const EvaluationJob& job, const Communicator& world, const parallel::Teams& teams,
             const EvaluationControl& control)
      : job_(job), world_(world), control_(control), teams_(teams) {
    const bool has_items = control.scored == Scored::all;
    for (std::size_t i = 0, choice = 0; has_items && i < job.tasks.items.size(); ++i) {
      first_choices_.push_back(choice);
      choice += job.tasks.items[i].choices.size();
    }
  }

  EvaluationResult run() {
    const Stopwatch load;
    const LanguageModel model = read_language_model(world_, teams_.team(), job_.options.model);
    std::optional<LanguageModel> reference;
    if (job_.reference_config) reference.emplace(read_reference());
    result_.load_seconds = world_.max(load.seconds());
    log().info("weights loaded in {}", format_duration(result_.load_seconds));
    identify(model, reference ? &*reference : nullptr);
    score(model, reference ? &*reference : nullptr);
    parallel::agree_between_teams(world_, teams_.team(), [&] { continue_prompts(model); });
    result_.peak_bytes_largest_rank = world_.max(peak_resident_bytes());
    return std::move(result_);
  }

  EvaluationResult run(const LanguageModel& model) {
    std::optional<LanguageModel> reference;
    if (job_.reference_config) reference.emplace(read_reference());
    score(model, reference ? &*reference : nullptr);
    return std::move(result_);
  }

 private:
  void score(const LanguageModel& model, const LanguageModel* reference) {
    take_known_scores();
    const Stopwatch loop;
    parallel::agree_between_teams(world_, teams_.team(),
                                  [&] { score_own_pieces(model, reference); });
    gather_scores();
    result_.loop_seconds = world_.max(loop.seconds());
    end_if_stopped();
  }

  /// Scores of an earlier run are those of the same weights.
  void identify(const LanguageModel& model, const LanguageModel* reference) {
    result_.weights_checksum = checksum(model) + 31 * (reference ? checksum(*reference) : 0);
    std::uint64_t known = control_.known_checksum;
    world_.broadcast(std::span(&known, 1), 0);
    if (known == 0 || known == result_.weights_checksum) return;
    throw known_to_all(world_.size(),
                       InputError("the windows that were scored before belong to other weights "
                                  "(model.path or model.adapter holds others than then). Move the "
                                  "unfinished result file away, or choose another output.file."));
  }

  /// Those of an earlier run become those of all ranks; rank 0 will speak for them.
  void take_known_scores() {
    result_.scores = WindowScores::unknown(job_.plan.windows.size());
    WindowScores& scores = result_.scores;
    if (world_.rank() == 0 && control_.known.size() > 0) scores = control_.known;
    RANKINE_EXPECTS(scores.size() == job_.plan.windows.size(), "the scores are of these windows");
    result_.tasks = TaskScores::unknown(job_.tasks);
    std::vector<double>& choices = result_.tasks.log_likelihood;
    if (world_.rank() == 0 && !control_.known_tasks.log_likelihood.empty())
      choices = control_.known_tasks.log_likelihood;
    RANKINE_EXPECTS(choices.size() == job_.tasks.choices(), "the scores are of these items");
    for (auto* values :
         {&scores.negative_log_likelihood, &scores.divergence, &scores.seconds, &choices})
      world_.broadcast(std::span(*values), 0);
    world_.broadcast(std::span(scores.agreements), 0);
    for (std::size_t piece = 0; piece < scores.size() + first_choices_.size(); ++piece) {
      const bool is_known = piece < scores.size()
                                ? scores.is_known(piece)
                                : !std::isnan(choices[first_choices_[piece - scores.size()]]);
      speaks_for_.push_back(is_known && world_.rank() == 0);
      if (!is_known) unknown_.push_back(piece);
    }
  }

  LanguageModel read_reference() const {
    return LanguageModel::read(world_, teams_.team(), job_.options.evaluate.reference_model,
                               job_.options.model.precision);
  }

  /// What it throws is known to all ranks of the team; other teams learn of it afterwards.
  void score_own_pieces(const LanguageModel& model, const LanguageModel* reference) {
    const ProfileStage stage("scoring");
    ProgressLine progress(world_.rank() == 0 ? Output::shown : Output::silent);
    Stopwatch since_save;
    const std::size_t windows = job_.plan.windows.size();
    for (auto i = static_cast<std::size_t>(teams_.index()); i < unknown_.size() && goes_on();
         i += static_cast<std::size_t>(teams_.count())) {
      const std::size_t piece = unknown_[i];
      if (piece < windows)
        score_own_window(model, reference, piece);
      else
        score_own_item(model, piece - windows);
      speaks_for_[piece] = teams_.leads();
      has_scored_ = true;
      tell(progress, piece);
      save(since_save);
    }
  }

  void score_own_window(const LanguageModel& model, const LanguageModel* reference, std::size_t w) {
    const Stopwatch clock;
    const Window& window = job_.plan.windows[w];
    const WindowScore score = score_window(model, reference, window, job_.plan.text);
    require_finite({score.negative_log_likelihood, score.divergence}, "window", w);
    put(w, score, clock.seconds());
    if (teams_.leads()) result_.loop_tokens += window.tokens();
  }

  void score_own_item(const LanguageModel& model, std::size_t i) {
    const TaskItem& item = job_.tasks.items[i];
    const std::vector<double> values = score_item(model, item);
    require_finite(values, "item", i);
    std::ranges::copy(values, result_.tasks.log_likelihood.begin() +
                                  static_cast<std::ptrdiff_t>(first_choices_[i]));
    if (teams_.leads())
      for (const TaskChoice& choice : item.choices) result_.loop_tokens += std::ssize(choice.ids);
  }

  /// Asks between two pieces; what is thrown there waits until all scores are together.
  bool goes_on() {
    if (control_.between_windows && has_scored_)
      stopped_.guard([&] { control_.between_windows(teams_.team()); });
    return stopped_.get() == nullptr;
  }

  /// All ranks of the team have the same scores.
  void require_finite(const std::vector<double>& values, const char* piece,
                      std::size_t number) const {
    if (std::ranges::all_of(values, [](double value) { return std::isfinite(value); })) return;
    throw known_to_all(
        teams_.team().size(),
        NumericalError(fmt::format(
            "the loss of {} {} is not finite (the model overflows, or predicts a token with "
            "probability 0). Try model.precision = \"float64\", or check the checkpoint.",
            piece, number)));
  }

  /// Now and then, on rank 0; its team hears at once if that fails.
  void save(Stopwatch& since_save) const {
    if (!control_.save || teams_.index() != 0) return;
    parallel::agree_on_failure(teams_.team(), [&] {
      if (world_.rank() != 0 || since_save.seconds() <= control_.seconds_between) return;
      control_.save(result_);
      since_save.restart();
    });
  }

  void put(std::size_t w, const WindowScore& score, double seconds) {
    WindowScores& scores = result_.scores;
    scores.negative_log_likelihood[w] = score.negative_log_likelihood;
    scores.divergence[w] = score.divergence;
    scores.agreements[w] = score.agreements;
    scores.seconds[w] = seconds;
  }

  void tell(ProgressLine& progress, std::size_t piece) const {
    const std::size_t windows = job_.plan.windows.size();
    const double done = static_cast<double>(piece + 1) / static_cast<double>(speaks_for_.size());
    progress.update(done, piece < windows ? window_line(piece) : item_line(piece - windows));
  }

  std::string window_line(std::size_t w) const {
    return fmt::format("window {} of {} | perplexity {:.4e}", w + 1, job_.plan.windows.size(),
                       std::exp(result_.mean(job_, result_.scores.negative_log_likelihood)));
  }

  std::string item_line(std::size_t i) const {
    const auto task = std::ranges::find_if(
        job_.tasks.tasks, [&](const Task& one) { return i < one.first + one.count; });
    return fmt::format("{}: item {} of {}", task->name, i - task->first + 1, task->count);
  }

  /// Of each piece one rank at most gives numbers, the others zero.
  void gather_scores() {
    std::vector<std::int64_t> is_done(speaks_for_.begin(), speaks_for_.end());
    world_.sum(std::span(is_done));
    const auto sum = [&](auto& values, const std::vector<std::size_t>& pieces, auto unknown) {
      for (std::size_t v = 0; v < values.size(); ++v)
        if (!speaks_for_[pieces[v]]) values[v] = 0;
      world_.sum(std::span(values));
      for (std::size_t v = 0; v < values.size(); ++v)
        if (is_done[pieces[v]] == 0) values[v] = unknown;
    };
    WindowScores& scores = result_.scores;
    std::vector<std::size_t> windows(scores.size()), items;
    std::iota(windows.begin(), windows.end(), std::size_t{0});
    for (auto* values : {&scores.negative_log_likelihood, &scores.divergence, &scores.seconds})
      sum(*values, windows, nan);
    sum(scores.agreements, windows, -1);
    for (std::size_t i = 0; i < first_choices_.size(); ++i)
      items.insert(items.end(), job_.tasks.items[i].choices.size(), windows.size() + i);
    if (!items.empty()) sum(result_.tasks.log_likelihood, items, nan);
    result_.loop_tokens = world_.sum(result_.loop_tokens);
  }

  void end_if_stopped() const {
    if (world_.max(stopped_.get() ? 1 : 0) == 0) return;
    parallel::agree_on_failure(world_, [&] {
      if (world_.rank() == 0 && control_.save) control_.save(result_);
    });
    parallel::agree_between_teams(world_, teams_.team(), [&] { stopped_.rethrow(); });
  }

  /// The first team speaks; rank 0 is in it.
  void continue_prompts(const LanguageModel& model) {
    const GenerateOptions& generate = job_.options.generate;
    if (teams_.index() != 0) return;
    const ProfileStage stage("generation");
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
  const EvaluationControl& control_;
  const parallel::Teams& teams_;
  EvaluationResult result_;                 ///< while pieces are scored, what this team knows
  std::vector<std::size_t> first_choices_;  ///< of each item to score, among all choices
  std::vector<std::size_t> unknown_;        ///< pieces to score, for the teams in turn
  std::vector<char> speaks_for_;            ///< pieces whose scores this rank gives to all
  bool has_scored_ = false;                 ///< a piece, in this run
  parallel::PostponedFailure stopped_;
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

WindowScores WindowScores::unknown(std::size_t windows) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> values(windows, nan);
  return {values, values, std::vector<std::int64_t>(windows, -1), values};
}

bool WindowScores::is_known(std::size_t window) const {
  return !std::isnan(negative_log_likelihood[window]);
}

Score score_of_loss(double loss) {
  return {.loss = loss,
          .metrics = {{"perplexity",
                       "exponential of the mean negative log-likelihood of the scored tokens",
                       std::exp(loss)}}};
}

Score EvaluationResult::score(const EvaluationJob& job) const {
  const double loss = mean(job, scores.negative_log_likelihood);
  Score score = job.plan.windows.empty() ? Score{.loss = loss} : score_of_loss(loss);
  if (!tasks.log_likelihood.empty())
    for (Metric& metric : task_metrics(job.tasks, tasks))
      score.metrics.push_back(std::move(metric));
  for (std::size_t w = 0; w < scores.size(); ++w)
    score.part_losses.push_back(scores.negative_log_likelihood[w] /
                                static_cast<double>(job.plan.windows[w].scored()));
  score.seconds = loop_seconds;
  return score;
}

EvaluationResult evaluate(const EvaluationJob& job, const Communicator& world,
                          const EvaluationControl& control) {
  const parallel::Teams teams(world, static_cast<int>(job.options.parallel.teams));
  return Evaluation(job, world, teams, control).run();
}

EvaluationResult score_model(const EvaluationJob& job, const Communicator& world,
                             const parallel::Teams& teams, const LanguageModel& model,
                             const EvaluationControl& control) {
  return Evaluation(job, world, teams, control).run(model);
}

}  // namespace rankine::models
