#include "decks.hpp"

#include <sstream>

#include "target.hpp"

namespace rankine::fuzz {

namespace {

/// Decks of rankine-simulate need not say so.
std::string program_of(const std::string& deck) {
  const std::string mark = "# program: ";
  const auto begin = deck.find(mark);
  if (begin == deck.npos) return "rankine-simulate";
  const auto name = begin + mark.size();
  return deck.substr(name, deck.find_first_of(" \n", name) - name);
}

/// Not a machine, nor many runs, which programs leave to rankine-sweep.
bool is_one_run(const std::string& text) {
  return text.find("\n[node]") == text.npos && text.find("\n[sweep") == text.npos &&
         text.find("\n[[sweep") == text.npos;
}

}  // namespace

std::vector<std::string> decks_of(const std::string& program) {
  std::vector<std::string> decks;
  for (std::string& deck : project_files("inputs", ".toml"))
    if (is_one_run(deck) && program_of(deck) == program) decks.push_back(std::move(deck));
  return decks;
}

std::vector<std::string> words_of_decks() {
  return {"[circuit]\n",
          "[state]\n",
          "[measure]\n",
          "[parallel]\n",
          "[output]\n",
          "[model]\n",
          "[evaluate]\n",
          "[generate]\n",
          "[method]\n",
          "[ranks]\n",
          "[heal]\n",
          "[slices]\n",
          "[distill]\n",
          "[export]\n",
          "[[",
          "]]",
          "\"\"\"",
          "'''",
          "a.b.c = 1\n",
          "x = {a = 1}\n",
          "\xef\xbb\xbf",
          "\r\n",
          "\\u0041",
          "\\uD800",
          "/dev/zero",
          "/",
          "\"/dev/null\"",
          " = ",
          ",",
          "[1, 2.5]",
          "[[1], [2]]",
          "1979-05-27T07:32:00Z",
          "0b101",
          "0o17",
          "#override state.precision=float64\n",
          "#override =\n",
          "#override parallel.teams=2\n",
          "#override output.file='a\n"};
}

std::vector<std::string> overrides_in(const std::string& deck) {
  const std::string mark = "#override ";
  std::vector<std::string> overrides;
  std::istringstream lines(deck);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(mark)) overrides.push_back(line.substr(mark.size()));
  return overrides;
}

}  // namespace rankine::fuzz
