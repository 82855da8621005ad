#include "compress/job/compression_result.hpp"

namespace rankine::compress {

std::int64_t CompressionResult::parameters() const {
  std::int64_t sum = 0;
  for (const WeightReport& weight : weights) sum += weight.numbers;
  return sum;
}

std::int64_t CompressionResult::bytes() const {
  std::int64_t sum = 0;
  for (const WeightReport& weight : weights) sum += weight.bytes;
  return sum;
}

}  // namespace rankine::compress
