#include "models/evaluation/windows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/errors.hpp"
#include "core/input_file.hpp"
#include "core/text_format.hpp"
#include "files/npy.hpp"
#include "text/tokenizer.hpp"

namespace rankine::models {

namespace {

TokenText read_ids(const std::filesystem::path& path) {
  files::NpyIntegers array = files::read_npy_integers(path);
  if (array.shape.empty() || array.shape.size() > 2)
    throw InputError(
        fmt::format("{} has {} axes (token ids are a sequence, or rows of them). Save "
                    "an array of one or two axes.",
                    path.string(), array.shape.size()));
  const std::int64_t row = array.shape.back();
  return {std::move(array.values), row, array.shape.size() == 2};
}

std::string load_text(const std::filesystem::path& path) {
  const auto refuse = [&](const std::string& reason) {
    throw InputError(fmt::format(
        "the text {} cannot be read ({}). Name a text file or a .npy file in evaluate.text.",
        path.string(), reason));
  };
  try {
    std::string text = read_input(path);
    if (text.empty()) refuse("it is empty");
    return text;
  } catch (const UnreadableInput& error) {
    refuse(error.reason());
    throw;
  }
}

void check_ids(const TokenText& text, const ModelConfig& config, const std::string& file) {
  const auto wrong = std::find_if(text.ids.begin(), text.ids.end(), [&](std::int64_t id) {
    return id < 0 || id >= config.vocabulary_size;
  });
  if (wrong == text.ids.end()) return;
  throw InputError(fmt::format(
      "token {} of {} is {} (the model's vocabulary ends at {}). Use tokens of this model.",
      wrong - text.ids.begin(), file, *wrong, config.vocabulary_size - 1));
}

/// Appends the windows of one row. `text_tokens` of a window come from the row.
void cut_row(std::int64_t row_begin, std::int64_t row_length, std::int64_t text_tokens,
             std::int64_t stride, std::optional<std::int64_t> beginning,
             std::vector<Window>& windows) {
  for (std::int64_t first = 0; first + text_tokens <= row_length; first += stride) {
    Window window{row_begin + first, text_tokens, 1, beginning};
    if (first > 0 && stride < text_tokens) window.first_scored = window.tokens() - stride;
    windows.push_back(window);
  }
}

std::optional<std::int64_t> beginning_of(const EvaluateOptions& options,
                                         const ModelConfig& config) {
  if (options.evaluate.beginning_of_sequence != BeginningOfSequence::each_window)
    return std::nullopt;
  if (!config.beginning_of_sequence)
    throw InputError(fmt::format(
        "evaluate.beginning_of_sequence = \"each-window\" needs a token to begin with (config.json "
        "in {} gives no bos_token_id). Use \"tokenizer\" or \"never\".",
        options.model.path));
  return *config.beginning_of_sequence;
}

void check_rows(const TokenText& text, const std::string& file) {
  if (!text.has_rows || !text.ids.empty()) return;
  throw InputError(
      fmt::format("{} holds no token (its rows are empty, or there are none). Save an array with "
                  "tokens.",
                  file));
}

}  // namespace

std::vector<std::int64_t> Window::ids(const TokenText& text) const {
  std::vector<std::int64_t> all;
  all.reserve(static_cast<std::size_t>(length) + 1);
  if (beginning) all.push_back(*beginning);
  for (std::int64_t k = 0; k < length; ++k)
    all.push_back(text.ids[static_cast<std::size_t>(begin + k)]);
  return all;
}

std::int64_t WindowPlan::scored_tokens() const {
  std::int64_t sum = 0;
  for (const Window& window : windows) sum += window.scored();
  return sum;
}

std::int64_t WindowPlan::longest_window() const {
  std::int64_t longest = 0;
  for (const Window& window : windows) longest = std::max(longest, window.tokens());
  return longest;
}

void check_length(const ModelConfig& config, std::int64_t length, const std::string& folder) {
  if (length <= config.context) return;
  throw InputError(fmt::format(
      "windows of {} tokens are longer than the context of the model in {} ({} tokens). Lower "
      "evaluate.window_length.",
      length, folder, config.context));
}

TokenText read_text(const EvaluateOptions& options) {
  const std::filesystem::path path = options.evaluate.text;
  if (path.extension() == ".npy") return read_ids(path);
  const std::string text = load_text(path);
  const auto tokenizer =
      text::Tokenizer::read(std::filesystem::path(options.model.path) / "tokenizer.json");
  const auto special = options.evaluate.beginning_of_sequence == BeginningOfSequence::tokenizer
                           ? text::AddSpecialTokens::yes
                           : text::AddSpecialTokens::no;
  const std::vector<std::int32_t> ids = tokenizer.encode(text, special);
  return {{ids.begin(), ids.end()}, static_cast<std::int64_t>(ids.size()), false};
}

WindowPlan plan_windows(const EvaluateOptions& options, const ModelConfig& config, TokenText text) {
  const TextOptions& how = options.evaluate;
  check_rows(text, how.text);
  check_ids(text, config, how.text);
  const std::optional<std::int64_t> beginning = beginning_of(options, config);
  const std::int64_t before = beginning ? 1 : 0;
  // A row shorter than a window is a window as it is.
  const std::int64_t tokens =
      text.has_rows ? std::min(how.window_length, text.row_length + before) : how.window_length;
  check_length(config, tokens, options.model.path);
  if (tokens < 2 || tokens - before > text.row_length)
    throw InputError(fmt::format(
        "the text {} has {} (a window takes {}). Lower evaluate.window_length or take a "
        "longer text.",
        how.text, counted(text.row_length, "token"), tokens - before));
  const std::int64_t stride = std::min(how.effective_stride(), tokens - before);
  WindowPlan plan{std::move(text), {}};
  const std::int64_t total = static_cast<std::int64_t>(plan.text.ids.size());
  for (std::int64_t row = 0; row < total; row += plan.text.row_length)
    cut_row(row, plan.text.row_length, tokens - before, stride, beginning, plan.windows);
  if (how.max_windows > 0 && static_cast<std::int64_t>(plan.windows.size()) > how.max_windows)
    plan.windows.resize(static_cast<std::size_t>(how.max_windows));
  return plan;
}

}  // namespace rankine::models
