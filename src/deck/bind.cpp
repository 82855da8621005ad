// Type, range and choice checks of one value, element by element for lists.
#include "deck/bind.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "deck/suggestion.hpp"
#include "deck/toml_text.hpp"

namespace rankine::deck {
namespace {

/// Decks know one integer type; what a narrower target cannot hold is refused, not wrapped.
template <typename T>
using Stored = std::conditional_t<std::is_same_v<T, int>, std::int64_t, T>;

std::string shown(const TomlValue& value) {
  return std::visit(
      [&value]<typename T>(const T& data) -> std::string {
        constexpr bool is_scalar = !std::is_same_v<T, TomlValue::Unsupported> &&
                                   !std::is_same_v<T, std::vector<TomlValue>>;
        if constexpr (is_scalar) {
          return fmt::format("{} {}", value.kind(), to_toml(data));
        } else {
          return value.kind();
        }
      },
      value.data);
}

template <typename T>
std::optional<T> typed(const TomlValue& value) {
  if (const T* exact = std::get_if<T>(&value.data)) return *exact;
  if constexpr (std::is_same_v<T, double>) {
    if (const auto* integer = std::get_if<std::int64_t>(&value.data)) {
      return static_cast<double>(*integer);
    }
  }
  return std::nullopt;
}

struct Objection {
  std::string why;
  std::string advice;
};

std::optional<Objection> object_to(const Keyword&, bool) { return std::nullopt; }

std::optional<Objection> object_to(const Keyword& keyword, double value) {
  if (!std::isfinite(value)) return Objection{"it must be finite", "Give a finite number."};
  if (keyword.range.contains(value)) return std::nullopt;
  return Objection{"it must be " + keyword.allowed(), "Choose a value in this range."};
}

std::optional<Objection> object_to(const Keyword& keyword, std::int64_t value) {
  return object_to(keyword, static_cast<double>(value));
}

std::optional<Objection> object_to(const Keyword& keyword, const std::string& value) {
  if (value.find('\0') != value.npos)
    return Objection{"a text holds no zero byte", "Write it without \\u0000."};
  const auto& choices = keyword.choices;
  if (choices.empty() || std::find(choices.begin(), choices.end(), value) != choices.end()) {
    return std::nullopt;
  }
  const auto close = nearest(value, choices);
  return Objection{
      "it must be " + keyword.allowed(),
      close ? fmt::format("Did you mean {}?", to_toml(*close)) : "Choose one of them."};
}

class Binder {
 public:
  Binder(const Keyword& keyword, const TomlValue& value, Findings& findings)
      : keyword_(keyword), value_(value), findings_(findings) {}

  template <typename T>
  void operator()(T* target) const {
    take(value_, *target, keyword_.key(), keyword_.type_name());
  }

  template <typename T>
  void operator()(std::vector<T>* target) const {
    target->clear();
    const auto* list = std::get_if<std::vector<TomlValue>>(&value_.data);
    if (list == nullptr) {
      take(value_, target->emplace_back(), keyword_.key(), keyword_.type_name());
      return;
    }
    if (list->empty() && keyword_.empty_list == Keyword::EmptyList::refused) {
      findings_.add(value_.source, {.what = keyword_.key() + " = []",
                                    .why = "an empty list",
                                    .advice = "Give at least one value."});
    }
    for (const TomlValue& element : *list) {
      const std::string label = fmt::format("element {} of {}", target->size() + 1, keyword_.key());
      take(element, target->emplace_back(), label, keyword_.element_type_name());
    }
  }

 private:
  template <typename T>
  void take(const TomlValue& value, T& target, const std::string& label,
            const std::string& expected) const {
    const auto stored = typed<Stored<T>>(value);
    if (!stored) {
      findings_.add(value.source,
                    {.what = label + " has the wrong type",
                     .why = fmt::format("expected {}, found {}", expected, shown(value)),
                     .advice = fmt::format("See --help-deck {}.", keyword_.key())});
      return;
    }
    std::optional<Objection> objection = object_to(keyword_, *stored);
    if constexpr (std::is_same_v<T, int>) {
      if (!objection && !std::in_range<int>(*stored)) {
        objection = Objection{"it does not fit 32 bits", "Choose a smaller magnitude."};
      }
    }
    if (objection) {
      findings_.add(value.source, {.what = fmt::format("{} = {}", label, to_toml(*stored)),
                                   .why = objection->why,
                                   .advice = objection->advice});
      return;
    }
    target = static_cast<T>(*stored);
  }

  const Keyword& keyword_;
  const TomlValue& value_;
  Findings& findings_;
};

}  // namespace

void bind(Keyword& keyword, const TomlValue& value, Findings& findings) {
  keyword.source = value.source;
  std::visit(Binder(keyword, value, findings), keyword.target);
  keyword.take_names();
}

}  // namespace rankine::deck
