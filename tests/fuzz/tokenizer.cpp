// tokenizer.json of language models, and what such a tokenizer makes of texts.
#include "text/tokenizer.hpp"

#include <array>
#include <cstdint>
#include <numeric>

#include "targets.hpp"

namespace rankine::fuzz {

namespace fs = std::filesystem;

namespace {

constexpr std::array texts{
    "", "the rank of a matrix, 12 of 345 -- isn't it?\n\n", "  <|endoftext|> \t<mask> rank one  ",
    "\xc3\xa9t\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80 caf\x65\xcc\x81",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"};

void read_tokenizer(const std::string& text, const fs::path& folder) {
  const auto tokenizer = text::Tokenizer::read(write_file(folder / "tokenizer.json", text));
  for (const char* words : texts)
    tokenizer.decode(tokenizer.encode(words, text::AddSpecialTokens::yes));
  std::vector<std::int32_t> ids(64);
  std::iota(ids.begin(), ids.end(), -2);
  tokenizer.decode(ids);
}

/// With everything around the model that is supported, on a vocabulary of a few tokens.
constexpr const char* llama_like =
    R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[)"
    R"({"id":8,"content":"<|begin|>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},)"
    R"({"id":9,"content":"<mask>","single_word":false,"lstrip":true,"rstrip":true,"normalized":true,"special":true}],)"
    R"("normalizer":null,"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":)"
    R"("(?i:'s|'t|'re)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},)"
    R"("behavior":"Isolated","invert":false},{"type":"Digits","individual_digits":true},)"
    R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]},)"
    R"("post_processor":{"type":"Sequence","processors":[{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":false,)"
    R"("use_regex":true},{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<|begin|>","type_id":0}},)"
    R"({"Sequence":{"id":"A","type_id":0}}],"pair":[],"special_tokens":{"<|begin|>":{"id":"<|begin|>","ids":[8],)"
    R"("tokens":["<|begin|>"]}}}]},"decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},)"
    R"("model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,"end_of_word_suffix":null,)"
    R"("fuse_unk":false,"byte_fallback":false,"ignore_merges":true,)"
    R"("vocab":{"a":0,"t":1,"h":2,"e":3,"th":4,"the":5,"aa":6,"!":7},"merges":["t h","th e","a a"]}})";

constexpr const char* gpt2_like =
    R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[{"id":0,"content":"<unk>","single_word":false,)"
    R"("lstrip":false,"rstrip":false,"normalized":false,"special":true}],"normalizer":null,)"
    R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"String":"--"},"behavior":"Removed",)"
    R"("invert":false},{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true}]},)"
    R"("post_processor":null,"decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},)"
    R"("model":{"type":"BPE","dropout":null,"unk_token":"<unk>","continuing_subword_prefix":null,"end_of_word_suffix":null,)"
    R"("fuse_unk":true,"byte_fallback":false,"ignore_merges":false,)"
    R"("vocab":{"<unk>":0,"t":1,"h":2,"e":3,"Ġ":4,"Ġt":5,"he":6,"Ġthe":7},"merges":[["Ġ","t"],["h","e"],["Ġt","he"]]}})";

/// Pair encoding of characters with their bytes, behind all normalizers and before most decoders.
constexpr const char* llama2_like =
    R"({"version":"1.0","truncation":{"max_length":4},"padding":null,"added_tokens":[{"id":0,"content":"<unk>","single_word":true,)"
    R"("lstrip":false,"rstrip":true,"normalized":true,"special":true}],"normalizer":{"type":"Sequence","normalizers":[{"type":"NFKC"},)"
    R"({"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"},{"type":"Lowercase"},{"type":"StripAccents"},)"
    R"({"type":"Strip","strip_left":true,"strip_right":false},{"type":"Replace","pattern":{"Regex":"a{2,}"},"content":"a"}]},)"
    R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Split","pattern":{"String":","},)"
    R"("behavior":"MergedWithPrevious","invert":true},{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":true}]},)"
    R"("post_processor":null,"decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},)"
    R"({"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},)"
    R"("model":{"type":"BPE","dropout":null,"unk_token":"<unk>","continuing_subword_prefix":null,"end_of_word_suffix":null,)"
    R"("fuse_unk":true,"byte_fallback":true,"ignore_merges":false,)"
    R"("vocab":{"<unk>":0,"t":1,"h":2,"e":3,"▁":4,"▁t":5,"he":6,"▁the":7,"<0xC3>":8,"<0xA9>":9},"merges":["▁ t","h e","▁t he"]}})";

constexpr const char* unigram_like =
    R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":{"type":"NFD"},)"
    R"("pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true},"post_processor":null,)"
    R"("decoder":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true},"model":{"type":"Unigram","unk_id":0,)"
    R"("byte_fallback":true,"vocab":[["<unk>",0.0],["▁",-2.5],["▁the",-3.0],["t",-4.0],["h",-4.25],["e",-3.5],["he",-5.0],["<0xCC>",-9.0],["<0x81>",-9.0]]}})";

}  // namespace

Target tokenizers() {
  Target target{
      .name = "tokenizer",
      // The small ones come more often: of the others most changes only meet the vocabulary.
      .seeds = {llama_like, gpt2_like, llama2_like, unigram_like, llama_like, gpt2_like,
                llama2_like, unigram_like},
      .words = {"\"\"",
                "(a+)+[bc]",
                "(?:a|aa)+[bc]|",
                "(?=",
                "(?<!a)",
                "[^a",
                "\\\\p{L}",
                "\\\\p{Foo}",
                "{1,99999}",
                "{0}",
                "(?i)",
                "\\\\G",
                "\\\\K",
                "(*LIMIT_MATCH=1)",
                "(?R)",
                "(?1)",
                "\\\\1",
                "\\\\x{110000}",
                "|",
                "*",
                "+",
                "\\u0120",
                "\\ud800",
                "\\u0000",
                "{\"type\":\"Sequence\",\"pretokenizers\":[",
                "\"type\":\"Digits\",",
                "\"Metaspace\"",
                "\"WordPiece\"",
                "\"dropout\":0.5,",
                "\"byte_fallback\":true,",
                "{\"type\":\"ByteLevel\"}",
                "\"Unigram\"",
                "\"Contiguous\"",
                "\"StripAccents\"",
                "{\"String\":\"\"}",
                "1e999",
                "-1e308",
                "4294967297",
                "[\"t\",\"h\"],",
                "\"t  h\",",
                "\"t\","},
      .read = read_tokenizer};
  for (const char* name : {"digits", "gpt2", "llama3", "unknown"})
    target.seeds.push_back(project_file(std::string("tests/data/tokenizers/") + name + ".json"));
  return target;
}

}  // namespace rankine::fuzz
