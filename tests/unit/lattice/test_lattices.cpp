// The generator against the published edge lists, and every way an edge list can be wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "core/errors.hpp"
#include "lattice/lattices.hpp"

namespace rankine::lattice {
namespace {

using ::testing::HasSubstr;

void expect_same(const Graph& a, const Graph& b) {
  ASSERT_EQ(a.n_sites(), b.n_sites());
  ASSERT_EQ(a.n_edges(), b.n_edges());
  for (int k = 0; k < a.n_edges(); ++k) {
    EXPECT_EQ(a.edge(k).a, b.edge(k).a);
    EXPECT_EQ(a.edge(k).b, b.edge(k).b);
    EXPECT_EQ(a.edge(k).colour, b.edge(k).colour);
  }
}

TEST(HeavyHex, ReproducesThePublishedEdgeLists) {
  const std::filesystem::path data = RANKINE_TEST_DATA;
  expect_same(eagle(), read_edge_list(data / "heavyhex_eagle127.edges"));
  expect_same(osprey(), read_edge_list(data / "heavyhex_osprey433.edges"));
  expect_same(condor(), read_edge_list(data / "heavyhex_condor1121.edges"));
}

TEST(HeavyHex, HasTheDegreesOfEagle) {
  const Graph graph = eagle();
  std::array<int, 4> count{};
  for (int site = 0; site < graph.n_sites(); ++site) ++count[graph.degree(site)];
  EXPECT_THAT(count, ::testing::ElementsAre(0, 2, 89, 36));
  EXPECT_EQ(graph.n_colours(), 3);
}

TEST(HeavyHex, NoTwoSitesOfDegreeThreeAreNeighbours) {
  const Graph graph = condor();
  for (const Edge& edge : graph.edges())
    EXPECT_FALSE(graph.degree(edge.a) == 3 && graph.degree(edge.b) == 3);
}

TEST(HeavyHex, RefusesLatticesThatAreTooSmall) { EXPECT_THROW(heavy_hex(1, 15), InputError); }

TEST(InfiniteHeavyHex, IsTheCellWithTwoSitesOfDegreeThree) {
  const Graph graph = infinite_heavy_hex();
  EXPECT_EQ(graph.n_sites(), 5);
  EXPECT_EQ(graph.n_edges(), 6);
  EXPECT_EQ(graph.degree(0), 3);
  EXPECT_EQ(graph.degree(1), 3);
}

TEST(Graph, OrdersPairsByColour) {
  const Graph graph("three", 4, {{0, 1, 1}, {1, 2, 0}, {2, 3, 1}});
  EXPECT_THAT(graph.pairs_by_colour(),
              ::testing::ElementsAre(std::pair(1, 2), std::pair(0, 1), std::pair(2, 3)));
  EXPECT_EQ(graph.find_edge(2, 1), 1);
  EXPECT_EQ(graph.find_edge(0, 3), -1);
}

class EdgeList : public ::testing::Test {
 protected:
  std::filesystem::path file_ =
      std::filesystem::temp_directory_path() / ("rankine_" + std::to_string(::getpid()) + ".edges");
  ~EdgeList() override { std::filesystem::remove(file_); }

  std::string message(const std::string& text, int n_sites = 0) {
    std::ofstream(file_) << text;
    try {
      read_edge_list(file_, n_sites);
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  }
};

TEST_F(EdgeList, AcceptsCommentsColoursAndDisconnectedParts) {
  EXPECT_EQ(message("# a comment\n0 1\n\n2 3 # another part\n"), "accepted");
  EXPECT_EQ(message("0 1 1\n1 2 0\n"), "accepted");
  EXPECT_EQ(read_edge_list(file_, 7).n_sites(), 7);
}

TEST_F(EdgeList, MayHaveSitesWithoutEdges) {
  EXPECT_EQ(message("# one site, no edge\n", 1), "accepted");
  EXPECT_EQ(read_edge_list(file_, 1).n_sites(), 1);
  EXPECT_EQ(read_edge_list(file_, 1).n_edges(), 0);
  EXPECT_EQ(read_edge_list(file_, 4).degree(3), 0);
  EXPECT_THAT(message("# one site, no edge\n"), HasSubstr("or set lattice.n_sites for sites"));
}

TEST_F(EdgeList, ComesFromAnyEditor) {
  EXPECT_EQ(message("\xEF\xBB\xBF# path\r\n0 1\r\n\r\n1\t2\r\n"), "accepted");
  EXPECT_EQ(read_edge_list(file_).n_edges(), 2);
  EXPECT_THAT(message("\xEF\xBB\xBF\r\nzero\r\n"), HasSubstr(":2: \"zero\" is not an edge"));
}

TEST_F(EdgeList, NamesLineAndReason) {
  EXPECT_THAT(message("0 1\n1 1\n"), HasSubstr(":2: edge 1 1 is a self loop"));
  EXPECT_THAT(message("0 1\n1 0\n"), HasSubstr("given twice"));
  EXPECT_THAT(message("0 1\nzero two\n"), HasSubstr(":2: \"zero two\" is not an edge"));
  EXPECT_THAT(message("0 1\n1 -2\n"), HasSubstr(":2: edge 1 -2 names a negative site"));
  EXPECT_THAT(message("0 1\n1 9\n", 5), HasSubstr("site 9, which does not exist"));
  EXPECT_THAT(message("0 1 0\n1 2\n"), HasSubstr(":2: some edges have a colour"));
  EXPECT_THAT(message("0 1 2147483647\n"), HasSubstr(":1: edge 0-1 has a colour beyond"));
  EXPECT_THAT(message("0 1 0\n1 2 0\n"), HasSubstr("share a site and colour 0"));
  EXPECT_THAT(message("# nothing\n"), HasSubstr("holds no edge"));
}

TEST_F(EdgeList, MissingFileIsAnInputError) {
  EXPECT_THROW(read_edge_list("no_such_file.edges"), InputError);
}

}  // namespace
}  // namespace rankine::lattice
