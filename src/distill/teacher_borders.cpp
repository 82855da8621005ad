#include "distill/teacher_borders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <span>

#include "core/profile.hpp"
#include "core/progress.hpp"
#include "parallel/agreement.hpp"

namespace rankine::distill {

using parallel::Communicator;
using parallel::Teams;
using torch::Tensor;

namespace {

/// Images that pass the teacher at once.
constexpr std::int64_t images_at_once = 32;

/// The groups of ranks that pass samples through the teacher; the first rank of each sends what it
/// finds.
struct Units {
  std::vector<int> leads;
  int own = 0;
};

Units units_of(const Communicator& world, const Communicator& team) {
  int lead = world.rank();
  team.broadcast(std::span(&lead, 1), 0);
  Units units;
  for (const int each : world.all_gather(std::span<const int>(&lead, 1)))
    if (std::ranges::find(units.leads, each) == units.leads.end()) units.leads.push_back(each);
  units.own = static_cast<int>(std::ranges::find(units.leads, lead) - units.leads.begin());
  return units;
}

/// Where the samples of a rank go.
struct Place {
  std::int64_t team = 0, rank = 0, ranks = 0;
};

std::vector<Place> places_of(const Communicator& world, const Teams& teams) {
  const Place own{teams.index(), teams.team().rank(), teams.team().size()};
  return world.all_gather(std::span<const Place>(&own, 1));
}

/// The parts of the samples that units take, and what of them each rank wants.
class Delivery {
 public:
  Delivery(const Communicator& world, const Teams& teams, const Samples& samples,
           const SampleDeal& deal, Units units)
      : world_(world),
        samples_(samples),
        units_(std::move(units)),
        places_(places_of(world, teams)),
        part_(samples.sharing == Sharing::dealt ? images_at_once : 1) {
    for (const Place& place : places_) {
      auto& positions = positions_.emplace_back(static_cast<std::size_t>(samples.count), -1);
      std::int64_t position = 0;
      for (const std::int64_t sample :
           deal.samples_of(samples.sharing, int(place.rank), int(place.ranks)))
        positions[static_cast<std::size_t>(sample)] = position++;
      counts_.push_back(position);
    }
  }

  std::int64_t turns() const {
    const std::int64_t at_once = part_ * std::ssize(units_.leads);
    return (samples_.count + at_once - 1) / at_once;
  }
  /// The samples of a unit in a turn; maybe none.
  std::vector<std::int64_t> part(std::int64_t turn, int unit) const {
    const std::int64_t first = (turn * std::ssize(units_.leads) + unit) * part_;
    const std::int64_t count = std::clamp<std::int64_t>(samples_.count - first, 0, part_);
    std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
    std::iota(numbers.begin(), numbers.end(), first);
    return numbers;
  }
  std::vector<std::int64_t> own_part(std::int64_t turn) const { return part(turn, units_.own); }
  std::int64_t own_samples() const { return counts_[static_cast<std::size_t>(world_.rank())]; }

  /// Brings features of a turn (`own`, samples x ..., of this unit's part) to the ranks of the
  /// teams that want them, into `target`. Collective over the world.
  void deliver(std::int64_t turn, const std::vector<bool>& teams_that_want, const Tensor& own,
               const Tensor& target) const;

 private:
  /// Which of these samples `rank` has, as rows of the part and as places of its own.
  struct Rows {
    std::vector<std::int64_t> of_part, of_rank;
  };
  Rows rows_for(const std::vector<std::int64_t>& part, std::size_t rank) const;

  const Communicator& world_;
  const Samples& samples_;
  Units units_;
  std::vector<Place> places_;
  std::int64_t part_;
  std::vector<std::vector<std::int64_t>> positions_;  ///< of each rank: of each sample, or -1
  std::vector<std::int64_t> counts_;
};

Delivery::Rows Delivery::rows_for(const std::vector<std::int64_t>& part, std::size_t rank) const {
  Rows rows;
  for (std::size_t i = 0; i < part.size(); ++i)
    if (const std::int64_t place = positions_[rank][static_cast<std::size_t>(part[i])];
        place >= 0) {
      rows.of_part.push_back(static_cast<std::int64_t>(i));
      rows.of_rank.push_back(place);
    }
  return rows;
}

std::span<std::byte> bytes_of(const Tensor& tensor) {
  return {static_cast<std::byte*>(tensor.data_ptr()), tensor.nbytes()};
}

Tensor numbers_of(const std::vector<std::int64_t>& values) {
  return torch::tensor(values, torch::kInt64);
}

void Delivery::deliver(std::int64_t turn, const std::vector<bool>& teams_that_want,
                       const Tensor& own, const Tensor& target) const {
  const auto ranks = static_cast<std::size_t>(world_.size());
  const auto own_rank = static_cast<std::size_t>(world_.rank());
  std::vector<Tensor> sent(ranks), received(ranks), places(ranks);
  std::vector<std::span<const std::byte>> out(ranks);
  std::vector<std::span<std::byte>> in(ranks);
  parallel::agree_on_failure(world_, [&] {
    if (units_.leads[static_cast<std::size_t>(units_.own)] == world_.rank() && own.defined())
      for (std::size_t rank = 0; rank < ranks; ++rank) {
        if (!teams_that_want[static_cast<std::size_t>(places_[rank].team)]) continue;
        sent[rank] = own.index_select(0, numbers_of(rows_for(own_part(turn), rank).of_part));
        out[rank] = bytes_of(sent[rank]);
      }
    if (!target.defined()) return;
    for (std::size_t u = 0; u < units_.leads.size(); ++u) {
      const auto lead = static_cast<std::size_t>(units_.leads[u]);
      places[lead] = numbers_of(rows_for(part(turn, static_cast<int>(u)), own_rank).of_rank);
      std::vector<std::int64_t> shape = target.sizes().vec();
      shape[0] = places[lead].size(0);
      received[lead] = torch::empty(shape, target.options());
      in[lead] = bytes_of(received[lead]);
    }
  });
  world_.exchange(std::span<const std::span<const std::byte>>(out),
                  std::span<const std::span<std::byte>>(in));
  for (std::size_t rank = 0; rank < ranks; ++rank)
    if (received[rank].defined()) Tensor(target).index_copy_(0, places[rank], received[rank]);
}

/// All borders up to the last one that is wanted of the samples of this unit; empty ones for none.
std::vector<Tensor> features_of(const models::Network& teacher, const Samples& samples,
                                const std::vector<std::int64_t>& part, std::size_t last) {
  std::vector<Tensor> borders(last + 1);
  if (part.empty()) return borders;
  const std::vector<models::Stage> stages = teacher.stages();
  borders[0] = samples.inputs(part);
  for (std::size_t s = 0; s < last; ++s)
    borders[s + 1] =
        pass(std::span(stages).subspan(s, 1), samples.sharing, borders[s]).contiguous();
  return borders;
}

/// Room for so many samples, each of the shape and the type that the first unit has found; nothing
/// for less than none.
Tensor room_for(const Communicator& world, int lead, const Tensor& own, std::int64_t samples) {
  std::vector<std::int64_t> shape;
  if (world.rank() == lead) {
    shape = own.sizes().vec();
    shape.push_back(static_cast<std::int64_t>(own.scalar_type()));
  }
  std::int64_t length = std::ssize(shape);
  world.broadcast(std::span(&length, 1), lead);
  shape.resize(static_cast<std::size_t>(length));
  world.broadcast(std::span(shape), lead);
  const auto type = static_cast<torch::ScalarType>(shape.back());
  shape.pop_back();
  shape[0] = samples;
  return parallel::agree_on_failure(
      world, [&] { return samples < 0 ? Tensor() : torch::empty(shape, type); });
}

/// Which teams want a border.
std::vector<bool> wish(const std::vector<std::set<std::size_t>>& wanted, std::size_t border) {
  std::vector<bool> teams;
  for (const auto& borders : wanted) teams.push_back(borders.contains(border));
  return teams;
}

}  // namespace

Borders pass_teacher(const models::Network& teacher, const Samples& samples, const SampleDeal& deal,
                     const Communicator& world, const Teams& teams,
                     const std::vector<std::set<std::size_t>>& wanted, run::StopRequest& stop) {
  const ProfileStage stage("teacher");
  const torch::NoGradGuard no_gradients;
  std::set<std::size_t> all;
  for (const auto& borders : wanted) all.insert(borders.begin(), borders.end());
  Borders own;
  if (all.empty()) return own;
  const std::size_t last = *all.rbegin();
  const auto& mine = wanted[static_cast<std::size_t>(teams.index())];
  const Units units = units_of(world, teacher.team());
  const Delivery delivery(world, teams, samples, deal, units);
  ProgressLine progress(world.rank() == 0 ? Output::shown : Output::silent);
  for (std::int64_t turn = 0; turn < delivery.turns(); ++turn) {
    const std::vector<Tensor> found = parallel::agree_between_teams(world, teacher.team(), [&] {
      return features_of(teacher, samples, delivery.own_part(turn), last);
    });
    for (const std::size_t border : all) {
      if (turn == 0)
        own[border] = room_for(world, units.leads[0], found[border],
                               mine.contains(border) ? delivery.own_samples() : -1);
      delivery.deliver(turn, wish(wanted, border), found[border], own[border]);
    }
    stop.check(world);
    progress.update(static_cast<double>(turn + 1) / static_cast<double>(delivery.turns()),
                    "features of the teacher");
  }
  std::erase_if(own, [](const auto& border) { return !border.second.defined(); });
  return own;
}

}  // namespace rankine::distill
