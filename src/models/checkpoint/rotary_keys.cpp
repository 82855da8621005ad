#include "models/checkpoint/rotary_keys.hpp"

#include <fmt/format.h>

#include <cmath>
#include <initializer_list>

namespace rankine::models {

namespace {

/// "rope_type", which older files call "type".
std::string rope_type(const ConfigSection& rope) {
  const std::string type = rope.has("type") ? rope.text("type") : "default";
  if (!rope.has("rope_type")) return type;
  if (rope.has("type") && type != rope.text("rope_type"))
    rope.refuse_value("rope_type", fmt::format("\"type\" beside it says \"{}\"", type));
  return rope.text("rope_type");
}

RopeScaling llama3_scaling(const ConfigSection& rope) {
  const RopeScaling result{.factor = rope.number("factor"),
                           .low_freq_factor = rope.number("low_freq_factor"),
                           .high_freq_factor = rope.number("high_freq_factor"),
                           .original_context = rope.number("original_max_position_embeddings")};
  if (result.factor < 1) rope.refuse_value("factor", "numbers from 1 on are");
  if (result.low_freq_factor <= 0) rope.refuse_value("low_freq_factor", "numbers above 0 are");
  if (result.high_freq_factor <= result.low_freq_factor)
    rope.refuse_value("high_freq_factor", "numbers above low_freq_factor are");
  if (result.original_context < 1)
    rope.refuse_value("original_max_position_embeddings", "numbers from 1 on are");
  return result;
}

double linear_stretch(const ConfigSection& rope) {
  if (rope.number("factor") < 1) rope.refuse_value("factor", "numbers from 1 on are");
  return rope.number("factor");
}

std::vector<double> divisors(const ConfigSection& rope, const char* key, std::int64_t count) {
  std::vector<double> all;
  rope.has(key);
  for (const auto& value : rope.json().array(key)) {
    if (!value.is_number() || !(value.get<double>() > 0))
      rope.refuse_wrong(fmt::format("{} holds something other than numbers above 0", key));
    all.push_back(value.get<double>());
  }
  if (std::ssize(all) != count)
    rope.refuse_wrong(fmt::format("{} has {} numbers and not {}", key, all.size(), count));
  return all;
}

/// Sequences up to the original context have the short factors; longer ones would have others in
/// all their positions.
void read_longrope(const ConfigSection& values, const ConfigSection& rope, ModelConfig& config,
                   Rotary& rotary) {
  constexpr const char* key = "original_max_position_embeddings";
  const ConfigSection& place = rope.has(key) ? rope : values;
  const auto original = place.whole(key, 2, 1'000'000'000);
  rotary.divisors = divisors(rope, "short_factor", rotary.turned / 2);
  divisors(rope, "long_factor", rotary.turned / 2);
  const double factor = static_cast<double>(config.context) / static_cast<double>(original);
  rotary.magnitude = rope.number(
      "attention_factor",
      factor <= 1 ? 1 : std::sqrt(1 + std::log(factor) / std::log(static_cast<double>(original))));
  if (original >= config.context) return;
  config.notices.push_back(
      fmt::format("{}: sequences of at most {} tokens are computed, those whose positions have "
                  "short_factor (of {}).",
                  values.name(), original, config.context));
  config.context = original;
}

class RotaryReader {
 public:
  RotaryReader(const ConfigSection& values, ModelConfig& config)
      : values_(values), config_(config), keys_(config.architecture->keys) {}

  /// `section` is empty where no object speaks of these layers.
  Rotary read(const std::optional<ConfigSection>& section, const char* theta_key,
              double theta_if_absent) {
    Rotary rotary;
    const bool is_local = theta_key == keys_.local_theta;
    const std::optional<double> theta =
        number_in(section, "rope_theta", {theta_key, is_local ? theta_key : "rope_theta"});
    rotary.theta = theta.value_or(theta_if_absent);
    if (rotary.theta <= 1)
      values_.refuse_wrong(fmt::format("{} = {} is not above 1", theta_key, rotary.theta));
    const double part =
        number_in(section, "partial_rotary_factor", {keys_.turned_part, "partial_rotary_factor"})
            .value_or(config_.architecture->defaults.turned_part);
    rotary.turned = static_cast<std::int64_t>(part * static_cast<double>(config_.head_size));
    if (part <= 0 || part > 1 || rotary.turned < 2 || rotary.turned % 2 != 0)
      values_.refuse_wrong(
          fmt::format("rotary positions turn {} of the {} numbers of a head, and an even number "
                      "is needed",
                      rotary.turned, config_.head_size));
    rotary.pairs = pairs();
    if (section) read_scaling(*section, rotary);
    return rotary;
  }

 private:
  /// Of the object, or of the file under one of these keys; where several speak, they must agree.
  std::optional<double> number_in(const std::optional<ConfigSection>& section,
                                  const char* in_object,
                                  std::initializer_list<const char*> in_file) const {
    std::optional<double> found;
    for (const char* key : in_file) {
      if (!values_.has(key)) continue;
      const double value = values_.number(key);
      if (found && *found != value)
        values_.refuse_value(key, fmt::format("{} contradicts it", *in_file.begin()));
      found = value;
    }
    if (!section || !section->has(in_object)) return found;
    const double value = section->number(in_object);
    if (found && *found != value)
      values_.refuse_value(
          values_.has(*in_file.begin()) ? *in_file.begin() : in_object,
          fmt::format("{}.{} contradicts it",
                      values_.has("rope_parameters") ? "rope_parameters" : "rope_scaling",
                      in_object));
    return value;
  }

  RopePairs pairs() const {
    const std::string pairs = values_.has("rope_pairs") ? values_.text("rope_pairs") : "halves";
    if (pairs == "adjacent") return RopePairs::adjacent;
    if (pairs != "halves") values_.refuse_value("rope_pairs", "\"halves\" and \"adjacent\" are");
    return RopePairs::halves;
  }

  void read_scaling(const ConfigSection& rope, Rotary& rotary) {
    const std::string type = rope_type(rope);
    if (type == "llama3")
      rotary.scaling = llama3_scaling(rope);
    else if (type == "linear")
      rotary.stretch = linear_stretch(rope);
    else if (type == "longrope")
      read_longrope(values_, rope, config_, rotary);
    else if (type != "default")
      rope.refuse_value(rope.has("rope_type") ? "rope_type" : "type",
                        "\"default\", \"linear\", \"llama3\" and \"longrope\" are");
    rope.refuse_unknown_keys();
  }

  const ConfigSection& values_;
  ModelConfig& config_;
  const ConfigKeys& keys_;
};

/// The object that speaks of positions, in newer files or older ones.
std::optional<ConfigSection> rope_section(const ConfigSection& values) {
  const bool both = values.has("rope_scaling") && values.has("rope_parameters");
  const auto& object = values.json().object();
  if (both && object.at("rope_scaling") != object.at("rope_parameters"))
    values.refuse_wrong("rope_scaling and rope_parameters contradict each other");
  for (const char* key : {"rope_parameters", "rope_scaling"})
    if (values.has(key)) return values.section(key);
  return std::nullopt;
}

/// Of the layers that see all tokens, and of those with a window where it is another.
struct RopeSections {
  std::optional<ConfigSection> whole;
  std::optional<ConfigSection> local;
};

RopeSections rope_sections(const ConfigSection& values) {
  const std::optional<ConfigSection> rope = rope_section(values);
  if (!rope || !(rope->has("full_attention") || rope->has("sliding_attention")))
    return {rope, std::nullopt};
  const auto part = [&](const char* key) {
    return rope->has(key) ? std::optional(rope->section(key)) : std::nullopt;
  };
  RopeSections both{part("full_attention"), part("sliding_attention")};
  rope->refuse_unknown_keys();
  return both;
}

}  // namespace

void read_rotary(const ConfigSection& values, ModelConfig& config) {
  values.require("rope_interleaved", "false");
  const Architecture& architecture = *config.architecture;
  RotaryReader reader(values, config);
  const RopeSections sections = rope_sections(values);
  const char* theta = architecture.keys.rope_theta;
  const char* local_theta = architecture.keys.local_theta;
  config.rotary = reader.read(sections.whole, theta, architecture.defaults.theta);
  if (sections.local || local_theta)
    config.local_rotary = reader.read(sections.local, local_theta ? local_theta : theta,
                                      architecture.defaults.local_theta);
}

}  // namespace rankine::models
