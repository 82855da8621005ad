// What every form of a weight must do: products, look-ups and gradients like the dense matrix it
// stands for, and the way to a checkpoint and back.
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <map>

#include "core/errors.hpp"
#include "files/safetensors/tensor_rows.hpp"
#include "forms_testing.hpp"
#include "weights/forms/dense.hpp"
#include "weights/forms/disentangled.hpp"
#include "weights/forms/low_rank.hpp"
#include "weights/forms/read_form.hpp"
#include "weights/forms/rotated.hpp"
#include "weights/forms/updated.hpp"
#include "weights/making/clustering.hpp"
#include "weights/making/codebooks.hpp"
#include "weights/making/conversion.hpp"
#include "weights/making/gauge_fixing.hpp"
#include "weights/making/matrix_product_factorisation.hpp"
#include "weights/rows/exchange.hpp"

namespace rankine::weights {
namespace {

using torch::Tensor;

using Make = std::function<std::unique_ptr<Weight>(const Tensor& whole, const RowSplit& split,
                                                   torch::ScalarType type)>;
struct FormCase {
  std::string name;
  Make make;
};

using MakeOfFactors =
    std::function<std::unique_ptr<Weight>(const RowSplit& split, const Tensor& own_left,
                                          const Tensor& own_right, torch::ScalarType type)>;

std::unique_ptr<Weight> factored(const Tensor& whole, const RowSplit& split, torch::ScalarType type,
                                 const MakeOfFactors& make) {
  const std::int64_t rank = std::max<std::int64_t>(1, std::min(whole.size(0), whole.size(1)) / 2);
  const Tensor left = random_matrix(whole.size(0), rank, 5);
  const Tensor right = own_part(whole.narrow(0, 0, rank), RowSplit::even(rank, world().size()));
  return make(split, own_part(left, split), right, type);
}

std::unique_ptr<Weight> pivoted_by(PivotSide side, const Tensor& whole, const RowSplit& split,
                                   torch::ScalarType type) {
  return factored(
      whole, split, type,
      [side](const RowSplit& rows, const Tensor& left, const Tensor& right, torch::ScalarType as) {
        return make_pivoted(world(), rows, left, right, as, {.side = side});
      });
}

std::unique_ptr<Weight> operator_of(const Tensor& whole, const RowSplit& split,
                                    torch::ScalarType type, int sites) {
  return make_matrix_product(world(), split, own_part(whole, split),
                             {.row_legs = balanced_legs(whole.size(0), sites),
                              .column_legs = balanced_legs(whole.size(1), sites),
                              .bond_dimension = 5},
                             type);
}

/// Of the matrix as 2 channels of at most 3 x 3 pixels.
std::unique_ptr<Weight> tucker_of(const Tensor& whole, const RowSplit& split,
                                  torch::ScalarType type, OutputFactor output) {
  const std::int64_t height = whole.size(1) % 3 == 0 ? 3 : 2;
  const KernelShape shape{whole.size(0), 2, height, whole.size(1) / 2 / height};
  return make_tucker(world(), split, random_factors(shape, output), type);
}

/// Layers of random blocks; none of blocks of 0.
Rotation random_rotation(std::int64_t width, std::int64_t block, torch::ScalarType type,
                         BlockGenerator generator = BlockGenerator::cayley) {
  if (block == 0) return {};
  Rotation rotation = identity_rotation(width, block, 2, type, generator);
  for (const RotationLayer& layer : rotation.layers())
    layer.generators.copy_(0.5 *
                           random_matrix(layer.generators.size(0), layer.generators.size(1), 71));
  return rotation;
}

struct Blocks {
  std::int64_t of_inputs, of_outputs;
  BlockGenerator generator = BlockGenerator::cayley;
};
Make rotated(const Make& base, const Blocks& blocks) {
  return [=](const Tensor& w, const RowSplit& split, torch::ScalarType type) {
    Rotation inputs = random_rotation(w.size(1), blocks.of_inputs, type, blocks.generator);
    Rotation outputs = random_rotation(w.size(0), blocks.of_outputs, type, blocks.generator);
    return std::make_unique<Rotated>(base(w, split, type), std::move(inputs), std::move(outputs));
  };
}

Make updated(const Make& base) {
  return [=](const Tensor& w, const RowSplit& split, torch::ScalarType type) {
    const Tensor left = random_matrix(w.size(0), 2, 81), right = random_matrix(2, w.size(1), 82);
    return std::make_unique<Updated>(base(w, split, type),
                                     own_part(left, split).to(type).contiguous(), right.to(type));
  };
}

/// Random gates on the legs that there are, some of determinant -1.
GateCircuit random_circuit(std::int64_t width, int seed, torch::ScalarType type) {
  std::vector<Tensor> gates;
  std::vector<BlockLayout> layouts;
  const int legs = std::min(2, qubits_of(width));
  if (legs > 0) layouts = brickwork({.gate_legs = legs, .depth = 2}, width);
  for (const BlockLayout& layout : layouts)
    gates.push_back(std::get<0>(at::linalg_qr(random_matrix(layout.size, layout.size, seed++))));
  return circuit_of(layouts, gates, type);
}

std::unique_ptr<Weight> disentangled_of(const Tensor& whole, const RowSplit& split,
                                        torch::ScalarType type) {
  const CutLegs rows = cut_legs(whole.size(0)), columns = cut_legs(whole.size(1));
  return std::make_unique<Disentangled>(
      world(), split,
      std::vector{random_matrix(rows.first * columns.first, 3, 71)
                      .view({1, rows.first, columns.first, 3})
                      .to(type),
                  random_matrix(3, rows.second * columns.second, 72)
                      .view({3, rows.second, columns.second, 1})
                      .to(type)},
      random_circuit(whole.size(0), 73, type), random_circuit(whole.size(1), 83, type));
}

std::vector<FormCase> form_cases() {
  const Make dense = [](const Tensor& w, const RowSplit& split, torch::ScalarType type) {
    return std::make_unique<Dense>(world(), split, own_part(w, split).to(type).clone());
  };
  const Make low_rank = [](const Tensor& w, const RowSplit& split, torch::ScalarType type) {
    return factored(
        w, split, type,
        [](const RowSplit& rows, const Tensor& left, const Tensor& right, torch::ScalarType as) {
          return make_low_rank(world(), rows, left, right, as);
        });
  };
  const Make row_pivoted = [](const Tensor& w, const RowSplit& split, torch::ScalarType type) {
    return pivoted_by(PivotSide::rows, w, split, type);
  };
  const Make column_pivoted = [](const Tensor& w, const RowSplit& split, torch::ScalarType type) {
    return pivoted_by(PivotSide::columns, w, split, type);
  };
  const Make two_sites = [](const Tensor& w, const RowSplit& split, torch::ScalarType type) {
    return operator_of(w, split, type, 2);
  };
  const Make three_sites = [](const Tensor& w, const RowSplit& split, torch::ScalarType type) {
    return operator_of(w, split, type, 3);
  };
  const Make clustered = [](const Tensor& w, const RowSplit& split, torch::ScalarType type) {
    return make_clustered(world(), split, own_part(w, split), {.clusters = 5}, type);
  };
  const Make with_outliers = [](const Tensor& w, const RowSplit& split, torch::ScalarType type) {
    return make_clustered(world(), split, own_part(w, split), {.clusters = 3, .outliers = 2}, type);
  };
  // Two rows share a codebook, whatever ranks they are on.
  const Make with_books = [](const Tensor& w, const RowSplit& split, torch::ScalarType type) {
    const Codebooks books =
        make_codebooks(w, {}, {.clusters = 3, .rows_per_book = 2, .outliers = 2, .rounds = 0});
    Outliers outliers = books.outliers;
    outliers.values = outliers.values.to(type);
    return std::make_unique<Clustered>(world(), split, books.values.to(type),
                                       own_part(books.codes, split), std::move(outliers));
  };
  const Make tucker = [](const Tensor& w, const RowSplit& split, torch::ScalarType type) {
    return tucker_of(w, split, type, OutputFactor::half);
  };
  const Make rows_in_core = [](const Tensor& w, const RowSplit& split, torch::ScalarType type) {
    return tucker_of(w, split, type, OutputFactor::none);
  };
  std::vector<FormCase> cases{{"low-rank", low_rank},
                              {"pivot rows", row_pivoted},
                              {"pivot columns", column_pivoted},
                              {"two sites", two_sites},
                              {"three sites", three_sites},
                              {"disentangled", disentangled_of},
                              {"clustered", clustered},
                              {"outliers", with_outliers},
                              {"codebooks of rows", with_books},
                              {"tucker", tucker},
                              {"rows in the core", rows_in_core},
                              {"blocks on inputs", rotated(low_rank, {2, 0})},
                              {"blocks on outputs", rotated(dense, {0, 3})},
                              {"blocks on both sides", rotated(clustered, {2, 3})},
                              {"free blocks", rotated(dense, {2, 3, BlockGenerator::free})},
                              {"update", updated(two_sites)}};
  return cases;
}

/// Every form in every storage.
std::vector<FormCase> quantized_cases() {
  std::vector<FormCase> cases;
  for (const Storage storage : {Storage::bfloat16, Storage::float16, Storage::four_bits})
    for (const FormCase& form : form_cases())
      cases.push_back({form.name + " in " + std::string(name(storage)),
                       [=](const Tensor& w, const RowSplit& split, torch::ScalarType type) {
                         auto weight = form.make(w, split, type);
                         weight->round_to(storage);
                         return weight;
                       }});
  return cases;
}

/// More ranks than rows; uneven blocks; units that leave ranks without rows.
struct Shape {
  std::int64_t rows, columns, unit;
};
const std::vector<Shape> shapes{{3, 4, 1}, {12, 8, 1}, {12, 18, 6}};

RowSplit split_of(const Shape& shape) {
  return RowSplit::even(shape.rows, world().size(), shape.unit);
}

/// Calls check(weight, shape) for every form and shape.
template <class Check>
void for_each_weight(const std::vector<FormCase>& forms, torch::ScalarType type, Check&& check) {
  for (const FormCase& form : forms)
    for (const Shape& shape : shapes) {
      SCOPED_TRACE(form.name + " of " + std::to_string(shape.rows) + " rows");
      const Tensor whole = random_matrix(shape.rows, shape.columns, 11);
      const auto weight = form.make(whole, split_of(shape), type);
      check(*weight, shape);
    }
}

Tensor product(const Weight& weight, const Tensor& x) {
  return gather_columns(world(), weight.forward(share_input(world(), x)), weight.split(),
                        Gradient::same);
}

TEST(Forms, MultiplyAndLookUpLikeTheirDenseMatrix) {
  std::vector<FormCase> cases = form_cases();
  for (FormCase& form : quantized_cases()) cases.push_back(std::move(form));
  for_each_weight(cases, torch::kFloat64, [](const Weight& weight, const Shape& shape) {
    const Tensor whole = whole_of(weight);
    ASSERT_EQ(whole.size(0), shape.rows);
    ASSERT_EQ(whole.size(1), weight.inputs());
    const Tensor x = random_matrix(5, shape.columns, 3);
    EXPECT_TRUE(torch::allclose(product(weight, x), x.matmul(whole.t()), 1e-12, 1e-12));
    const Tensor ids =
        torch::tensor({shape.rows - 1, std::int64_t{0}, shape.rows / 2, std::int64_t{0}});
    EXPECT_TRUE(torch::allclose(sum_over_ranks(world(), weight.look_up(ids)),
                                whole.index_select(0, ids), 1e-12, 1e-12));
    // Rows of other ranks are zeros.
    const Tensor found = weight.look_up(ids);
    const std::int64_t first = weight.split().first(world().rank());
    for (std::int64_t i = 0; i < 4; ++i) {
      const std::int64_t local = ids[i].item<std::int64_t>() - first;
      if (local < 0 || local >= weight.split().count(world().rank()))
        EXPECT_EQ(found[i].abs().sum().item<double>(), 0);
    }
  });
}

/// A loss that reads the weight in both ways.
Tensor loss_of(const Weight& weight, const Tensor& x) {
  const Tensor factor = random_matrix(x.size(0), weight.outputs(), 21);
  const Tensor ids = torch::tensor({weight.outputs() - 1, std::int64_t{0}});
  const Tensor rows = sum_over_ranks(world(), weight.look_up(ids));
  return (product(weight, x).tanh() * factor).sum() + rows.sin().sum();
}

TEST(Forms, HaveTheGradientsOfFiniteDifferences) {
  for_each_weight(form_cases(), torch::kFloat64, [](const Weight& weight, const Shape& shape) {
    const Tensor x = random_matrix(5, shape.columns, 3);
    expect_gradients_of_differences(weight, x, [&] { return loss_of(weight, x); });
  });
}

TEST(Forms, SeeWhenTheirParametersChange) {
  const torch::NoGradGuard no_gradients;
  for_each_weight(form_cases(), torch::kFloat64, [](const Weight& weight, const Shape& shape) {
    const Tensor x = random_matrix(2, shape.columns, 3);
    const Tensor before = product(weight, x).clone();
    for (const Parameter& parameter : weight.parameters()) {
      Tensor values = parameter.values;
      values.mul_(2);
    }
    const Tensor after = product(weight, x);
    EXPECT_GT(distance(after, before), 0.1);
    EXPECT_TRUE(torch::allclose(after, x.matmul(whole_of(weight).t()), 1e-12, 1e-12));
  });
}

std::filesystem::path scratch_folder() {
  return world().broadcast(
      (std::filesystem::temp_directory_path() / ("rankine_forms_" + std::to_string(getpid())))
          .string(),
      0);
}

/// Writes the weight, reads it again and compares everything.
void expect_to_come_back(const Weight& weight, torch::ScalarType type,
                         const std::filesystem::path& folder) {
  {
    files::SafetensorsWriter writer(
        world(), folder,
        weight.plan("a.b",
                    type == torch::kFloat64 ? files::DataType::float64 : files::DataType::float32));
    weight.write(writer, "a.b");
    writer.complete();
  }
  const files::SafetensorsReader reader(world(), folder);
  const auto back = read_form(world(), {reader, "a.b", weight.inputs(), weight.split(), type});
  EXPECT_EQ(back->form(), weight.form());
  EXPECT_EQ(back->storage(), weight.storage());
  EXPECT_EQ(back->kept_rank(), weight.kept_rank());
  EXPECT_EQ(back->stored_numbers(), weight.stored_numbers());
  EXPECT_EQ(back->stored_bytes(), weight.stored_bytes());
  EXPECT_TRUE(torch::equal(back->own_rows(), weight.own_rows()));
  const auto expected = weight.parameters(), found = back->parameters();
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_TRUE(torch::equal(found[i].values, expected[i].values)) << found[i].name;
  // What the file holds is what is counted.
  std::uint64_t bytes = 0;
  for (const files::TensorEntry& entry : reader.entries()) bytes += entry.bytes;
  EXPECT_EQ(static_cast<std::int64_t>(bytes), weight.stored_bytes());
  world().barrier();
}

TEST(Forms, SayWhatTheyAreAndHowLarge) {
  const auto expect = [](const FormCase& form, Form is, std::int64_t kept_rank) {
    const RowSplit split = RowSplit::even(12, world().size());
    const auto weight = form.make(random_matrix(12, 8, 11), split, torch::kFloat64);
    EXPECT_EQ(weight->form(), is) << form.name;
    EXPECT_EQ(weight->kept_rank(), kept_rank) << form.name;
    EXPECT_EQ(value_named(all_forms(), name(is)), is);
  };
  const std::vector<std::pair<Form, std::int64_t>> expected{
      {Form::low_rank, 4},       {Form::pivoted, 4},        {Form::pivoted, 4},
      {Form::matrix_product, 5}, {Form::matrix_product, 5}, {Form::disentangled, 3},
      {Form::clustered, 5},      {Form::clustered, 3},      {Form::clustered, 3},
      {Form::tucker, 6},         {Form::tucker, 12},        {Form::rotated, 2},
      {Form::rotated, 3},        {Form::rotated, 3},        {Form::rotated, 3},
      {Form::updated, 2}};
  const std::vector<FormCase> cases = form_cases();
  ASSERT_EQ(cases.size(), expected.size());
  for (std::size_t i = 0; i < cases.size(); ++i)
    expect(cases[i], expected[i].first, expected[i].second);
  const RowSplit split = RowSplit::even(3, world().size());
  const Dense dense(world(), split, own_part(random_matrix(3, 7, 1), split).clone());
  EXPECT_EQ(dense.kept_rank(), 3);
}

TEST(Forms, ComeBackFromACheckpoint) {
  const auto folder = scratch_folder();
  for (const auto type : {torch::kFloat32, torch::kFloat64})
    for (const auto& cases : {form_cases(), quantized_cases()})
      for_each_weight(cases, type, [&](const Weight& weight, const Shape&) {
        expect_to_come_back(weight, type, folder);
      });
  if (world().rank() == 0) std::filesystem::remove_all(folder);
}

TEST(Forms, RefuseFilesThatDoNotFit) {
  const auto folder = scratch_folder();
  for_each_weight(form_cases(), torch::kFloat32, [&](const Weight& weight, const Shape& shape) {
    {
      files::SafetensorsWriter writer(world(), folder,
                                      weight.plan("a.b", files::DataType::float32));
      weight.write(writer, "a.b");
      writer.complete();
    }
    const files::SafetensorsReader reader(world(), folder);
    const RowSplit split = weight.split();
    EXPECT_THROW(read_form(world(), {reader, "a.b", shape.columns * 4, split, torch::kFloat32}),
                 InputError);
    EXPECT_THROW(read_form(world(), {reader, "a.c", shape.columns, split, torch::kFloat32}),
                 InputError);
    const RowSplit longer = RowSplit::even(shape.rows + 6, world().size());
    EXPECT_THROW(read_form(world(), {reader, "a.b", shape.columns, longer, torch::kFloat32}),
                 InputError);
    world().barrier();
  });
  if (world().rank() == 0) std::filesystem::remove_all(folder);
}

using Values = std::map<std::string, std::vector<double>>;

Values values_in(const files::SafetensorsReader& reader) {
  Values all;
  for (const files::TensorEntry& entry : reader.entries()) {
    const files::TensorRows rows(entry.shape);
    auto& values = all[entry.name];
    values.resize(static_cast<std::size_t>(rows.count * rows.length));
    reader.read_rows(entry, 0, rows.count, std::span(values));
  }
  return all;
}

/// Tensors of this plan with as many of the values as there is room for, then zeros.
void write_changed(const std::filesystem::path& folder, const std::vector<files::TensorPlan>& plan,
                   const Values& values) {
  files::SafetensorsWriter writer(world(), folder, plan);
  for (const files::TensorPlan& tensor : plan) {
    if (world().rank() != 0) continue;
    const files::TensorRows rows(tensor.shape);
    std::vector<double> changed = values.at(tensor.name);
    // What becomes integers must be some.
    if (tensor.type == files::DataType::int32)
      for (double& value : changed) value = std::floor(value);
    changed.resize(static_cast<std::size_t>(rows.count * rows.length));
    writer.write_rows(tensor.name, 0, std::span<const double>(changed));
  }
  writer.complete();
}

/// Each tensor left out, longer, shorter, with an axis more, with none, and of another kind.
std::vector<std::vector<files::TensorPlan>> changed_plans(
    const std::vector<files::TensorPlan>& plan) {
  std::vector<std::vector<files::TensorPlan>> all;
  for (std::size_t t = 0; t < plan.size(); ++t) {
    const auto change = [&](const std::function<void(files::TensorPlan&)>& what) {
      all.push_back(plan);
      what(all.back()[t]);
    };
    all.push_back(plan);
    all.back().erase(all.back().begin() + static_cast<std::ptrdiff_t>(t));
    // One more of the shared values would only be one that nothing uses.
    if (!plan[t].name.ends_with(".centroids"))
      change([](files::TensorPlan& tensor) { ++tensor.shape.back(); });
    change([](files::TensorPlan& tensor) { --tensor.shape.front(); });
    change([](files::TensorPlan& tensor) { tensor.shape.push_back(1); });
    change([](files::TensorPlan& tensor) { tensor.shape.clear(); });
    change([](files::TensorPlan& tensor) {
      tensor.type =
          files::is_floating_point(tensor.type) ? files::DataType::int32 : files::DataType::float32;
    });
  }
  return all;
}

TEST(Forms, RefuseTensorsThatAreChanged) {
  const auto folder = scratch_folder();
  std::vector<FormCase> cases = form_cases();
  for (FormCase& form : quantized_cases())
    if (form.name == "low-rank in 4-bit" || form.name == "outliers in 4-bit" ||
        form.name == "pivot rows in bfloat16")
      cases.push_back(std::move(form));
  for_each_weight(cases, torch::kFloat32, [&](const Weight& weight, const Shape& shape) {
    if (shape.columns != 8) return;
    const auto plan = weight.plan("a.b", files::DataType::float32);
    {
      files::SafetensorsWriter writer(world(), folder, plan);
      weight.write(writer, "a.b");
      writer.complete();
    }
    const Values values = values_in({world(), folder});
    world().barrier();
    for (const auto& changed : changed_plans(plan)) {
      write_changed(folder, changed, values);
      const files::SafetensorsReader reader(world(), folder);
      EXPECT_THROW(
          read_form(world(), {reader, "a.b", weight.inputs(), weight.split(), torch::kFloat32}),
          InputError);
      world().barrier();
    }
    auto more = plan;
    more.push_back({"a.b.core7", files::DataType::float32, {1}});
    Values with_more = values;
    with_more["a.b.core7"] = {1};
    write_changed(folder, more, with_more);
    const files::SafetensorsReader reader(world(), folder);
    EXPECT_THROW(
        read_form(world(), {reader, "a.b", weight.inputs(), weight.split(), torch::kFloat32}),
        InputError);
    world().barrier();
  });
  if (world().rank() == 0) std::filesystem::remove_all(folder);
}

TEST(Forms, RefuseIndicesThatAreNone) {
  const auto folder = scratch_folder();
  const std::vector<std::pair<std::string, std::vector<double>>> changes{
      {"pivots", {3, 2}},        {"pivots", {2, 2}},
      {"pivots", {-1, 2}},       {"pivots", {2, 1e9}},
      {"outlier_gaps", {0, 96}}, {"outlier_gaps", {-1, 2}},
      {"outlier_gaps", {5, 0}},  {"core0.shape", {1, -3, 2, 5}}};
  std::vector<FormCase> cases = form_cases();
  for (FormCase& form : quantized_cases())
    if (form.name == "two sites in 4-bit") cases.push_back(std::move(form));
  int refused = 0;
  for_each_weight(cases, torch::kFloat32, [&](const Weight& weight, const Shape& shape) {
    if (shape.columns != 8) return;
    const auto plan = weight.plan("a.b", files::DataType::float32);
    {
      files::SafetensorsWriter writer(world(), folder, plan);
      weight.write(writer, "a.b");
      writer.complete();
    }
    const Values values = values_in({world(), folder});
    world().barrier();
    for (const auto& [part, changed] : changes) {
      Values others = values;
      const auto found = others.find("a.b." + part);
      if (found == others.end()) continue;
      std::copy(changed.begin(), changed.end(), found->second.begin());
      write_changed(folder, plan, others);
      const files::SafetensorsReader reader(world(), folder);
      EXPECT_THROW(
          read_form(world(), {reader, "a.b", weight.inputs(), weight.split(), torch::kFloat32}),
          InputError)
          << part;
      ++refused;
      world().barrier();
    }
  });
  EXPECT_EQ(refused, 4 + 4 + 2 * 3 + 1);
  if (world().rank() == 0) std::filesystem::remove_all(folder);
}

TEST(Conversion, MeasuresTheError) {
  const RowSplit split = RowSplit::even(6, world().size());
  const Tensor whole = random_matrix(6, 5, 2), other = random_matrix(6, 5, 3);
  const Tensor whitening = random_matrix(5, 5, 4);
  const Dense weight(world(), split, own_part(other, split).clone());
  const auto report = report_conversion(weight, own_part(whole, split), world(), whitening);
  EXPECT_NEAR(report.relative_error, distance(other, whole), 1e-13);
  EXPECT_NEAR(*report.weighted_error, distance(other.mm(whitening), whole.mm(whitening)), 1e-13);
  EXPECT_EQ(report.form, Form::dense);
  EXPECT_EQ(report.stored_numbers, 30);
  EXPECT_EQ(report.stored_bytes, 240);
  EXPECT_NEAR(relative_error(weight, own_part(whole, split), world()), report.relative_error, 0);
}

}  // namespace
}  // namespace rankine::weights
