#include "weights/rows/gather_rows.hpp"

#include <span>

#include "weights/rows/element_type.hpp"

namespace rankine::weights {

torch::Tensor gather_rows(const parallel::Communicator& team, const torch::Tensor& own,
                          const RowSplit& split) {
  RANKINE_EXPECTS(own.dim() == 2 && own.size(0) == split.count(team.rank()), "own rows are given");
  const torch::Tensor mine = own.detach().contiguous();
  std::vector<std::int64_t> counts;
  for (const std::int64_t rows : split.counts()) counts.push_back(rows * own.size(1));
  torch::Tensor all = torch::empty({split.total(), own.size(1)}, mine.options());
  with_element_type(mine, [&]<class T>(T) {
    team.all_gather(std::span<const T>(mine.data_ptr<T>(), static_cast<std::size_t>(mine.numel())),
                    std::span<const std::int64_t>(counts),
                    std::span<T>(all.data_ptr<T>(), static_cast<std::size_t>(all.numel())));
  });
  return all;
}

}  // namespace rankine::weights
