// Prints the ids of a text file, one a line, for comparison with other tokenizers.
//   tokenize_file TOKENIZER.json TEXT.txt
#include <cstdio>
#include <exception>

#include "files/json_document.hpp"
#include "text/tokenizer.hpp"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("tokenize_file TOKENIZER.json TEXT.txt\n", stderr);
    return 2;
  }
  try {
    using namespace rankine;
    const auto tokenizer = text::Tokenizer::read(argv[1]);
    const std::string text = files::read_text(argv[2]);
    for (const auto id : tokenizer.encode(text, text::AddSpecialTokens::yes)) {
      std::printf("%d\n", id);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tokenize_file: %s\n", error.what());
    return 2;
  }
}
