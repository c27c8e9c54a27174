// SPDX-License-Identifier: Apache-2.0
#include "importer/hf/hf_tokenizer.h"

#include <algorithm>
#include <string>

#include "importer/convert/nearest_split.h"
#include "importer/convert/score_merges.h"
#include "importer/convert/vocabulary.h"
#include "importer/hf/json_fields.h"
#include "tokenizer/split_patterns.h"

namespace llma {
namespace {

Error BadToken(const std::string& token, const char* what) {
  return Error{ErrorCode::kCorrupt, "token " + token + " " + what};
}

Status CheckModel(const JsonFields& model) {
  LLMA_ASSIGN(const auto type, model.GetStringOr("type", "BPE"));
  if (type != "BPE") {
    return model.FieldError(
        "type", "is " + std::string(type) + " (only BPE can be read)");
  }
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    LLMA_ASSIGN(const auto affix, model.GetStringOr(key, ""));
    if (!affix.empty()) return model.FieldError(key, "is not supported");
  }
  return OkStatus();
}

// Puts a token at its id; `id` counts as at most kMaxVocabularyTokens.
Status SetToken(const std::string& token, const JsonValue* id_value,
                TokenKind kind, SourceVocabulary& vocabulary) {
  const auto id = id_value != nullptr ? id_value->AsCount() : std::nullopt;
  if (!id || *id >= kMaxVocabularyTokens) {
    return BadToken(token, "has no usable id");
  }
  if (*id >= vocabulary.tokens.size()) {
    vocabulary.tokens.resize(*id + 1);
    vocabulary.kinds.resize(*id + 1, TokenKind::kNone);
  }
  std::string_view& spelling = vocabulary.tokens[*id];
  if (!spelling.empty() && spelling != token) {
    return BadToken(token, "has the id of another one");
  }
  spelling = token;
  vocabulary.kinds[*id] = kind;
  return OkStatus();
}

Status ReadTokens(const JsonFields& fields, const JsonFields& model,
                  SourceVocabulary& vocabulary) {
  const bool has_characters = vocabulary.pre_tokenizer == kSentencePiece;
  LLMA_ASSIGN(const JsonValue* tokens, model.GetObject("vocab"));
  std::string byte;
  for (const auto& [token, id] : *tokens->AsObject()) {
    const bool is_byte =
        has_characters && DecodeSentencePiece(token, TokenKind::kByte, byte);
    LLMA_TRY(SetToken(token, &id, is_byte ? TokenKind::kByte : TokenKind::kText,
                      vocabulary));
  }
  if (!fields.Has("added_tokens")) return OkStatus();
  LLMA_ASSIGN(const auto* added, fields.GetArray("added_tokens"));
  for (const JsonValue& entry : *added) {
    LLMA_ASSIGN(const auto content,
                JsonFields(entry, "added_tokens").GetString("content"));
    // The string that outlives this call.
    const std::string& token = *entry.Find("content")->AsString();
    const JsonValue* known = tokens->Find(content);
    const JsonValue* id = entry.Find("id");
    if (known != nullptr &&
        (id == nullptr || known->AsCount() != id->AsCount())) {
      return BadToken(token, "has two ids");
    }
    LLMA_ASSIGN(const bool is_special,
                JsonFields(entry, "added_tokens").GetBoolOr("special", true));
    // Those that are not special are found in a text before anything else.
    LLMA_TRY(SetToken(
        token, id,
        has_characters && !is_special ? TokenKind::kWhole : TokenKind::kNone,
        vocabulary));
  }
  return OkStatus();
}

// Merges are "a b" or ["a", "b"].
Status ReadMerges(const JsonFields& model, SourceVocabulary& vocabulary) {
  LLMA_ASSIGN(const auto* merges, model.GetArray("merges"));
  for (const JsonValue& merge : *merges) {
    if (const std::string* text = merge.AsString()) {
      LLMA_ASSIGN(const TokenPair pair, SplitMerge(*text));
      vocabulary.merges.push_back(pair);
      continue;
    }
    const auto* pair = merge.AsArray();
    if (pair == nullptr || pair->size() != 2 ||
        (*pair)[0].AsString() == nullptr || (*pair)[1].AsString() == nullptr) {
      return model.FieldError("merges", "has an entry that is not a pair");
    }
    vocabulary.merges.push_back(
        {*(*pair)[0].AsString(), *(*pair)[1].AsString()});
  }
  return OkStatus();
}

// Whether a step, or one of a sequence of them, writes U+2581 for a blank.
bool ReplacesBlanks(const JsonValue* step) {
  if (step == nullptr) return false;
  for (const char* key : {"normalizers", "pretokenizers"}) {
    const JsonValue* steps = step->Find(key);
    if (steps == nullptr || steps->AsArray() == nullptr) continue;
    for (const JsonValue& part : *steps->AsArray()) {
      if (ReplacesBlanks(&part)) return true;
    }
  }
  const auto is = [step](const char* key, std::string_view expected) {
    const JsonValue* value = step->Find(key);
    return value != nullptr && value->AsString() != nullptr &&
           *value->AsString() == expected;
  };
  return (is("type", "Replace") && is("content", "\u2581")) ||
         (is("type", "Metaspace") && is("replacement", "\u2581"));
}

// SentencePiece's BPE. Steps that change a text or cut it between words are not
// taken over: nothing is changed, and words are not merged with what is before
// them because no token is made so.
Status ReadSentencePiece(const JsonFields& fields, const JsonFields& model,
                         SourceVocabulary& vocabulary) {
  if (!ReplacesBlanks(fields.Find("normalizer")) &&
      !ReplacesBlanks(fields.Find("pre_tokenizer"))) {
    return model.FieldError("byte_fallback",
                            "is set, but nothing writes U+2581 for blanks");
  }
  LLMA_ASSIGN(const bool ignores, model.GetBoolOr("ignore_merges", false));
  if (ignores) return model.FieldError("ignore_merges", "is set");
  vocabulary.pre_tokenizer = kSentencePiece;
  LLMA_TRY(ReadTokens(fields, model, vocabulary));
  LLMA_TRY(ReadMerges(model, vocabulary));
  return MakeScoresFromMerges(vocabulary);
}

// The regular expressions by which the steps of a pre-tokenizer cut a text, in
// our notation, one after the other.
class SplitStages {
 public:
  Status Add(const JsonValue& step) {
    const JsonFields fields(step, "pre_tokenizer");
    LLMA_ASSIGN(const auto type, fields.GetString("type"));
    if (type == "Sequence") return AddAll(fields);
    if (type == "Split") return AddSplit(fields);
    if (type == "Digits") {
      LLMA_ASSIGN(const bool one, fields.GetBoolOr("individual_digits", false));
      stages_.push_back(one ? "\\p{N}" : "\\p{N}+");
      return OkStatus();
    }
    if (type == "ByteLevel") return AddByteLevel(fields);
    unknown_ = "type " + std::string(type);
    return OkStatus();
  }

  const std::vector<std::string_view>& stages() const { return stages_; }
  bool has_byte_level() const { return has_byte_level_; }
  // What is not understood of how it cuts; empty if all is.
  const std::string& unknown() const { return unknown_; }

 private:
  Status AddAll(const JsonFields& fields) {
    LLMA_ASSIGN(const auto* steps, fields.GetArray("pretokenizers"));
    // As deep as the JSON may be.
    for (const JsonValue& step : *steps) LLMA_TRY(Add(step));
    return OkStatus();
  }

  Status AddSplit(const JsonFields& fields) {
    LLMA_ASSIGN(const JsonValue* pattern, fields.GetObject("pattern"));
    const JsonFields kinds(*pattern, "pre_tokenizer.pattern");
    LLMA_ASSIGN(const auto behavior, fields.GetString("behavior"));
    LLMA_ASSIGN(const bool invert, fields.GetBoolOr("invert", false));
    if (!kinds.Has("Regex")) {
      unknown_ = "a Split by a text";
    } else if (behavior != "Isolated" || invert) {
      unknown_ = "a Split whose behavior is " + std::string(behavior);
    } else {
      LLMA_ASSIGN(const auto regex, kinds.GetString("Regex"));
      stages_.push_back(regex);
    }
    return OkStatus();
  }

  Status AddByteLevel(const JsonFields& fields) {
    // A blank before the first word matters to one token.
    LLMA_TRY(fields.GetBoolOr("add_prefix_space", true));
    LLMA_ASSIGN(const bool splits, fields.GetBoolOr("use_regex", true));
    if (splits) stages_.push_back(FindSplitPattern("gpt-2")->stages[0]);
    has_byte_level_ = true;
    return OkStatus();
  }

  std::vector<std::string_view> stages_;
  std::string unknown_;
  bool has_byte_level_ = false;
};

bool IsByteLevel(const JsonFields& fields, const char* key) {
  const JsonValue* step = fields.Find(key);
  const JsonValue* type = step != nullptr ? step->Find("type") : nullptr;
  return type != nullptr && type->AsString() != nullptr &&
         *type->AsString() == "ByteLevel";
}

// The pattern that the steps are; null, and why, if none is.
const SplitPattern* FindPattern(const SplitStages& split, bool ignores_merges,
                                std::string& why) {
  why = split.unknown();
  if (!why.empty()) return nullptr;
  const auto* pattern =
      FindSplitPatternByStages(split.stages(), ignores_merges);
  if (pattern != nullptr) return pattern;
  // What matters to few pieces.
  pattern = FindSplitPatternByStages(split.stages(), !ignores_merges);
  if (pattern != nullptr) return pattern;
  for (const std::string_view stage : split.stages()) {
    why += (why.empty() ? "" : ", then ") + std::string(stage);
  }
  return nullptr;
}

Status ReadPreTokenizer(const JsonFields& fields, const JsonFields& model,
                        SourceVocabulary& vocabulary,
                        std::vector<std::string>& notes) {
  SplitStages split;
  if (fields.Has("pre_tokenizer")) {
    LLMA_ASSIGN(const JsonValue* step, fields.GetObject("pre_tokenizer"));
    LLMA_TRY(split.Add(*step));
  }
  if (!split.has_byte_level() && !IsByteLevel(fields, "decoder")) {
    return fields.FieldError("pre_tokenizer",
                             "is not byte-level (only that can be read)");
  }
  LLMA_ASSIGN(const bool ignores, model.GetBoolOr("ignore_merges", false));
  std::string why;
  const SplitPattern* pattern = FindPattern(split, ignores, why);
  if (pattern != nullptr) {
    vocabulary.pre_tokenizer = pattern->name;
    return OkStatus();
  }
  vocabulary.pre_tokenizer = NearestSplitPattern(vocabulary);
  notes.push_back("the pre-tokenizer is not known (" + why +
                  "): a text is cut as for " +
                  std::string(vocabulary.pre_tokenizer) +
                  ", by the looks of the tokens; files may be larger than with "
                  "the right way");
  return OkStatus();
}

}  // namespace

Status ReadHfTokenizer(const JsonValue& json, SourceVocabulary& vocabulary,
                       std::vector<std::string>& notes) {
  const JsonFields fields(json);
  LLMA_ASSIGN(const JsonValue* model_json, fields.GetObject("model"));
  const JsonFields model(*model_json, "model");
  LLMA_TRY(CheckModel(model));
  LLMA_ASSIGN(const bool falls_back, model.GetBoolOr("byte_fallback", false));
  if (falls_back) return ReadSentencePiece(fields, model, vocabulary);
  LLMA_TRY(ReadTokens(fields, model, vocabulary));
  LLMA_TRY(ReadPreTokenizer(fields, model, vocabulary, notes));
  return ReadMerges(model, vocabulary);
}

}  // namespace llma
