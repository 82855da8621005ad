// The sections of a tokenizer.json, each read by one function. All throw InputError, naming the
// file and the place, for what is wrong or not supported.
#pragma once

#include <vector>

#include "files/json_section.hpp"
#include "text/tokenizer_file.hpp"

namespace rankine::text {

/// "normalizer".
Normalizer read_normalizer(const files::JsonSection& section);

/// "pre_tokenizer": nothing may follow ByteLevel in a Sequence.
WordsSection read_pre_tokenizer(const files::JsonSection& section);

/// "pattern" within `section`: a text or a regular expression.
Pattern read_pattern(const files::JsonSection& section);

/// Metaspace, as pre-tokenizer or decoder.
Metaspace read_metaspace(const files::JsonSection& section);

/// "model" of the types BPE and Unigram.
PairModel read_pair_model(const files::JsonSection& model, Letters letters);
UnigramModel read_unigram_model(const files::JsonSection& model);

/// "added_tokens" of `document`. A token that is in the vocabulary has its id there; the others
/// continue the ids in their order.
std::vector<AddedToken> read_added_tokens(const files::JsonSection& document,
                                          const Vocabulary& vocabulary);

/// "post_processor": TemplateProcessing, ByteLevel (which changes no ids) or a Sequence of these.
Template read_post_processor(const files::JsonSection& section);

/// "decoder".
Decoder read_decoder(const files::JsonSection& section);

}  // namespace rankine::text
