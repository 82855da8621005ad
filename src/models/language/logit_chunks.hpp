// Work on the logits of many tokens, a chunk of tokens at a time: the matrix of all logits is never
// whole, and no rank holds the columns of another.
#pragma once

#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include <algorithm>
#include <span>
#include <vector>

#include "models/language/language_model.hpp"
#include "models/language/logit_parts.hpp"

namespace rankine::models {

/// Calls work(first, count) for the chunks of `tokens`. All ranks of a team use the same chunks,
/// those of the rank with most columns.
template <class Work>
void for_each_chunk(const LanguageModel& model, std::int64_t tokens, Work&& work) {
  const std::int64_t chunk = tokens_per_chunk(model.head().split().count(0));
  for (std::int64_t first = 0; first < tokens; first += chunk)
    work(first, std::min(chunk, tokens - first));
}

/// Of this rank's logits in the vocabulary.
inline std::int64_t first_column(const LanguageModel& model) {
  return model.head().split().first(model.team().rank());
}

/// What the ranks of a team know of each token, put together on all of them. Collective.
template <class Part>
std::vector<Part> merged(const parallel::Communicator& team, std::vector<Part> own) {
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

template <class T>
std::span<T> chunk_of(std::span<T> values, std::int64_t first, std::int64_t count) {
  if (values.empty()) return values;
  return values.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
}

template <class T>
std::span<T> span_of(const torch::Tensor& values) {
  return {values.data_ptr<std::remove_const_t<T>>(), static_cast<std::size_t>(values.numel())};
}

/// The tensors of the head's parameters.
inline std::vector<torch::Tensor> head_parameters(const LanguageModel& model) {
  std::vector<torch::Tensor> tensors;
  for (const weights::Parameter& parameter : model.head().parameters())
    tensors.push_back(parameter.values);
  return tensors;
}

/// The backward pass of a loss over logits: makes those of a chunk anew, lets `to_gradient(logits,
/// first, count)` replace them by their gradients, and returns the gradients of `hidden` and, where
/// they want one, of the head's parameters. Collective over the team.
template <class ToGradient>
torch::autograd::variable_list backward_in_chunks(const LanguageModel& model,
                                                  const torch::Tensor& hidden,
                                                  ToGradient&& to_gradient) {
  std::vector<torch::Tensor> wanted, of_wanted;
  const std::vector<torch::Tensor> parameters = head_parameters(model);
  for (const torch::Tensor& parameter : parameters)
    if (parameter.requires_grad()) wanted.push_back(parameter);
  torch::Tensor of_hidden = torch::empty_like(hidden);
  for_each_chunk(model, hidden.size(0), [&](std::int64_t first, std::int64_t count) {
    const torch::AutoGradMode with_gradients(true);
    const torch::Tensor leaf =
        hidden.narrow(0, first, count).detach().contiguous().requires_grad_(true);
    const torch::Tensor logits = model.head().forward(leaf);
    torch::Tensor gradient = logits.detach().clone();
    to_gradient(gradient, first, count);
    torch::autograd::variable_list leaves{leaf};
    leaves.insert(leaves.end(), wanted.begin(), wanted.end());
    const auto chunk =
        torch::autograd::grad({logits}, leaves, {gradient}, c10::nullopt, false, true);
    const torch::NoGradGuard no_gradients;
    of_hidden.narrow(0, first, count).copy_(chunk[0]);
    for (std::size_t i = 0; i < wanted.size(); ++i)
      of_wanted.size() <= i ? of_wanted.push_back(chunk[i + 1])
                            : static_cast<void>(of_wanted[i].add_(chunk[i + 1]));
  });
  torch::autograd::variable_list all{of_hidden};
  std::size_t next = 0;
  for (const torch::Tensor& parameter : parameters)
    all.push_back(parameter.requires_grad() && next < of_wanted.size() ? of_wanted[next++]
                                                                       : torch::Tensor());
  return all;
}

}  // namespace rankine::models
