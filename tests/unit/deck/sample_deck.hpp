// A small schema with a keyword of every type and every kind of rule, for the tests of this room.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/errors.hpp"
#include "deck/read.hpp"
#include "deck/schema.hpp"

namespace rankine::deck {

struct SampleOptions {
  std::string title;
  std::string name;
  int rows = 0;
  std::string file;
  std::int64_t steps = 5;
  std::vector<double> theta_h = {0.1};
  double theta_j = -0.5;
  bool final_layer = false;
  std::vector<std::int64_t> bond_dimension = {16};
  double discarded_weight_max = 1e-15;
  std::vector<std::string> observables = {"magnetization"};
  std::vector<double> weights = {};
};

class SampleDeck : public ::testing::Test {
 protected:
  SampleDeck() {
    schema.keyword("title", options.title).describe("A line for tables and plots.");
    auto lattice = schema.section("lattice", "The graph of sites.");
    lattice.keyword("name", options.name)
        .required()
        .choices({"eagle", "osprey", "heavy-hex"})
        .describe("Which lattice.");
    lattice.keyword("rows", options.rows).no_default().at_least(1).unit("1").describe("Rows.");
    lattice.keyword("file", options.file).no_default().describe("Path of an edge list.");
    auto circuit = schema.section("circuit", "The gates of a step.");
    circuit.keyword("steps", options.steps).range(1, 1000).unit("1").describe("Number of steps.");
    circuit.keyword("theta_h", options.theta_h).unit("radians").describe("One point each.");
    circuit.keyword("theta_j", options.theta_j).unit("radians").describe("Angle of a | b.");
    circuit.keyword("final_layer", options.final_layer).describe("Whether a layer ends it.");
    auto state = schema.section("state", "How the state is truncated.");
    state.keyword("bond_dimension", options.bond_dimension)
        .range(1, 65536)
        .unit("1")
        .describe("Largest bond dimension kept.");
    state.keyword("discarded_weight_max", options.discarded_weight_max)
        .above(0)
        .below(1)
        .describe("Relative, per bond update.");
    auto measure = schema.section("measure", "What is measured.");
    measure.keyword("observables", options.observables).describe("Names or Pauli strings.");
    measure.keyword("weights", options.weights).allow_empty().at_most(1).describe("Weights.");
  }

  /// Reads a deck whose required keyword stands in its last line.
  void read_sample(const std::string& text, const std::vector<std::string>& overrides = {}) {
    read_text(schema, text + "\n[lattice]\nname = \"eagle\"", "sample.toml", overrides);
  }

  /// The message of the InputError that reading throws.
  std::string error_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
    try {
      read_text(schema, text, "sample.toml", overrides);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }

  /// The same for a deck that lacks nothing else.
  std::string error_with_lattice(const std::string& text,
                                 const std::vector<std::string>& overrides = {}) {
    return error_of(text + "\n[lattice]\nname = \"eagle\"", overrides);
  }

  SampleOptions options;
  Schema schema;
};

}  // namespace rankine::deck
