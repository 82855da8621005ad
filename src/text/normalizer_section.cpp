// Reads "normalizer" of a tokenizer.json.
#include <map>

#include "text/tokenizer_sections.hpp"

namespace rankine::text {

namespace {

void add_steps(const files::JsonSection& section, Normalizer& normalizer) {
  static const std::map<std::string, UnicodeForm> forms = {{"NFC", UnicodeForm::nfc},
                                                           {"NFD", UnicodeForm::nfd},
                                                           {"NFKC", UnicodeForm::nfkc},
                                                           {"NFKD", UnicodeForm::nfkd}};
  const std::string type = section.text("type");
  if (type == "Sequence") {
    for (const files::JsonSection& part : section.sections("normalizers"))
      add_steps(part, normalizer);
  } else if (const auto form = forms.find(type); form != forms.end()) {
    normalizer.add(to_unicode_form(form->second));
  } else if (type == "Lowercase") {
    normalizer.add(to_lowercase());
  } else if (type == "StripAccents") {
    normalizer.add(without_accents());
  } else if (type == "Strip") {
    normalizer.add(stripped(section.flag("strip_left"), section.flag("strip_right")));
  } else if (type == "Prepend") {
    normalizer.add(with_beginning(section.text("prepend")));
  } else if (type == "Replace") {
    normalizer.add(replaced(read_pattern(section), section.text("content")));
  } else {
    section.refuse_unsupported(type);
  }
}

}  // namespace

Normalizer read_normalizer(const files::JsonSection& section) {
  Normalizer normalizer;
  add_steps(section, normalizer);
  return normalizer;
}

}  // namespace rankine::text
