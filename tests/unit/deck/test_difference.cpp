// In what two effective decks differ.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deck/difference.hpp"

namespace rankine::deck {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Difference, NamesKeywordsWithBothValues) {
  const DeckValues there = {{"circuit.steps", "9"}, {"a.b", "[1, 2]"}, {"only.there", "true"}};
  const DeckValues here = {{"circuit.steps", "20"}, {"a.b", "[1, 2]"}};
  EXPECT_THAT(differences(there, here), ElementsAre("circuit.steps = 9 there, 20 here",
                                                    "only.there = true there, not set here"));
  EXPECT_THAT(differences(here, here), IsEmpty());
}

TEST(Difference, ReadsEffectiveDecksBack) {
  const std::string echo =
      "title = \"a # b\"  # default\n\n[circuit]\nsteps = 9  # x.toml:3\n# file is not set\n"
      "theta_h = [0.1, 2.0]  # command line\n[run]\nkeep = 2  # default\n";
  const DeckValues values = values_of_effective_deck(echo, "x.h5");
  EXPECT_EQ(values.at("title"), "\"a # b\"");
  EXPECT_EQ(values.at("circuit.theta_h"), "[0.1, 2.0]");
  EXPECT_EQ(values.count("circuit.file"), 0u);
  EXPECT_EQ(values_that_count(values).size(), 2u);
}

}  // namespace
}  // namespace rankine::deck
