// SPDX-License-Identifier: Apache-2.0
// Writes the inputs that fuzzers start from, a folder for each:
//   make_fuzz_corpus tests/fuzz/corpus
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "codec/file/whole_file.h"
#include "container/model_frame.h"
#include "container/test_file_writer.h"
#include "importer/formats/dequantize.h"
#include "importer/testing/gguf_editor.h"

namespace llma {
namespace {

namespace fs = std::filesystem;

class CorpusWriter {
 public:
  explicit CorpusWriter(std::string folder) : folder_(std::move(folder)) {}
  void Add(const std::string& fuzzer, const std::string& name,
           std::string_view input) {
    fs::create_directories(folder_ + "/" + fuzzer);
    std::ofstream out(folder_ + "/" + fuzzer + "/" + name, std::ios::binary);
    out.write(input.data(), static_cast<std::streamsize>(input.size()));
    is_good_ = is_good_ && out.flush().good();
  }
  // A file for both fuzzers of files. Choices: fuzz/file_input.h.
  void AddFile(const std::string& name, std::string_view file) {
    const std::string choices("\0\x1f\x05\x20", 4);
    for (const char* fuzzer : {"container", "decoder"}) {
      Add(fuzzer, name, choices + std::string(file));
    }
  }
  bool is_good() const { return is_good_; }

 private:
  const std::string folder_;
  bool is_good_ = true;
};

// Words that the tiny model has tokens for.
std::string Text(size_t num_words) {
  constexpr const char* kWords[] = {" everyone", " working", " belonged",
                                    " saying", " return"};
  std::string text;
  for (size_t i = 0; i < num_words; ++i) text += kWords[i * i % 13 % 5];
  return text;
}

void AddStoredFiles(CorpusWriter& corpus) {
  TestFileWriter frames;
  frames.Source({"name.txt", 0644, 1700000000, 5})
      .Stored("some ")
      .Stored("text");
  frames.Skippable(kFirstUserType, "a note").Stored("").Index();
  corpus.AddFile("stored_frames", frames.file());
  corpus.AddFile(
      "truncated",
      std::string_view(frames.file()).substr(0, frames.file().size() - 9));
  std::string flipped = frames.file();
  flipped[60] = static_cast<char>(flipped[60] ^ 4);
  corpus.AddFile("flipped", flipped);
  TestFileWriter model;
  model.Skippable(kModelFrameType,
                  std::string(32, 'f') + "LLMM" + std::string(60, '\0'));
  model.Stored("text").Index();
  corpus.AddFile("embedded_model", model.file());
  TestFileWriter members;
  members.Stored("first", true).Skippable(200, "").Stored("second").Index();
  members.Stored("", true);
  corpus.AddFile("members", members.file());
  TestFileWriter headers;
  headers.Stored("x").Stored("y");
  ByteWriter referring;
  FrameHeader header;
  header.kind = FrameKind::kContexts;
  header.content_bytes = 9;
  header.predictor_id = 1;
  header.context_models = ContextModels::kLight;
  header.reference_id = {1, 2};
  header.has_checksum = false;
  WriteFrameHeader(header, referring);
  corpus.AddFile("no_index_and_reference",
                 headers.file() + std::string(AsStringView(referring.bytes())));
  const auto index = WriteIndexFrame({{{300, 280}, {20, 0}}, 77});
  ByteReader reader(index);
  (void)ParseFrameHeader(reader);
  corpus.Add(
      "container", "index_payload",
      std::string(4, '\0') +
          std::string(AsStringView(Bytes(index).subspan(reader.offset()))));
}

bool AddCodedFiles(CorpusWriter& corpus, const Model& model) {
  struct Kind {
    const char* name;
    int level;
    size_t num_words;
    uint32_t num_lanes;
    uint64_t frame_bytes;
    bool has_checksums;
  };
  constexpr Kind kKinds[] = {
      {"contexts", kFastestLevel, 60, 0, 0, true},
      {"contexts_frames", kFastestLevel, 90, 0, 300, true},
      {"repetitions", kFastestLevel, 600, 0, 0, true},
      {"coded_repetitions", kDefaultLevel, 600, 2, 0, false},
      {"coded", kDefaultLevel, 30, 1, 0, true},
      {"coded_lanes", kDefaultLevel, 40, 3, 0, false},
      {"coded_frames", kDefaultLevel, 50, 1, 200, true},
  };
  for (const Kind& kind : kKinds) {
    CompressOptions options;
    options.level = kind.level;
    options.num_threads = 1;
    options.num_lanes = kind.num_lanes;
    options.frame_bytes = kind.frame_bytes;
    options.window_positions = 32;
    options.has_checksums = kind.has_checksums;
    const auto file = Compress(AsBytes(Text(kind.num_words)), &model, options);
    if (!file) return false;
    corpus.AddFile(kind.name, AsStringView(*file));
  }
  return true;
}

void AddModels(CorpusWriter& corpus) {
  corpus.Add("model", "unchanged", std::string_view("\0", 1));
  // The header: another number of tokens. Then one merge, one weight, one
  // scale.
  corpus.Add("model", "config",
             std::string_view("\0\0\x78\0\x04\x02\0\0\0", 9));
  corpus.Add("model", "merge",
             std::string_view("\0\x03\x08\0\x04\x05\0\0\0", 9));
  corpus.Add("model", "weight",
             std::string_view("\0\x06\x01\0\x02\x81\x7f", 7));
  corpus.Add("model", "scale", std::string_view("\0\x07\0\0\x04\0\0\0\x42", 9));
  corpus.Add("model", "damaged", std::string_view("\x02\x09\0\x01\x01\x55", 6));
  corpus.Add("model", "raw", std::string_view("\x01LLMM\0\0\0\0\xff\0\0", 12));
}

// One layer of 64 dimensions.
void AddGgufs(CorpusWriter& corpus) {
  GgufEditor e;
  e.SetString("general.architecture", "llama");
  e.SetString("general.license", "none");
  e.SetString("tokenizer.ggml.model", "gpt2");
  e.SetString("tokenizer.ggml.pre", "smollm");
  e.SetStrings("tokenizer.ggml.tokens", {"a", "b", "c", "ab", "abc", "\u0120",
                                         "\u010a", "<|endoftext|>"});
  e.SetU32s("tokenizer.ggml.token_type", {1, 1, 1, 1, 1, 1, 1, 3});
  e.SetStrings("tokenizer.ggml.merges", {"a b", "ab c", "c a"});
  e.SetU32("llama.block_count", 1);
  e.SetU32("llama.embedding_length", 64);
  e.SetU32("llama.feed_forward_length", 64);
  e.SetU32("llama.context_length", 128);
  e.SetU32("llama.attention.head_count", 4);
  e.SetU32("llama.attention.head_count_kv", 2);
  e.SetF32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  e.SetF32("llama.rope.freq_base", 10000.0f);
  const auto add = [&e](const std::string& name, TensorType type,
                        std::vector<uint64_t> dims) {
    const auto type_number = static_cast<uint32_t>(type);
    const uint64_t num_rows = dims.size() > 1 ? dims[1] : 1;
    const uint64_t size = TensorRowBytes(type_number, dims[0]) * num_rows;
    e.tensors[name] = {std::move(dims), type_number,
                       std::vector<uint8_t>(size)};
  };
  add("token_embd.weight", TensorType::kQ8_0, {64, 8});
  add("output_norm.weight", TensorType::kF32, {64});
  add("blk.0.attn_norm.weight", TensorType::kF32, {64});
  add("blk.0.ffn_norm.weight", TensorType::kF32, {64});
  add("blk.0.attn_q.weight", TensorType::kQ4_0, {64, 64});
  add("blk.0.attn_k.weight", TensorType::kQ4_1, {64, 32});
  add("blk.0.attn_v.weight", TensorType::kF16, {64, 32});
  add("blk.0.attn_output.weight", TensorType::kBf16, {64, 64});
  add("blk.0.ffn_gate.weight", TensorType::kQ8_0, {64, 64});
  add("blk.0.ffn_up.weight", TensorType::kQ8_0, {64, 64});
  add("blk.0.ffn_down.weight", TensorType::kF32, {64, 64});
  // Without the weights, which the fuzzer adds.
  const auto add_structure = [&](const std::string& name, uint32_t version) {
    std::vector<uint8_t> bytes = e.Encode(version);
    while (!bytes.empty() && bytes.back() == 0) bytes.pop_back();
    bytes.resize(bytes.size() + 8);
    corpus.Add("gguf", name, AsStringView(bytes));
  };
  add_structure("tied_head", 3);
  add("output.weight", TensorType::kF16, {64, 8});
  e.SetString("tokenizer.ggml.pre", "qwen2");
  add_structure("own_head", 2);
}

void AddTokenizers(CorpusWriter& corpus) {
  const std::string vocabulary("\x06\0 \1ab\0a\0b\2abc\0c\2\1\3\4\5", 21);
  corpus.Add("tokenizer", "english",
             "\1" + vocabulary + "abc ab cab, it's 1234 'LL\n\n  new  line\t");
  corpus.Add(
      "tokenizer", "unicode",
      "\2" + vocabulary +
          "\xc3\xa4\xe4\xb8\xad\xf0\x9f\x98\x80\xd9\xa3\xc2\xa0\xe2\x80\xa8 x");
  corpus.Add(
      "tokenizer", "not_unicode",
      "\3" + vocabulary + "\xff\xc0\x80 a\xed\xa0\x80\xf4\x90\x80\x80\xe4");
  corpus.Add("tokenizer", "any_merges", "\x80" + vocabulary + "abcabc");
}

void AddOptions(CorpusWriter& corpus) {
  corpus.Add("options", "compress",
             "-9kfv\n--lanes=4\n--window\n256\n-T2\n-M\n1G\n-o\nout\nin\n");
  corpus.Add("options", "decompress",
             "-d\n--range=1K:64KiB\n-N\n--no-check\n--salvage\na\nb\n");
  corpus.Add("options", "model", "model\nimport\nx.gguf\n--name\nx\n");
  corpus.Add("options", "values", "17179869183G\n0\n16777215TiB\n:5\n3M:\n");
}

}  // namespace
}  // namespace llma

int main(int argc, char** argv) {
  using namespace llma;
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 1;
  }
  CorpusWriter corpus(argv[1]);
  const auto model = Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
  if (!model || !AddCodedFiles(corpus, **model)) {
    std::fprintf(stderr, "cannot compress with the tiny model\n");
    return 1;
  }
  AddStoredFiles(corpus);
  AddModels(corpus);
  AddGgufs(corpus);
  AddTokenizers(corpus);
  AddOptions(corpus);
  return corpus.is_good() ? 0 : 1;
}
