// JSON documents, read strictly.
#include "files/json_document.hpp"
#include "targets.hpp"

namespace rankine::fuzz {

namespace {

void read_document(const std::string& text, const std::filesystem::path&) {
  files::parse_json(text, "'document.json'");
}

}  // namespace

Target json_documents() {
  return {
      .name = "json",
      .seeds =
          {R"({"a": [1, -2.5e3, true, false, null, "x\n\u00e9\ud83d\ude00"], "b": {"c": {}}, "d": []})",
           R"(["", 0, 18446744073709551615, -9223372036854775808, 1e-7])", "\"text\"", " 3 ",
           project_file("inputs/models/stories260K/config.json")},
      .words = {"{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud83d", "true", "nul", "//",
                "/*", "1e", "\xf0\x9f\x98\x80", "\xc0\x80", "\xed\xa0\x80", "\"a\":1,"},
      .read = read_document};
}

}  // namespace rankine::fuzz
