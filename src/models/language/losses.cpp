#include "models/language/losses.hpp"

#include <torch/csrc/autograd/custom_function.h>

#include "core/contracts.hpp"
#include "models/language/logit_chunks.hpp"
#include "weights/rows/element_type.hpp"
#include "weights/rows/exchange.hpp"

namespace rankine::models {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;
using weights::with_element_type;

namespace {

using Ids = std::span<const std::int64_t>;
using Numbers = std::span<const double>;

void measure_chunk(const LanguageModel& model, const Tensor& logits, Ids targets,
                   std::span<LogitPart> parts) {
  with_element_type(logits, [&]<class T>(T) {
    measure_logits<T>(logits.data_ptr<T>(), logits.size(1), first_column(model), targets, parts);
  });
}

/// A model in the notes of an autograd node; it outlives the backward pass.
void note_model(AutogradContext* context, const char* name, const LanguageModel* model) {
  context->saved_data[name] = reinterpret_cast<std::int64_t>(model);
}
const LanguageModel& noted_model(AutogradContext* context, const char* name) {
  return *reinterpret_cast<const LanguageModel*>(context->saved_data[name].toInt());
}

/// The root mean square of the gradient of each loss by a logit, over targets that the model itself
/// draws: sqrt(p (1 - p)). Its squares sum up to the diagonal of the Fisher information without the
/// noise of any draw.
Tensor expected_gradients(const Tensor& logits, const Tensor& log_sums, const Tensor& weights) {
  const auto of_rows = [&](const Tensor& numbers) {
    return numbers.to(logits.scalar_type()).unsqueeze(1);
  };
  const Tensor p = (logits - of_rows(log_sums)).exp_();
  return (p * (1 - p)).clamp_min_(0).sqrt_().mul_(of_rows(weights));
}

struct TokenLosses : Function<TokenLosses> {
  static Tensor forward(AutogradContext* context, const LanguageModel* model, const Tensor& hidden,
                        const Tensor& targets, at::TensorList) {
    const auto parts = score_tokens(*model, hidden, span_of<const std::int64_t>(targets));
    const Tensor losses = torch::empty({hidden.size(0)}, torch::kFloat64);
    const Tensor log_sums = torch::empty_like(losses);
    for (std::size_t t = 0; t < parts.size(); ++t) {
      losses.data_ptr<double>()[t] = parts[t].negative_log_likelihood();
      log_sums.data_ptr<double>()[t] = parts[t].log_sum();
    }
    note_model(context, "model", model);
    context->save_for_backward({hidden, targets, log_sums});
    return losses;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const LanguageModel& model = noted_model(context, "model");
    const variable_list saved = context->get_saved_variables();
    const Tensor weights = gradients[0].contiguous();
    variable_list found = backward_in_chunks(
        model, saved[0], [&](Tensor& logits, std::int64_t first, std::int64_t count) {
          if (model.head_slot().shows_output_gradients())
            model.head_slot().show_output_gradient(expected_gradients(
                logits, saved[2].narrow(0, first, count), weights.narrow(0, first, count)));
          with_element_type(logits, [&]<class T>(T) {
            logits_to_gradient<T>(logits.data_ptr<T>(), logits.size(1), first_column(model),
                                  chunk_of(span_of<const std::int64_t>(saved[1]), first, count),
                                  chunk_of(span_of<const double>(saved[2]), first, count),
                                  chunk_of(span_of<const double>(weights), first, count));
          });
        });
    found.insert(found.begin(), Tensor());      // the model
    found.insert(found.begin() + 2, Tensor());  // the targets
    return found;
  }
};

struct TokenDivergences : Function<TokenDivergences> {
  static Tensor forward(AutogradContext* context, const LanguageModel* model, const Tensor& hidden,
                        const LanguageModel* reference, const Tensor& reference_hidden,
                        at::TensorList) {
    const ComparedTokens tokens =
        compare_tokens(*model, hidden, *reference, reference_hidden, Ids());
    const Tensor divergences = torch::empty({hidden.size(0)}, torch::kFloat64);
    const Tensor log_sums = torch::empty_like(divergences);
    const Tensor reference_log_sums = torch::empty_like(divergences);
    for (std::size_t t = 0; t < tokens.model.size(); ++t) {
      divergences.data_ptr<double>()[t] = tokens.reference[t].divergence(tokens.model[t]);
      log_sums.data_ptr<double>()[t] = tokens.model[t].log_sum();
      reference_log_sums.data_ptr<double>()[t] = tokens.reference[t].reference.log_sum();
    }
    note_model(context, "model", model);
    note_model(context, "reference", reference);
    context->save_for_backward({hidden, reference_hidden, log_sums, reference_log_sums});
    return divergences;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const LanguageModel& model = noted_model(context, "model");
    const LanguageModel& reference = noted_model(context, "reference");
    const variable_list saved = context->get_saved_variables();
    const Tensor weights = gradients[0].contiguous();
    variable_list found = backward_in_chunks(
        model, saved[0], [&](Tensor& logits, std::int64_t first, std::int64_t count) {
          const torch::NoGradGuard no_gradients;
          const Tensor other = reference.head().forward(saved[1].narrow(0, first, count));
          with_element_type(logits, [&]<class T>(T) {
            divergence_to_gradient<T>(logits.data_ptr<T>(), other.data_ptr<T>(), logits.size(1),
                                      {chunk_of(span_of<const double>(saved[2]), first, count),
                                       chunk_of(span_of<const double>(saved[3]), first, count)},
                                      chunk_of(span_of<const double>(weights), first, count));
          });
        });
    found.insert(found.begin(), Tensor());                  // the model
    found.insert(found.begin() + 2, {Tensor(), Tensor()});  // the reference and its states
    return found;
  }
};

}  // namespace

std::vector<LogitPart> score_tokens(const LanguageModel& model, const Tensor& hidden, Ids targets) {
  const torch::NoGradGuard no_gradients;
  std::vector<LogitPart> parts(static_cast<std::size_t>(hidden.size(0)));
  for_each_chunk(model, hidden.size(0), [&](std::int64_t first, std::int64_t count) {
    measure_chunk(model, model.head().forward(hidden.narrow(0, first, count)),
                  chunk_of(targets, first, count), chunk_of(std::span(parts), first, count));
  });
  return merged(model.team(), std::move(parts));
}

ComparedTokens compare_tokens(const LanguageModel& model, const Tensor& hidden,
                              const LanguageModel& reference, const Tensor& reference_hidden,
                              Ids targets) {
  RANKINE_EXPECTS(model.config().vocabulary_size == reference.config().vocabulary_size,
                  "both models have one vocabulary");
  const torch::NoGradGuard no_gradients;
  ComparedTokens tokens{std::vector<LogitPart>(static_cast<std::size_t>(hidden.size(0))),
                        std::vector<ComparisonPart>(static_cast<std::size_t>(hidden.size(0)))};
  for_each_chunk(model, hidden.size(0), [&](std::int64_t first, std::int64_t count) {
    const Tensor own = model.head().forward(hidden.narrow(0, first, count));
    const Tensor other = reference.head().forward(reference_hidden.narrow(0, first, count));
    measure_chunk(model, own, chunk_of(targets, first, count),
                  chunk_of(std::span(tokens.model), first, count));
    with_element_type(own, [&]<class T>(T) {
      compare_logits<T>(other.data_ptr<T>(), own.data_ptr<T>(), own.size(1), first_column(model),
                        chunk_of(std::span(tokens.reference), first, count));
    });
  });
  return {merged(model.team(), std::move(tokens.model)),
          merged(model.team(), std::move(tokens.reference))};
}

Tensor token_losses(const LanguageModel& model, const Tensor& hidden, const Tensor& targets) {
  Tensor shared = weights::share_input(model.team(), hidden);
  if (model.head_slot().shows_output_gradients() && !shared.requires_grad())
    shared = shared.detach().requires_grad_(true);  // so that there is a backward pass to observe
  const std::vector<Tensor> parameters = head_parameters(model);
  return TokenLosses::apply(&model, shared, targets.contiguous(), at::TensorList(parameters));
}

Tensor token_divergences(const LanguageModel& model, const Tensor& hidden,
                         const LanguageModel& reference, const Tensor& reference_hidden) {
  const Tensor shared = weights::share_input(model.team(), hidden);
  const std::vector<Tensor> parameters = head_parameters(model);
  return TokenDivergences::apply(&model, shared, &reference, reference_hidden.detach(),
                                 at::TensorList(parameters));
}

}  // namespace rankine::models
