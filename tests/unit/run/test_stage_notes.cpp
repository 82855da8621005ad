// stage.json is sealed, and its notes are taken only as they were written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "run/stage_notes.hpp"

namespace rankine::run {

struct Counters {
  std::int64_t steps = 0;
  std::vector<double> losses;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Counters, steps, losses)

namespace {

StageNotes example() {
  return {.folder = "weights-0123",
          .of_deck = 0xfedcba9876543210u,
          .notes = Counters{3, {1.5, 0.1, 1e-300}},
          .values = {{"circuit.steps", "9"}, {"model.path", "\"a\""}},
          .tensors = {{"a.left", 1}, {"a.right", ~std::uint64_t{0}}}};
}

TEST(StageNotes, ComeBack) {
  const StageNotes back = stage_notes_of(text_of(example()));
  EXPECT_EQ(back.folder, example().folder);
  EXPECT_EQ(back.of_deck, example().of_deck);
  EXPECT_EQ(back.tensors, example().tensors);
  const auto notes = notes_as<Counters>(back.notes);
  EXPECT_EQ(notes.steps, 3);
  EXPECT_EQ(notes.losses, (std::vector<double>{1.5, 0.1, 1e-300}));
}

TEST(StageNotes, AreRefusedWhereOneBitIsFlipped) {
  const std::string text = text_of(example());
  for (std::size_t i = 0; i < text.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = text;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      EXPECT_THROW(stage_notes_of(damaged), InputError) << "byte " << i << ", bit " << bit;
    }
}

TEST(StageNotes, AreRefusedWhereTheyAreCutOrContinued) {
  const std::string text = text_of(example());
  for (std::size_t length = 0; length < text.size(); ++length)
    EXPECT_THROW(stage_notes_of(text.substr(0, length)), InputError) << length;
  EXPECT_THROW(stage_notes_of(text + "\n"), InputError);
}

TEST(StageNotes, AreOfTheirTypes) {
  for (const char* notes :
       {R"({"steps":3.5,"losses":[]})", R"({"steps":3.0,"losses":[]})",
        R"({"steps":true,"losses":[]})", R"({"steps":"3","losses":[]})",
        R"({"steps":null,"losses":[]})", R"({"steps":18446744073709551615,"losses":[]})",
        R"({"steps":3,"losses":[null]})", R"({"steps":3,"losses":[true]})",
        R"({"steps":3,"losses":{}})", R"({"steps":3})", R"({"steps":3,"losses":[],"more":1})",
        R"([3,[]])", "3", "null"})
    EXPECT_THROW(notes_as<Counters>(nlohmann::json::parse(notes)), InputError) << notes;
  const auto fits = notes_as<Counters>(nlohmann::json::parse(R"({"steps":3,"losses":[0.5]})"));
  EXPECT_EQ(fits.steps, 3);
  EXPECT_EQ(fits.losses, std::vector<double>{0.5});
}

}  // namespace
}  // namespace rankine::run
