// The sections of a tokenizer.json, each read by one function. All throw InputError, naming the
// file and the place, for what is wrong or not supported.
#pragma once

#include <vector>

#include "files/json_section.hpp"
#include "text/tokenizer_file.hpp"

namespace rankine::text {

/// "model": its type must be BPE.
PairModel read_pair_model(const files::JsonSection& model);

/// "pre_tokenizer": Split, Digits and ByteLevel, or a Sequence of them that ByteLevel ends.
PreTokenizer read_pre_tokenizer(const files::JsonSection& section);

/// "added_tokens" of `document`. A token that is in the vocabulary has its id there; the others
/// continue the ids in their order.
std::vector<AddedToken> read_added_tokens(const files::JsonSection& document,
                                          const Vocabulary& vocabulary);

/// "post_processor": TemplateProcessing, ByteLevel (which changes no ids) or a Sequence of these.
Template read_post_processor(const files::JsonSection& section);

}  // namespace rankine::text
