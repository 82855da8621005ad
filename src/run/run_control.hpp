// What the work of a program is given by the frame around it: how it stops, what it keeps.
#pragma once

#include <functional>

#include "deck/difference.hpp"
#include "run/run_options.hpp"
#include "run/stop_request.hpp"

namespace rankine::run {

struct RunControl {
  const RunOptions& options;
  StopRequest& stop;
  deck::DeckValues values;  ///< of the deck, those that count
  std::function<void()> save =
      {};  ///< puts the results so far on disk; rank 0 alone, without others
};

}  // namespace rankine::run
