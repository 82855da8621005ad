#include "models/losses.hpp"

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>

#include "core/contracts.hpp"
#include "weights/element_type.hpp"
#include "weights/exchange.hpp"

namespace rankine::models {

using parallel::Communicator;
using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;
using weights::with_element_type;

namespace {

/// Calls work(first, count) for the chunks of `tokens`. All ranks of a team use the same chunks,
/// those of the rank with most columns.
template <class Work>
void for_each_chunk(const LanguageModel& model, std::int64_t tokens, Work&& work) {
  const std::int64_t chunk = tokens_per_chunk(model.head().split().count(0));
  for (std::int64_t first = 0; first < tokens; first += chunk)
    work(first, std::min(chunk, tokens - first));
}

std::int64_t first_column(const LanguageModel& model) {
  return model.head().split().first(model.team().rank());
}

template <class Part>
std::vector<Part> merged(const Communicator& team, std::vector<Part> own) {
  if (team.size() == 1) return own;
  const std::vector<std::int64_t> counts(static_cast<std::size_t>(team.size()),
                                         static_cast<std::int64_t>(own.size()));
  std::vector<Part> all(own.size() * counts.size());
  team.all_gather(std::span<const Part>(own), std::span<const std::int64_t>(counts),
                  std::span<Part>(all));
  for (std::size_t t = 0; t < own.size(); ++t) {
    Part part;
    for (std::size_t rank = 0; rank < counts.size(); ++rank) part.merge(all[rank * own.size() + t]);
    own[t] = part;
  }
  return own;
}

template <class Part>
std::span<Part> chunk_of(std::vector<Part>& parts, std::int64_t first, std::int64_t count) {
  return std::span(parts).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
}

std::span<const std::int64_t> chunk_of(std::span<const std::int64_t> targets, std::int64_t first,
                                       std::int64_t count) {
  if (targets.empty()) return targets;
  return targets.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
}

void measure_chunk(const LanguageModel& model, const Tensor& logits,
                   std::span<const std::int64_t> targets, std::span<LogitPart> parts) {
  with_element_type(logits, [&]<class T>(T) {
    measure_logits<T>(logits.data_ptr<T>(), logits.size(1), first_column(model), targets, parts);
  });
}

/// Gradients of one chunk's weighted losses: of its hidden states, then of the head's parameters.
variable_list chunk_gradients(const LanguageModel& model, const Tensor& hidden,
                              const std::vector<Tensor>& parameters,
                              std::span<const std::int64_t> targets,
                              std::span<const double> log_sums, std::span<const double> weights) {
  const torch::AutoGradMode with_gradients(true);
  const Tensor leaf = hidden.detach().contiguous().requires_grad_(true);
  const Tensor logits = model.head().forward(leaf);
  Tensor gradient = logits.detach().clone();
  with_element_type(gradient, [&]<class T>(T) {
    logits_to_gradient<T>(gradient.data_ptr<T>(), gradient.size(1), first_column(model), targets,
                          log_sums, weights);
  });
  variable_list leaves{leaf};
  for (const Tensor& parameter : parameters)
    if (parameter.requires_grad()) leaves.push_back(parameter);
  return torch::autograd::grad({logits}, leaves, {gradient}, c10::nullopt, false, true);
}

std::vector<Tensor> head_parameters(const LanguageModel& model) {
  std::vector<Tensor> tensors;
  for (const weights::Parameter& parameter : model.head().parameters())
    tensors.push_back(parameter.values);
  return tensors;
}

std::span<const std::int64_t> span_of(const Tensor& ids) {
  return {ids.data_ptr<std::int64_t>(), static_cast<std::size_t>(ids.numel())};
}

struct TokenLosses : Function<TokenLosses> {
  static Tensor forward(AutogradContext* context, const LanguageModel* model, const Tensor& hidden,
                        const Tensor& targets, at::TensorList) {
    const std::vector<LogitPart> parts = score_tokens(*model, hidden, span_of(targets));
    Tensor losses = torch::empty({hidden.size(0)}, torch::kFloat64);
    Tensor log_sums = torch::empty_like(losses);
    for (std::size_t t = 0; t < parts.size(); ++t) {
      losses.data_ptr<double>()[t] = parts[t].negative_log_likelihood();
      log_sums.data_ptr<double>()[t] = parts[t].log_sum();
    }
    context->saved_data["model"] = reinterpret_cast<std::int64_t>(model);
    context->save_for_backward({hidden, targets, log_sums});
    return losses;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto* model =
        reinterpret_cast<const LanguageModel*>(context->saved_data["model"].toInt());
    const variable_list saved = context->get_saved_variables();
    const Tensor &hidden = saved[0], weights = gradients[0].contiguous();
    const std::vector<Tensor> parameters = head_parameters(*model);
    const auto part = [](const Tensor& values, std::int64_t first, std::int64_t count) {
      return std::span<const double>(values.data_ptr<double>() + first,
                                     static_cast<std::size_t>(count));
    };
    Tensor of_hidden = torch::empty_like(hidden);
    variable_list of_parameters(parameters.size());
    for_each_chunk(*model, hidden.size(0), [&](std::int64_t first, std::int64_t count) {
      const variable_list chunk =
          chunk_gradients(*model, hidden.narrow(0, first, count), parameters,
                          chunk_of(span_of(saved[1]), first, count), part(saved[2], first, count),
                          part(weights, first, count));
      of_hidden.narrow(0, first, count).copy_(chunk[0]);
      std::size_t next = 1;
      for (std::size_t i = 0; i < parameters.size(); ++i) {
        if (!parameters[i].requires_grad()) continue;
        const Tensor& gradient = chunk[next++];
        of_parameters[i] = of_parameters[i].defined() ? of_parameters[i].add_(gradient) : gradient;
      }
    });
    variable_list all{Tensor(), of_hidden, Tensor()};
    all.insert(all.end(), of_parameters.begin(), of_parameters.end());
    return all;
  }
};

}  // namespace

std::vector<LogitPart> score_tokens(const LanguageModel& model, const Tensor& hidden,
                                    std::span<const std::int64_t> targets) {
  const torch::NoGradGuard no_gradients;
  std::vector<LogitPart> parts(static_cast<std::size_t>(hidden.size(0)));
  for_each_chunk(model, hidden.size(0), [&](std::int64_t first, std::int64_t count) {
    measure_chunk(model, model.head().forward(hidden.narrow(0, first, count)),
                  chunk_of(targets, first, count), chunk_of(parts, first, count));
  });
  return merged(model.team(), std::move(parts));
}

ComparedTokens compare_tokens(const LanguageModel& model, const Tensor& hidden,
                              const LanguageModel& reference, const Tensor& reference_hidden,
                              std::span<const std::int64_t> targets) {
  RANKINE_EXPECTS(model.config().vocabulary_size == reference.config().vocabulary_size,
                  "both models have one vocabulary");
  const torch::NoGradGuard no_gradients;
  ComparedTokens tokens{std::vector<LogitPart>(static_cast<std::size_t>(hidden.size(0))),
                        std::vector<ComparisonPart>(static_cast<std::size_t>(hidden.size(0)))};
  for_each_chunk(model, hidden.size(0), [&](std::int64_t first, std::int64_t count) {
    const Tensor own = model.head().forward(hidden.narrow(0, first, count));
    const Tensor other = reference.head().forward(reference_hidden.narrow(0, first, count));
    measure_chunk(model, own, chunk_of(targets, first, count),
                  chunk_of(tokens.model, first, count));
    with_element_type(own, [&]<class T>(T) {
      compare_logits<T>(other.data_ptr<T>(), own.data_ptr<T>(), own.size(1), first_column(model),
                        chunk_of(tokens.reference, first, count));
    });
  });
  return {merged(model.team(), std::move(tokens.model)),
          merged(model.team(), std::move(tokens.reference))};
}

Tensor token_losses(const LanguageModel& model, const Tensor& hidden, const Tensor& targets) {
  const Tensor shared = weights::share_input(model.team(), hidden);
  const std::vector<Tensor> parameters = head_parameters(model);
  return TokenLosses::apply(&model, shared, targets.contiguous(), at::TensorList(parameters));
}

}  // namespace rankine::models
