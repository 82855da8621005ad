#include "run/machine_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "deck/read.hpp"
#include "deck/reference.hpp"

namespace rankine::run {

namespace {

using Sizes = std::vector<std::int64_t>;
using Curve = std::pair<const char*, std::vector<double>*>;

void declare_curve(deck::SectionDeclaration& section, const Curve& curve, const char* sentence) {
  section.keyword(curve.first, *curve.second).above(0).unit("GFlop/s").describe(sentence);
}

/// Sizes ascend, and every curve has a rate for each.
void check_curves(deck::Schema& schema, std::string section, const Sizes& sizes,
                  std::vector<Curve> curves) {
  schema.check([section = std::move(section), &sizes,
                curves = std::move(curves)](deck::Findings& findings) {
    if (!std::ranges::is_sorted(sizes, std::less_equal<>()))
      findings.add(section + ".sizes", {.what = section + ".sizes does not ascend",
                                        .why = "rates are interpolated between sizes",
                                        .advice = "Write each size once, the smallest first."});
    for (const auto& [name, rates] : curves)
      if (rates->size() != sizes.size())
        findings.add(section + "." + name,
                     {.what = fmt::format("{}.{} has {} rates", section, name, rates->size()),
                      .why = fmt::format("there are {} sizes", sizes.size()),
                      .advice = "Write one rate for each size."});
  });
}

void declare_node(deck::Schema& schema, NodeOptions& node) {
  auto section = schema.section("node", "The nodes and their cores.");
  section.keyword("nodes", node.nodes).range(1, 1e6).describe(
      "Nodes there are; ranks beyond their cores share them.");
  section.keyword("cores", node.cores).range(1, 4096).describe("Cores of a node.");
  section.keyword("memory", node.memory).above(0).unit("GiB").describe("Memory of a node.");
  section.keyword("core_bandwidth", node.core_bandwidth)
      .above(0)
      .unit("GB/s")
      .describe("Bandwidth of memory that one core alone reaches.");
  section.keyword("bandwidth", node.bandwidth)
      .above(0)
      .unit("GB/s")
      .describe("Bandwidth of memory that all cores of a node reach together.");
  section.keyword("thread_efficiency", node.thread_efficiency)
      .range(0, 1)
      .describe("What each thread of a rank beyond the first adds, in parts of a core.");
}

void declare_rates(deck::Schema& schema, MachineModel& machine) {
  ProductRates& products = machine.products;
  auto section = schema.section("products", "Rates of matrix products on one core.");
  section.keyword("sizes", products.sizes)
      .range(1, 1e6)
      .describe("k, of products of a tall matrix of k columns with one of k x k.");
  const std::vector<Curve> numbers{{"float32", &products.float32},
                                   {"float64", &products.float64},
                                   {"complex64", &products.complex64},
                                   {"complex128", &products.complex128}};
  for (const Curve& curve : numbers)
    declare_curve(section, curve,
                  "One rate for each size; an operation of complex numbers counts as four.");
  check_curves(schema, "products", products.sizes, numbers);

  DecompositionRates& svds = machine.decompositions;
  auto other = schema.section("decompositions", "Rates of decompositions on one core.");
  other.keyword("sizes", svds.sizes).range(1, 1e6).describe("n, of n x n matrices.");
  const std::vector<Curve> kinds{{"svd_float64", &svds.svd_float64},
                                 {"svd_complex64", &svds.svd_complex64},
                                 {"svd_complex128", &svds.svd_complex128},
                                 {"eigen_float64", &svds.eigen_float64}};
  for (const Curve& curve : kinds)
    declare_curve(other, curve,
                  "An SVD counts as 8 n^3 operations, of complex numbers as 32 n^3, an eigenproblem "
                  "as 4 n^3.");
  check_curves(schema, "decompositions", svds.sizes, kinds);
}

void declare_messages(deck::Schema& schema, MachineModel& machine) {
  MessageOptions& messages = machine.messages;
  auto section = schema.section("messages", "Messages between ranks, and files.");
  const auto latency = [&](const char* name, double& value, const char* sentence) {
    section.keyword(name, value).at_least(0).unit("us").describe(sentence);
  };
  const auto bandwidth = [&](const char* name, double& value, const char* sentence) {
    section.keyword(name, value).above(0).unit("GB/s").describe(sentence);
  };
  latency("node_latency", messages.node_latency, "Of a message between ranks of a node.");
  bandwidth("node_bandwidth", messages.node_bandwidth, "Between two ranks of a node.");
  latency("latency", messages.latency, "Of a message between nodes.");
  bandwidth("bandwidth", messages.bandwidth, "Of the link of a node, which its ranks share.");
  latency("turn_latency", messages.turn_latency,
          "Of a message where there are more ranks than cores, and its receiver waits for one.");
  bandwidth("read_bandwidth", machine.files.read_bandwidth, "Of files read, all ranks together.");
  bandwidth("write_bandwidth", machine.files.write_bandwidth, "Of files written.");
}

void declare_software(deck::Schema& schema, SoftwareOptions& software) {
  auto section = schema.section("software", "What small work takes, whatever its size.");
  const auto time = [&](const char* name, double& value, const char* unit, const char* sentence) {
    section.keyword(name, value).at_least(0).unit(unit).describe(sentence);
  };
  time("start", software.start, "s", "From the command to the end of a program that does nothing.");
  time("start_tensors", software.start_tensors, "s",
       "Of a core to load libtorch, in every rank of the programs that have it.");
  time("start_rank", software.start_rank, "s", "More, for every doubling of the ranks.");
  time("bond_update", software.bond_update, "us", "An update of a bond of dimension 1 or 2.");
  time("operation", software.operation, "us", "An operation of libtorch on a few numbers.");
  section.keyword("convolution", software.convolution)
      .above(0)
      .unit("GFlop/s")
      .describe("Rate of a 3 x 3 convolution in float32, one core.");
  time("exponential", software.exponential, "ns", "One exponential in float32.");
  time("scalar", software.scalar, "ns", "A step of scalar code: sorting, comparing.");
  time("amplitude", software.amplitude, "ns", "A gate on one amplitude of a state vector.");
}

}  // namespace

void declare_keywords(deck::Schema& schema, MachineModel& machine) {
  schema.keyword("title", machine.title).describe("What the machine is, in words.");
  declare_node(schema, machine.node);
  declare_rates(schema, machine);
  declare_messages(schema, machine);
  declare_software(schema, machine.software);
}

MachineModel read_machine(const std::string& path) {
  MachineModel machine;
  deck::Schema schema;
  declare_keywords(schema, machine);
  deck::read(schema, path);
  return machine;
}

std::string machine_text(const MachineModel& machine) {
  MachineModel copy = machine;
  deck::Schema schema;
  declare_keywords(schema, copy);
  return deck::default_deck(schema);
}

}  // namespace rankine::run
