#include "lattice/lattices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>

#include "core/errors.hpp"

namespace rankine::lattice {

Graph heavy_hex(int rows, int row_length, std::string name) {
  if (rows < 2 || row_length < 3)
    throw InputError(fmt::format(
        "heavy-hex lattice of {} rows of {} sites is too small. Give at least 2 rows of 3 sites.",
        rows, row_length));
  std::vector<std::vector<int>> row_site(rows, std::vector<int>(row_length, -1));
  std::vector<std::vector<int>> bridge(rows, std::vector<int>(row_length, -1));
  int n_sites = 0;
  for (int row = 0; row < rows; ++row) {
    const int first = row == rows - 1 ? 1 : 0;
    const int last = row == 0 ? row_length - 2 : row_length - 1;
    for (int column = first; column <= last; ++column) row_site[row][column] = n_sites++;
    if (row < rows - 1)
      for (int column = row % 2 == 0 ? 0 : 2; column < row_length; column += 4)
        bridge[row][column] = n_sites++;
  }
  std::vector<Edge> edges;
  const auto join = [&](int a, int b) {
    if (a >= 0 && b >= 0) edges.push_back({std::min(a, b), std::max(a, b), 0});
  };
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < row_length; ++column) {
      if (column + 1 < row_length) join(row_site[row][column], row_site[row][column + 1]);
      join(row_site[row][column], bridge[row][column]);
      if (row + 1 < rows) join(bridge[row][column], row_site[row + 1][column]);
    }
  std::ranges::sort(edges, {}, [](const Edge& edge) { return std::pair(edge.a, edge.b); });
  colour_greedily(n_sites, edges);
  return Graph(std::move(name), n_sites, std::move(edges));
}

Graph eagle() { return heavy_hex(7, 15, "eagle"); }
Graph osprey() { return heavy_hex(13, 27, "osprey"); }
Graph condor() { return heavy_hex(21, 43, "condor"); }

Graph infinite_heavy_hex() {
  Graph cell("infinite-heavy-hex", 5,
             {{0, 2, 0}, {0, 3, 1}, {0, 4, 2}, {1, 2, 1}, {1, 3, 2}, {1, 4, 0}});
  // Bridges 3 and 4 belong to the cell of site 0; their site 1 lies one cell further.
  cell.repeat({{0, 0}, {0, 0}, {0, 0}, {0, 0}, {-1, 0}, {0, -1}});
  return cell;
}

namespace {

/// More sites than this are a slip of the pen, not a lattice.
constexpr int most_sites = 10'000'000;

/// The integers of one line with its comment cut off; no value when something else stands there.
std::optional<std::vector<int>> integers(std::string line) {
  line.resize(std::min(line.find('#'), line.size()));
  std::istringstream words(line);
  std::vector<int> values;
  for (std::string word; words >> word;) {
    int value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
    values.push_back(value);
  }
  return values;
}

/// Wraps an edge's own problems with the place they were read from.
class EdgeListReader {
 public:
  explicit EdgeListReader(std::filesystem::path file) : file_(std::move(file)) {}

  std::vector<Edge> read() {
    std::ifstream stream(file_);
    if (!stream || std::filesystem::is_directory(file_))
      throw InputError(fmt::format("edge list {} cannot be read. Check the path in [lattice] file.",
                                   file_.string()));
    for (std::string line; std::getline(stream, line);) {
      ++line_number_;
      add(line);
    }
    if (edges_.empty())
      throw InputError(fmt::format("edge list {} holds no edge. Write one \"a b\" pair per line.",
                                   file_.string()));
    return std::move(edges_);
  }

  bool coloured() const { return coloured_.value_or(false); }
  /// "file:line" of each edge.
  const std::vector<std::string>& origins() const { return origins_; }

 private:
  [[noreturn]] void refuse(const std::string& message) const {
    throw InputError(fmt::format("{}:{}: {}", file_.string(), line_number_, message));
  }

  void add(const std::string& line) {
    const auto values = integers(line);
    if (!values || (!values->empty() && values->size() != 2 && values->size() != 3))
      refuse(
          fmt::format("\"{}\" is not an edge. Write two sites and, if you like, a colour: \"0 1\" "
                      "or \"0 1 2\".",
                      line));
    if (values->empty()) return;
    const bool has_colour = values->size() == 3;
    if (coloured_.value_or(has_colour) != has_colour)
      refuse("some edges have a colour and some have none. Give all of them one, or none.");
    coloured_ = has_colour;
    const Edge edge{(*values)[0], (*values)[1], has_colour ? (*values)[2] : 0};
    if (edge.a < 0 || edge.b < 0)
      refuse(fmt::format("edge {} {} names a negative site. Sites count from 0.", edge.a, edge.b));
    if (edge.a == edge.b)
      refuse(fmt::format("edge {} {} is a self loop. An edge joins two different sites.", edge.a,
                         edge.b));
    if (std::max(edge.a, edge.b) >= most_sites)
      refuse(fmt::format(
          "edge {} {} names a site beyond {}, the largest there may be. Number the sites from 0.",
          edge.a, edge.b, most_sites - 1));
    edges_.push_back(edge);
    origins_.push_back(fmt::format("{}:{}", file_.string(), line_number_));
  }

  std::filesystem::path file_;
  int line_number_ = 0;
  std::optional<bool> coloured_;
  std::vector<Edge> edges_;
  std::vector<std::string> origins_;
};

}  // namespace

Graph read_edge_list(const std::filesystem::path& file, int n_sites) {
  EdgeListReader reader(file);
  std::vector<Edge> edges = reader.read();
  int largest = 0;
  for (const Edge& edge : edges) largest = std::max({largest, edge.a, edge.b});
  if (n_sites == 0) n_sites = largest + 1;
  if (!reader.coloured() && largest < n_sites) colour_greedily(n_sites, edges);
  return Graph(file.filename().string(), n_sites, std::move(edges), reader.origins());
}

}  // namespace rankine::lattice
