#include "models/evaluation/task_items.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/errors.hpp"
#include "core/input_file.hpp"
#include "core/text_format.hpp"
#include "core/text_lines.hpp"
#include "deck/suggestion.hpp"
#include "files/json_document.hpp"
#include "text/utf8.hpp"

namespace rankine::models {

using nlohmann::json;

namespace {

constexpr const char* form_of_lines =
    R"(Each line is {"context": TEXT, "choices": [TEXT, ...], "answer": PLACE FROM 0})";

/// A line of a file, with what it is called in messages.
class TaskLine {
 public:
  TaskLine(std::string_view text, std::string place)
      : place_(std::move(place)), object_(files::parse_json(text, place_)) {
    if (!object_.is_object()) refuse("it is no object");
    const std::vector<std::string> known{"context", "choices", "answer", "delimiter", "id"};
    for (const auto& [key, value] : object_.items()) {
      if (std::ranges::find(known, key) != known.end()) continue;
      const auto meant = deck::nearest(key, known);
      refuse(fmt::format("the key '{}' means nothing here{}", key,
                         meant ? fmt::format("; did you mean '{}'?", *meant) : ""));
    }
  }

  [[noreturn]] void refuse(const std::string& why) const {
    throw InputError(fmt::format("Cannot use {} ({}). {}.", place_, why, form_of_lines));
  }

  std::vector<std::string> choices() const {
    std::vector<std::string> all = texts("choices");
    if (all.size() < 2) refuse(fmt::format("it has {}", counted(std::ssize(all), "choice")));
    if (std::ranges::any_of(all, [](const std::string& one) { return one.empty(); }))
      refuse("a choice is empty");
    return all;
  }

  /// One for each choice, or one for all.
  std::vector<std::string> contexts(std::size_t choices) const {
    if (at("context").is_string()) return std::vector(choices, text(at("context"), "context"));
    std::vector<std::string> all = texts("context");
    if (all.size() != choices)
      refuse(fmt::format("it has {} and {}", counted(std::ssize(all), "context"),
                         counted(static_cast<std::int64_t>(choices), "choice")));
    return all;
  }

  std::int64_t answer(std::size_t choices) const {
    const json& value = at("answer");
    if (!value.is_number_integer() || value < 0 || value >= choices)
      refuse(fmt::format("its answer is {}, where choices are counted from 0 to {}", value.dump(),
                         choices - 1));
    return value.get<std::int64_t>();
  }

  std::string delimiter() const {
    return object_.contains("delimiter") ? text(at("delimiter"), "delimiter") : " ";
  }

 private:
  const json& at(const char* key) const {
    if (!object_.contains(key)) refuse(fmt::format("the key '{}' is missing", key));
    return object_.at(key);
  }
  std::string text(const json& value, const char* key) const {
    if (!value.is_string()) refuse(fmt::format("its '{}' holds {}, no text", key, value.dump()));
    return value.get<std::string>();
  }
  std::vector<std::string> texts(const char* key) const {
    if (!at(key).is_array()) refuse(fmt::format("its '{}' is no list", key));
    std::vector<std::string> all;
    for (const json& value : at(key)) all.push_back(text(value, key));
    return all;
  }

  std::string place_;
  json object_;
};

std::int64_t characters_of(const std::string& text) {
  return std::ranges::count_if(text, [](char byte) { return (byte & 0xC0) != 0x80; });
}

/// Where the white space at the end of a text begins.
std::size_t end_of_words(std::string_view text) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < text.size();) {
    const text::CodePoint next = text::first_code_point(text.substr(i));
    i += next.bytes;
    if (!next.value || !text::is_white_space(*next.value)) end = i;
  }
  return end;
}

void check_choice(const TaskChoice& choice, const ModelConfig& config, const TaskLine& line) {
  if (choice.first_scored == 0 || choice.scored() == 0)
    line.refuse("nothing is left to predict: a context or a choice has no tokens of its own");
  if (choice.scored() > config.context)
    line.refuse(fmt::format("a choice has {}, and the context of the model ends at {}",
                            counted(choice.scored(), "token"), config.context));
  const auto wrong = std::ranges::find_if(
      choice.ids, [&](std::int64_t id) { return id >= config.vocabulary_size; });
  if (wrong != choice.ids.end())
    line.refuse(fmt::format(
        "its token {} is beyond the vocabulary of {}: the tokenizer.json is not of this model",
        *wrong, config.vocabulary_size));
}

TaskItem item_of(const TaskLine& line, const TaskTokens& tokens, const ModelConfig& config) {
  const std::vector<std::string> choices = line.choices();
  const std::vector<std::string> contexts = line.contexts(choices.size());
  TaskItem item{.choices = {}, .answer = line.answer(choices.size())};
  for (std::size_t c = 0; c < choices.size(); ++c) {
    TaskChoice choice = tokens.choice(contexts[c], line.delimiter() + choices[c]);
    choice.characters = characters_of(choices[c]);
    choice.bytes = std::ssize(choices[c]);
    check_choice(choice, config, line);
    item.choices.push_back(std::move(choice));
  }
  return item;
}

std::string load_task(const std::string& path) {
  try {
    return read_input(path);
  } catch (const UnreadableInput& error) {
    throw InputError(
        fmt::format("the task {} cannot be read ({}). Name files of JSON lines in tasks.files.",
                    path, error.reason()));
  }
}

void read_task(const std::string& path, std::int64_t most, const TaskTokens& tokens,
               const ModelConfig& config, TaskPlan& plan) {
  Task task{.name = std::filesystem::path(path).stem().string(), .first = plan.items.size()};
  for_each_line(load_task(path), [&](int number, std::string_view text) {
    if (most > 0 && plan.items.size() - task.first >= static_cast<std::size_t>(most)) return;
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) return;
    const TaskLine line(text, fmt::format("line {} of the task {}", number, path));
    plan.items.push_back(item_of(line, tokens, config));
  });
  task.count = plan.items.size() - task.first;
  if (task.count == 0)
    throw InputError(
        fmt::format("the task {} holds no item (it is empty). {}.", path, form_of_lines));
  for (const Task& other : plan.tasks)
    if (other.name == task.name)
      throw InputError(fmt::format(
          "tasks.files names two tasks '{}' (results are called as their files are). Rename the "
          "file {}.",
          task.name, path));
  plan.tasks.push_back(task);
}

}  // namespace

std::int64_t TaskItem::shared_tokens() const {
  const std::vector<std::int64_t>& first = choices.front().ids;
  std::int64_t shared = choices.front().first_scored - 1;
  for (const TaskChoice& choice : choices) {
    shared = std::min(shared, choice.first_scored - 1);
    const auto differ = std::mismatch(first.begin(), first.begin() + shared, choice.ids.begin());
    shared = differ.first - first.begin();
  }
  return shared;
}

std::int64_t TaskItem::longest() const {
  std::int64_t longest = 0;
  for (const TaskChoice& choice : choices) longest = std::max(longest, std::ssize(choice.ids));
  return longest;
}

std::size_t TaskPlan::choices() const {
  std::size_t sum = 0;
  for (const TaskItem& item : items) sum += item.choices.size();
  return sum;
}

std::int64_t TaskPlan::longest() const {
  std::int64_t longest = 0;
  for (const TaskItem& item : items) longest = std::max(longest, item.longest());
  return longest;
}

TaskTokens::TaskTokens(const text::Tokenizer& tokenizer, const ModelConfig& config,
                       BeginningOfSequence rule)
    : tokenizer_(tokenizer), config_(config), rule_(rule) {
  if (config.beginning_of_sequence)
    beginning_ = tokenizer.decode(std::vector<std::int32_t>{*config.beginning_of_sequence});
}

std::vector<std::int64_t> TaskTokens::encode(std::string_view text) const {
  // A text that begins with the token in words gets no second one.
  const bool has_beginning = !beginning_.empty() && text.starts_with(beginning_);
  const bool adds = rule_ != BeginningOfSequence::never && !has_beginning;
  const auto ids =
      tokenizer_.encode(text, adds ? text::AddSpecialTokens::yes : text::AddSpecialTokens::no);
  std::vector<std::int64_t> all(ids.begin(), ids.end());
  if (adds && rule_ == BeginningOfSequence::each_window && !tokenizer_.adds_beginning() &&
      config_.beginning_of_sequence)
    all.insert(all.begin(), *config_.beginning_of_sequence);
  return all;
}

TaskChoice TaskTokens::cut(std::vector<std::int64_t> context,
                           std::vector<std::int64_t> scored) const {
  TaskChoice choice{.ids = std::move(context)};
  choice.first_scored = std::ssize(choice.ids);
  choice.ids.insert(choice.ids.end(), scored.begin(), scored.end());
  // The last token is predicted only, so one more than the context fits.
  const std::int64_t beyond = std::ssize(choice.ids) - (config_.context + 1);
  if (beyond <= 0 || beyond >= choice.first_scored) return choice;
  choice.ids.erase(choice.ids.begin(), choice.ids.begin() + beyond);
  choice.first_scored -= beyond;
  return choice;
}

/// An empty context is the token that sequences begin with, or else the one that ends them.
TaskChoice TaskTokens::behind_nothing(std::string_view continuation) const {
  const auto ids = tokenizer_.encode(continuation, text::AddSpecialTokens::no);
  std::vector<std::int64_t> scored(ids.begin(), ids.end());
  std::optional<std::int32_t> before = config_.beginning_of_sequence;
  if (!before && !config_.end_of_sequence.empty()) before = config_.end_of_sequence.front();
  if (scored.empty() || !before) return {.ids = std::move(scored), .first_scored = 0};
  if (scored.front() == *before) scored.erase(scored.begin());
  return cut({*before}, std::move(scored));
}

TaskChoice TaskTokens::choice(std::string_view context, std::string_view continuation) const {
  if (context.empty()) return behind_nothing(continuation);
  const std::size_t end = end_of_words(context);
  const std::string whole = std::string(context) + std::string(continuation);
  // Blanks between the two belong to what follows, as tokenizers have them.
  std::vector<std::int64_t> before = encode(context.substr(0, end));
  const std::vector<std::int64_t> all = encode(whole);
  const auto scored = std::min(before.size(), all.size());
  return cut(std::move(before), {all.begin() + static_cast<std::ptrdiff_t>(scored), all.end()});
}

TaskPlan read_tasks(const EvaluateOptions& options, const ModelConfig& config) {
  TaskPlan plan;
  if (options.tasks.files.empty()) return plan;
  const auto tokenizer =
      text::Tokenizer::read(std::filesystem::path(options.model.path) / "tokenizer.json");
  const TaskTokens tokens(tokenizer, config, options.evaluate.beginning_of_sequence);
  for (const std::string& path : options.tasks.files)
    read_task(path, options.tasks.max_items, tokens, config, plan);
  return plan;
}

}  // namespace rankine::models
