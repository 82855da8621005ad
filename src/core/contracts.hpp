// Preconditions of functions inside the library: checked in builds with RANKINE_CONTRACTS, free
// otherwise.
//
// A contract guards against a programmer's mistake. What a user can get wrong is an Error
// (errors.hpp), always checked.
#pragma once

#ifdef RANKINE_CONTRACTS
#include <stdexcept>
#include <string>
#define RANKINE_EXPECTS(condition, message)                                                        \
  do {                                                                                             \
    if (!(condition))                                                                              \
      throw std::logic_error(std::string("contract broken: ") + (message) + " [" #condition "] " + \
                             __FILE__ + ":" + std::to_string(__LINE__));                           \
  } while (false)
#else
#define RANKINE_EXPECTS(condition, message) \
  do {                                      \
  } while (false)
#endif
