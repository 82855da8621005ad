#include "compress/calibration/paired_streams.hpp"

#include <algorithm>

#include "core/contracts.hpp"
#include "weights/rows/exchange.hpp"
#include "weights/rows/row_exchange.hpp"

namespace rankine::compress {

using models::Batch;
using models::Network;
using models::Observation;
using models::Observer;
using models::Slot;
using models::Stage;
using parallel::Communicator;
using parallel::Teams;
using torch::Tensor;

namespace {

/// Ends a pass where all that was wanted has been seen; on all ranks of the team at once.
struct SeenEnough {};

/// What slots answer in a pass, on the ranks of a team; which of them comes first does not matter.
class SeenOutputs {
 public:
  /// `seen` is called when all have answered.
  SeenOutputs(
      Network& network, const std::vector<const Slot*>& slots, std::function<void()> seen = [] {})
      : own_(slots.size()), missing_(slots.size()), seen_(std::move(seen)) {
    for (std::size_t s = 0; s < slots.size(); ++s)
      observations_.emplace_back(
          network.slot(slots[s]->name()),
          Observer{.of_outputs = [this, s](const Tensor& y) { keep(s, y.detach()); }});
  }
  SeenOutputs(const SeenOutputs&) = delete;

  /// Own columns of each.
  const std::vector<Tensor>& own() const { return own_; }

 private:
  void keep(std::size_t s, const Tensor& y) {
    own_[s] = y;
    if (--missing_ == 0) seen_();
  }

  std::vector<Tensor> own_;
  std::size_t missing_;
  std::function<void()> seen_;
  std::vector<Observation> observations_;
};

/// Slots whose outputs are added to the activation that passes before that of `slot`.
std::vector<const Slot*> added_before(const Stage& stage, const Slot* slot) {
  const auto& added = stage.added_slots;
  return {added.begin(), std::ranges::find(added, slot)};
}

/// The activation that passes, where outputs of `slots` have been added: tokens x width.
Tensor stream(const Communicator& team, const Tensor& x, const std::vector<const Slot*>& slots,
              const SeenOutputs& seen) {
  Tensor sum = x;
  for (std::size_t s = 0; s < slots.size(); ++s)
    sum = sum + weights::gather_columns(team, seen.own()[s], slots[s]->weight()->split(),
                                        weights::Gradient::same);
  return sum;
}

/// What each token counts where outputs are added to a stream: the next norm divides the stream by
/// its size, and a few tokens have a hundred times that of others.
Tensor counts_of(const Tensor& stream) {
  return stream.square().mean(1, true).clamp_min(1e-30).rsqrt();
}

}  // namespace

PairedStreams::PairedStreams(Network& network, const Communicator& world, const Teams& teams,
                             const std::vector<Batch>& batches, std::function<void()> between)
    : network_(network), world_(world), teams_(teams), between_(std::move(between)) {
  for (auto b = static_cast<std::size_t>(teams.index()); b < batches.size();
       b += static_cast<std::size_t>(teams.count()))
    originals_.push_back(batches[b].inputs);
  changed_ = originals_;
  behind_.resize(originals_.size());
}

std::shared_ptr<weights::Weight> PairedStreams::original(const Slot& slot) const {
  const auto found = replaced_.find(slot.name());
  return found == replaced_.end() ? slot.weight() : found->second;
}

void PairedStreams::replace(const std::string& slot, std::shared_ptr<weights::Weight> weight) {
  replaced_.try_emplace(slot, network_.slot(slot).weight());
  network_.replace_weight(slot, std::move(weight));
  has_changed_ = true;
}

std::optional<Tensor> PairedStreams::pass_original(const Stage& stage, std::size_t b) {
  models::TemporaryWeights back(network_);
  for (const auto& [slot, weight] : replaced_) back.replace(slot, weight);
  try {
    return stage.forward(originals_[b]);
  } catch (const SeenEnough&) {
    return std::nullopt;
  }
}

PairedStreams::Question PairedStreams::question(const Stage& stage,
                                                const std::vector<const Slot*>& group,
                                                TargetOutput output) const {
  const Slot* last = group.back();
  const bool is_added = std::ranges::find(stage.added_slots, last) != stage.added_slots.end();
  const bool is_of_stream = output == TargetOutput::of_stream && is_added;
  return {.stage = stage,
          .group = group,
          .is_of_stream = is_of_stream,
          .added = is_of_stream ? added_before(stage, last) : std::vector<const Slot*>{}};
}

PairedStreams::Answers PairedStreams::ask_original(const Question& question, std::size_t b) {
  // The last group's pass leads behind the stage at no cost.
  const bool goes_on =
      !question.added.empty() || question.group.back() == question.stage.slots.back();
  const SeenOutputs added(network_, question.added);
  const SeenOutputs own(network_, question.group, [&] {
    if (!goes_on) throw SeenEnough();
  });
  if (auto behind = pass_original(question.stage, b)) behind_[b] = *behind;
  Answers answers{.own = own.own()};
  if (question.is_of_stream)
    answers.stream = stream(teams_.team(), originals_[b], question.added, added);
  return answers;
}

PairedStreams::Reading PairedStreams::read_changed(const Question& question, std::size_t b) {
  Reading reading;
  const SeenOutputs added(network_, question.added);
  const Observation end(network_.slot(question.group.front()->name()),
                        {.of_inputs = [&](const Tensor& x) {
                          reading.inputs = x.detach();
                          if (question.added.empty()) throw SeenEnough();
                        }});
  try {
    question.stage.forward(changed_[b]);
  } catch (const SeenEnough&) {
  }
  if (question.is_of_stream)
    reading.stream = stream(teams_.team(), changed_[b], question.added, added);
  return reading;
}

void PairedStreams::add(TargetMoments& sums, const Question& question, const Answers& answers,
                        const Reading& reading) const {
  const Tensor counts = question.is_of_stream ? counts_of(answers.stream) : Tensor();
  const Tensor inputs = counts.defined() ? reading.inputs * counts : reading.inputs;
  sums.inputs.add(inputs);
  for (std::size_t k = 0; k < question.group.size(); ++k) {
    Tensor wanted = answers.own[k];
    if (question.is_of_stream) {
      const auto own =
          weights::range_of(question.group[k]->weight()->split(), teams_.team().rank());
      wanted = wanted + (answers.stream - reading.stream).narrow(1, own.first, own.count);
      wanted = wanted * counts;
    }
    sums.targets[k].add_(wanted.t().mm(inputs).to(torch::kFloat64));
  }
}

TargetMoments PairedStreams::measure(const Stage& stage, const std::vector<const Slot*>& group,
                                     TargetOutput output) {
  const torch::NoGradGuard no_gradients;
  const int rank = teams_.team().rank();
  const std::int64_t inputs = group.back()->weight()->inputs();
  TargetMoments sums{.inputs = {teams_.team(), inputs, torch::kFloat64}, .targets = {}};
  for (const Slot* slot : group)
    sums.targets.push_back(
        torch::zeros({slot->weight()->split().count(rank), inputs}, torch::kFloat64));
  const Question asked = question(stage, group, output);
  for (std::size_t b = 0; b < originals_.size(); ++b) {
    const Answers answers = ask_original(asked, b);
    add(sums, asked, answers, read_changed(asked, b));
    between_();
  }
  if (teams_.count() == 1) return sums;
  for (std::size_t k = 0; k < group.size(); ++k) {
    const auto own = weights::range_of(group[k]->weight()->split(), rank);
    sums.targets[k] = weights::exchange_rows(world_, sums.targets[k], own, own);
  }
  return sums;
}

void PairedStreams::advance(const Stage& stage) {
  const torch::NoGradGuard no_gradients;
  for (std::size_t b = 0; b < originals_.size(); ++b) {
    const Tensor next = behind_[b].defined() ? behind_[b] : *pass_original(stage, b);
    changed_[b] = has_changed_ ? stage.forward(changed_[b]) : next;
    originals_[b] = next;
    behind_[b] = Tensor();
    between_();
  }
  replaced_.clear();
}

}  // namespace rankine::compress
