#include "weights/forms/stored_tensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "core/errors.hpp"
#include "weights/storage/four_bits.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

/// Tensors of other than two axes are stored in 4 bits as matrices: a line as one row.
struct StoredMatrix {
  std::int64_t rows;
  std::int64_t columns = 1;

  explicit StoredMatrix(const std::vector<std::int64_t>& shape)
      : rows(shape.size() == 1 ? 1 : shape[0]) {
    for (std::size_t axis = shape.size() == 1 ? 0 : 1; axis < shape.size(); ++axis)
      columns *= shape[axis];
  }
};

/// Whether no length is negative and all of them multiply to a number that can be counted.
bool is_countable(const std::vector<std::int64_t>& shape) {
  std::int64_t numbers = 1;
  for (const std::int64_t length : shape)
    if (length < 0 || __builtin_mul_overflow(numbers, std::max<std::int64_t>(length, 1), &numbers))
      return false;
  return !shape.empty();
}

}  // namespace

bool StoredTensors::has(const std::string& part) const { return find(part) || in_four_bits(part); }

bool StoredTensors::in_four_bits(const std::string& part) const {
  return !find(part) && find(part + ".codes");
}

std::optional<files::DataType> StoredTensors::type(const std::string& part) const {
  const files::TensorEntry* entry = find(part);
  return entry ? std::optional(entry->type) : std::nullopt;
}

std::vector<std::int64_t> StoredTensors::shape(const std::string& part) const {
  if (!in_four_bits(part)) return at(part).shape;
  const std::string lengths_of = part + ".shape";
  const Tensor lengths = integers(lengths_of, 0, length(lengths_of));
  const std::int64_t* begin = lengths.data_ptr<std::int64_t>();
  std::vector<std::int64_t> shape(begin, begin + lengths.numel());
  if (!is_countable(shape)) refuse(lengths_of, "it is no list of lengths");
  const StoredMatrix matrix(shape);
  if (at(part + ".codes").shape != std::vector{matrix.rows, (matrix.columns + 1) / 2})
    refuse(part + ".codes", "its shape");
  return shape;
}

std::int64_t StoredTensors::length(const std::string& part) const {
  const auto whole = shape(part);
  if (whole.size() != 1) refuse(part, "it has not one axis");
  return whole[0];
}

Tensor StoredTensors::rows(const std::string& part, std::int64_t first, std::int64_t count) const {
  const auto whole = shape(part);
  if (in_four_bits(part)) return four_bit_rows(part, whole, first, count);
  return read_checked_rows(source_.file, source_.name + "." + part, whole, first, count,
                           source_.type);
}

Tensor StoredTensors::integers(const std::string& part, std::int64_t first,
                               std::int64_t count) const {
  const files::TensorEntry& entry = at(part);
  if (files::is_floating_point(entry.type)) refuse(part, "it holds no integers");
  if (entry.shape.empty()) refuse(part, "it has no rows");
  std::vector<std::int64_t> own = entry.shape;
  own[0] = count;
  Tensor values = torch::empty(own, torch::kFloat64);
  source_.file.read_rows(
      entry, first, count,
      std::span(values.data_ptr<double>(), static_cast<std::size_t>(values.numel())));
  return values.to(torch::kInt64);
}

Tensor StoredTensors::four_bit_rows(const std::string& part, const std::vector<std::int64_t>& whole,
                                    std::int64_t first, std::int64_t count) const {
  const StoredMatrix matrix(whole);
  const std::int64_t blocks = (matrix.columns + four_bit_block - 1) / four_bit_block;
  const auto read = [&](const std::string& piece, std::int64_t columns) {
    if (at(part + piece).shape != std::vector{matrix.rows, columns})
      refuse(part + piece, "its shape");
    return whole.size() == 1 ? piece_rows(part + piece, 0, 1)
                             : piece_rows(part + piece, first, count);
  };
  const FourBitBlocks stored{read(".codes", (matrix.columns + 1) / 2), read(".minima", blocks),
                             read(".steps", blocks)};
  std::vector<std::int64_t> own = whole;
  if (whole.size() > 1) own[0] = count;
  return values_of(stored, matrix.columns, source_.type).view(own);
}

Tensor StoredTensors::piece_rows(const std::string& part, std::int64_t first,
                                 std::int64_t count) const {
  const bool are_codes = part.ends_with(".codes");
  if (at(part).type != (are_codes ? files::DataType::uint8 : files::DataType::float16))
    refuse(part, "its type");
  if (are_codes) return integers(part, first, count).to(torch::kUInt8);
  return read_checked_rows(source_.file, source_.name + "." + part, at(part).shape, first, count,
                           torch::kFloat32)
      .to(torch::kFloat16);
}

std::vector<Parameter> StoredTensors::four_bit_parts(const Parameter& parameter) const {
  const auto whole = shape(parameter.name);
  const bool is_line = whole.size() == 1;
  const std::int64_t first = is_line ? 0 : parameter.first_row;
  const std::int64_t count = is_line ? 1 : parameter.values.size(0);
  std::vector<Parameter> parts;
  for (const char* piece : {".codes", ".minima", ".steps"}) {
    const std::string part = parameter.name + piece;
    parts.push_back({part, piece_rows(part, first, count), parameter.placement, first,
                     StoredMatrix(whole).rows});
  }
  const Tensor lengths = torch::tensor(whole, torch::kInt64).to(torch::kInt32);
  parts.push_back({parameter.name + ".shape", lengths, Placement::copy, 0, lengths.size(0)});
  return parts;
}

void StoredTensors::require_just(const std::vector<files::TensorPlan>& plan) const {
  const std::string begin = source_.name + ".";
  const auto& entries = source_.file.entries();
  std::size_t held = 0;
  for (auto entry = std::ranges::lower_bound(entries, begin, {}, &files::TensorEntry::name);
       entry != entries.end() && entry->name.starts_with(begin); ++entry) {
    if (entry->name == begin + "bias") continue;
    const auto planned = std::ranges::find(plan, entry->name, &files::TensorPlan::name);
    const std::string part = entry->name.substr(begin.size());
    if (planned == plan.end()) refuse(part, "the form of the other tensors has none of this name");
    if (entry->shape != planned->shape) refuse(part, "its shape");
    if (entry->type != planned->type) refuse(part, "its type");
    ++held;
  }
  if (held != plan.size()) refuse(plan[0].name.substr(begin.size()), "others are missing");
}

void StoredTensors::refuse(const std::string& part, const std::string& reason) const {
  throw InputError(
      fmt::format("the tensor {}.{} does not fit the weight ({}). Get the compressed model again.",
                  source_.name, part, reason));
}

}  // namespace rankine::weights
