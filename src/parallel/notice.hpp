// A word that any rank may say to all others at any time, without anybody waiting for it.
#pragma once

#include <vector>

#include "parallel/communicator.hpp"

namespace rankine::parallel {

/// The first word that reaches a rank stays. Words need not reach all ranks in the same moment:
/// who acts on one together agrees first (Communicator::max).
class Notice {
 public:
  /// Collective over `ranks`.
  explicit Notice(const Communicator& ranks) : ranks_(ranks.duplicate()) {}
  Notice(const Notice&) = delete;
  Notice& operator=(const Notice&) = delete;

  /// Says `word`, which is not 0, to all ranks, unless this rank knows one already.
  void say(int word);
  /// The word this rank knows; 0 for none.
  int heard();

 private:
  Communicator ranks_;
  int word_ = 0;
  std::vector<Request> sent_;
};

}  // namespace rankine::parallel
