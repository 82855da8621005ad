#include "weights/stored_tensors.hpp"

#include <fmt/format.h>

#include <span>

#include "core/errors.hpp"
#include "weights/four_bits.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

/// Tensors of other than two axes are stored in 4 bits as matrices: a line as one row.
struct StoredMatrix {
  std::int64_t first_row;
  std::int64_t rows;
  std::int64_t columns;

  StoredMatrix(const std::vector<std::int64_t>& shape, std::int64_t first, std::int64_t count)
      : first_row(shape.size() == 1 ? 0 : first), rows(shape.size() == 1 ? 1 : count), columns(1) {
    for (std::size_t axis = shape.size() == 1 ? 0 : 1; axis < shape.size(); ++axis)
      columns *= shape[axis];
  }
};

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
  if (at(lengths_of).shape.size() != 1) refuse(lengths_of, "it is no list of lengths");
  const Tensor lengths = integers(lengths_of, 0, at(lengths_of).shape[0]);
  const std::int64_t* begin = lengths.data_ptr<std::int64_t>();
  for (std::int64_t axis = 0; axis < lengths.numel(); ++axis)
    if (begin[axis] < 0) refuse(lengths_of, "it has a negative length");
  return {begin, begin + lengths.numel()};
}

std::int64_t StoredTensors::length(const std::string& part) const {
  const auto whole = shape(part);
  if (whole.empty()) refuse(part, "it has no rows");
  return whole[0];
}

Tensor StoredTensors::rows(const std::string& part, std::int64_t first, std::int64_t count) const {
  const auto whole = shape(part);
  if (first + count > length(part)) refuse(part, "it has too few rows");
  if (in_four_bits(part)) return four_bit_rows(part, whole, first, count);
  return read_checked_rows(source_.file, source_.name + "." + part, whole, first, count,
                           source_.type);
}

Tensor StoredTensors::integers(const std::string& part, std::int64_t first,
                               std::int64_t count) const {
  const files::TensorEntry& entry = at(part);
  if (files::is_floating_point(entry.type)) refuse(part, "it holds no integers");
  if (entry.shape.empty() || first + count > entry.shape[0]) refuse(part, "it has too few rows");
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
  const StoredMatrix matrix(whole, first, count);
  const auto read = [&](const std::string& piece, std::int64_t columns) {
    const auto& stored = at(part + piece).shape;
    if (stored.size() != 2 || stored[1] != columns || stored[0] < matrix.first_row + matrix.rows)
      refuse(part + piece, "its shape");
    if ((piece == ".codes") != (at(part + piece).type == files::DataType::uint8))
      refuse(part + piece, "its type");
    return integers_or_halves(part + piece, matrix.first_row, matrix.rows);
  };
  const std::int64_t blocks = (matrix.columns + four_bit_block - 1) / four_bit_block;
  const FourBitBlocks stored{read(".codes", (matrix.columns + 1) / 2), read(".minima", blocks),
                             read(".steps", blocks)};
  std::vector<std::int64_t> own = whole;
  if (whole.size() > 1) own[0] = count;
  return values_of(stored, matrix.columns, source_.type).view(own);
}

Tensor StoredTensors::integers_or_halves(const std::string& part, std::int64_t first,
                                         std::int64_t count) const {
  if (at(part).type == files::DataType::uint8)
    return integers(part, first, count).to(torch::kUInt8);
  return read_checked_rows(source_.file, source_.name + "." + part, at(part).shape, first, count,
                           torch::kFloat32)
      .to(torch::kFloat16);
}

std::vector<Parameter> StoredTensors::four_bit_parts(const Parameter& parameter) const {
  const auto whole = shape(parameter.name);
  const std::int64_t count = parameter.values.size(0);
  const StoredMatrix matrix(whole, parameter.first_row, count);
  std::vector<Parameter> parts;
  for (const char* piece : {".codes", ".minima", ".steps"}) {
    const std::string part = parameter.name + piece;
    parts.push_back({part, integers_or_halves(part, matrix.first_row, matrix.rows),
                     parameter.placement, matrix.first_row, at(part).shape.at(0)});
  }
  const Tensor lengths = torch::tensor(whole, torch::kInt64).to(torch::kInt32);
  parts.push_back({parameter.name + ".shape", lengths, Placement::copy, 0, lengths.size(0)});
  return parts;
}

void StoredTensors::refuse(const std::string& part, const std::string& reason) const {
  throw InputError(
      fmt::format("the tensor {}.{} does not fit the weight ({}). Get the compressed model again.",
                  source_.name, part, reason));
}

}  // namespace rankine::weights
