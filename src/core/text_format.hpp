// How counts, byte counts and durations look to people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rankine {

/// "1 rank", "3 ranks"; `plural` for words that do not just take an s.
std::string counted(std::int64_t count, std::string_view singular, std::string_view plural = {});

/// "512 B", "1.5 KiB", "23.4 GiB": binary prefixes, one decimal; "4.6e+60 EiB" beyond what any
/// machine has. Takes forecasts, which know no largest number.
std::string format_bytes(double bytes);

/// "0.25 s", "12.3 s", "3 min 05 s", "2 h 07 min", "3 d 04 h"; "?" if not finite or negative.
std::string format_duration(double seconds);

}  // namespace rankine
