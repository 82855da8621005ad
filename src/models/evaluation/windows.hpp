// The windows of tokens that perplexity is measured on.
//
// Two protocols. Stride equal to the window's length: windows side by side, in each of which all
// tokens but the first are predicted. A smaller stride: windows that overlap; after the first one
// only the new tokens are scored, with at least window_length - stride tokens before each. In both
// the tail that fills no window is dropped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/checkpoint/config.hpp"
#include "models/evaluation/options.hpp"

namespace rankine::models {

/// A text as the deck gives it: token ids, in rows that are cut into windows each by itself.
struct TokenText {
  std::vector<std::int64_t> ids;
  std::int64_t row_length = 0;  ///< all of them for a plain text
  bool has_rows = false;        ///< a .npy file of two axes
};

/// Window `begin` .. `begin + length` of the ids; targets from position `first_scored` of the
/// window on are scored.
struct Window {
  std::int64_t begin;
  std::int64_t length;
  std::int64_t first_scored;
  std::optional<std::int64_t> beginning;  ///< a token put before it; positions count from it

  std::int64_t tokens() const { return length + (beginning ? 1 : 0); }
  std::int64_t scored() const { return tokens() - first_scored; }
  /// The ids the model sees.
  std::vector<std::int64_t> ids(const TokenText& text) const;
};

struct WindowPlan {
  TokenText text;
  std::vector<Window> windows;

  std::int64_t scored_tokens() const;
  std::int64_t longest_window() const;
};

/// Reads evaluate.text: a .npy file of ids, or text that the tokenizer beside the model encodes.
/// Throws InputError: file, tokenizer.
TokenText read_text(const EvaluateOptions& options);

/// Throws InputError where a sequence is longer than the context of the model in `folder`, or than
/// a sliding window of its attention.
void check_length(const ModelConfig& config, std::int64_t length, const std::string& folder);

/// Throws InputError: the text is shorter than a window or has rows without tokens, an id lies
/// beyond the vocabulary, a window is longer than check_length allows, or the model names no
/// beginning-of-sequence token.
WindowPlan plan_windows(const EvaluateOptions& options, const ModelConfig& config, TokenText text);

}  // namespace rankine::models
