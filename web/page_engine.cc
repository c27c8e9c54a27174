// SPDX-License-Identifier: Apache-2.0
// What the page's worker (worker.js) calls: one model, one work at a time, over
// the library. A result or an error stays here until the next call, and what
// happens meanwhile is told to JavaScript. Functions return 1 if all went well.
#include <emscripten.h>
#include <llma/llma.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "api/api_error.h"
#include "api/api_model.h"
#include "base/hex.h"
#include "cli/inspect/inspection.h"
#include "codec/compress_context.h"
#include "codec/file/file_encoder.h"
#include "importer/model_import.h"
#include "model/fingerprint.h"

// A message to the page, of a kind that worker.js knows. Threads have no other
// way to it than a channel.
EM_JS(void, WebTell, (int channel, int kind, const void* data, size_t size), {
  const message = {kind : kind, bytes : HEAPU8.slice(data, data + size)};
  if (Module['tell']) {
    Module['tell'](message);
  } else {
    if (!self.llmaChannel) {
      self.llmaChannel = new BroadcastChannel('llma-' + channel);
    }
    self.llmaChannel.postMessage(message);
  }
});

namespace llma::web {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

enum TellKind { kTellProgress = 1, kTellPieces = 2, kTellNote = 3 };

constexpr uint32_t kMaxAlternatives = 5;
// Of content whose pieces are kept; without a model each byte is one.
constexpr size_t kMaxInspectedBytes = size_t{1} << 20;
constexpr size_t kMaxInspectedBytesAlone = size_t{1} << 18;
// A small file may hold much.
constexpr uint64_t kMaxRestoredBytes = uint64_t{512} << 20;
constexpr auto kTellInterval = std::chrono::milliseconds(100);

struct FreeMemory {
  void operator()(void* p) const { std::free(p); }
};

struct Engine {
  int channel = 0;
  std::atomic<int32_t> cancelled = 0;
  std::unique_ptr<uint8_t, FreeMemory> model_file;
  size_t model_file_bytes = 0;
  std::unique_ptr<llma_model> model;
  // Of the model, while contents are compressed one after the other.
  std::optional<CompressContext> context;
  std::vector<uint8_t> result;
  std::string text;           // JSON: of a result or an error
  cli::Inspection inspected;  // of the last compression
};

Engine& TheEngine() {
  static auto* engine = new Engine;
  return *engine;
}

void Tell(TellKind kind, const void* data, size_t size) {
  WebTell(TheEngine().channel, kind, data, size);
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

int Failed(const llma_error& error) {
  Json json = {{"status", llma_status_name(error.status)},
               {"text", error.text}};
  if (error.offset != LLMA_NO_OFFSET) json["offset"] = error.offset;
  TheEngine().text = Dump(json);
  return 0;
}

// Runs `work`, which returns a Status and is told where an error goes.
template <class Work>
int Run(const Work& work) {
  Engine& engine = TheEngine();
  engine.cancelled = 0;
  engine.text.clear();
  llma_error error = api::NoError();
  const llma_status status = api::Guard(&error, work);
  return status == LLMA_OK ? 1 : Failed(error);
}

// Of content, and of the file that is made or read.
bool TellProgress(uint64_t done, uint64_t total, uint64_t coded) {
  const double numbers[3] = {static_cast<double>(done),
                             static_cast<double>(total),
                             static_cast<double>(coded)};
  Tell(kTellProgress, numbers, sizeof(numbers));
  return TheEngine().cancelled == 0;
}

// Three numbers for each: offset, bytes, thousandths of a bit.
void TellPieces(std::span<const PieceCost> pieces) {
  std::vector<uint32_t> numbers;
  for (const PieceCost& piece : pieces) {
    numbers.push_back(static_cast<uint32_t>(piece.content_ofs));
    numbers.push_back(piece.size_bytes);
    numbers.push_back(static_cast<uint32_t>(piece.bits * 1000));
  }
  Tell(kTellPieces, numbers.data(), numbers.size() * sizeof(uint32_t));
}

Json DescriptionOf(const Model& model) {
  return {{"name", model.name()},
          {"license", model.license()},
          {"fingerprint", ToHex(model.fingerprint())},
          {"tokens", model.config().num_tokens},
          {"layers", model.config().num_layers},
          {"dim", model.config().dim},
          {"bytes", TheEngine().model_file_bytes}};
}

llma_status FindModel(void*, const uint8_t* id, size_t id_bytes,
                      uint32_t candidate, llma_model** model,
                      llma_error* error) {
  const Engine& engine = TheEngine();
  if (engine.model && candidate == 0) {
    const Fingerprint& have = engine.model->opened->model->fingerprint();
    if (std::equal(id, id + id_bytes, have.begin())) {
      *model = llma_model_share(engine.model.get());
      return *model == nullptr ? LLMA_ERROR_MEMORY : LLMA_OK;
    }
  }
  std::snprintf(error->text, sizeof(error->text), "needs the model %s",
                ToHex({id, id_bytes}).c_str());
  return LLMA_ERROR_MODEL_MISSING;
}

Result<Fingerprint> Import(const std::string& source, const std::string& to,
                           const std::string& name,
                           const std::string& adapter) {
  ImportOptions options;
  options.name = name;
  options.adapter_path = adapter;
  options.overwrite = true;
  options.note = [](const std::string& note) {
    Tell(kTellNote, note.data(), note.size());
  };
  return ImportModel(source, to, options);
}

void AddPiece(const PieceCost& piece, Bytes content, const Model* model,
              cli::Inspection& to) {
  cli::InspectedPiece& added = to.pieces.emplace_back();
  added.content_ofs = piece.content_ofs;
  added.bytes = AsStringView(content.subspan(
      static_cast<size_t>(piece.content_ofs), piece.size_bytes));
  added.bits = piece.bits;
  added.model_bits = piece.model_bits;
  for (const TokenAlternative& chance : piece.alternatives) {
    added.alternatives.push_back(
        {std::string(AsStringView(model->tokens().spelling(chance.token))),
         chance.probability});
  }
}

Status Compress(Bytes content, int level, int threads) {
  Engine& engine = TheEngine();
  engine.result = {};
  engine.inspected = {};
  const Model* model = nullptr;
  if (llma_level_uses_model(level) != 0) {
    if (!engine.model) {
      return Error{ErrorCode::kModelMissing, "this level needs a model"};
    }
    model = engine.model->opened->model.get();
    engine.inspected.model = model->name();
  }
  std::mutex mutex;
  std::vector<PieceCost> pieces;
  uint64_t payload_bytes = 0;
  Clock::time_point told;
  CompressOptions options;
  options.level = level;
  options.num_threads = threads;
  options.total_bytes = content.size();
  if (!engine.context) engine.context.emplace();
  options.context = &*engine.context;
  options.max_alternatives = kMaxAlternatives;
  options.progress = [&](const CodecProgress& p) {
    if (Clock::now() - told < kTellInterval) return engine.cancelled == 0;
    told = Clock::now();
    return TellProgress(p.done_bytes, p.total_bytes, p.coded_bytes);
  };
  if (content.size() <=
      (model != nullptr ? kMaxInspectedBytes : kMaxInspectedBytesAlone)) {
    options.on_new_costs = TellPieces;
    options.on_costs = [&](std::vector<PieceCost> frame) {
      TellPieces(frame);
      const std::lock_guard lock(mutex);
      std::move(frame.begin(), frame.end(), std::back_inserter(pieces));
    };
  }
  options.on_frame = [&](const FrameHeader& header, uint64_t) {
    payload_bytes += header.payload_bytes;
  };
  FileEncoder encoder(model, options, [&](Bytes bytes) {
    engine.result.insert(engine.result.end(), bytes.begin(), bytes.end());
    return OkStatus();
  });
  LLMA_TRY(encoder.Append(content));
  LLMA_TRY(encoder.Finish());
  std::ranges::sort(pieces, {}, &PieceCost::content_ofs);
  cli::Inspection& inspected = engine.inspected;
  inspected.level = level;
  inspected.content_bytes = content.size();
  inspected.file_bytes = encoder.file_bytes();
  inspected.payload_bytes = payload_bytes;
  for (const PieceCost& piece : pieces) {
    inspected.bits += piece.bits;
    AddPiece(piece, content, model, inspected);
  }
  engine.text = Dump({{"contentBytes", content.size()},
                      {"fileBytes", engine.result.size()},
                      {"bits", inspected.bits},
                      {"pieces", pieces.size()}});
  return OkStatus();
}

struct FreeOptions {
  void operator()(llma_options* p) const { llma_options_free(p); }
};
struct FreeDecoder {
  void operator()(llma_decoder* p) const { llma_decoder_free(p); }
};

// With the public interface alone.
llma_status Restore(Bytes file, int threads, llma_error* error) {
  Engine& engine = TheEngine();
  llma_options* made_options = nullptr;
  llma_status status = llma_options_create(&made_options, error);
  const std::unique_ptr<llma_options, FreeOptions> options(made_options);
  const auto set = [&](llma_option option, uint64_t value) {
    if (status == LLMA_OK) {
      status = llma_options_set(options.get(), option, value, error);
    }
  };
  set(LLMA_OPTION_THREADS, static_cast<uint64_t>(threads));
  set(LLMA_OPTION_MEMORY_BYTES, UINT64_MAX);
  set(LLMA_OPTION_MAX_CONTENT_BYTES, kMaxRestoredBytes);
  const auto told = [](void*, const llma_progress* p) {
    return TellProgress(p->done_bytes, p->total_bytes, p->coded_bytes) ? 0 : 1;
  };
  if (status == LLMA_OK) {
    status = llma_options_set_progress(options.get(), told, nullptr, error);
  }
  if (status == LLMA_OK) {
    status =
        llma_options_set_model_finder(options.get(), FindModel, nullptr, error);
  }
  llma_decoder* made_decoder = nullptr;
  if (status == LLMA_OK) {
    status = llma_decoder_create(options.get(), &made_decoder, error);
  }
  const std::unique_ptr<llma_decoder, FreeDecoder> decoder(made_decoder);
  if (status != LLMA_OK) return status;
  std::vector<uint8_t> room(size_t{1} << 16);
  llma_input input = {file.data(), file.size(), 0};
  do {
    llma_output output = {room.data(), room.size(), 0};
    status =
        llma_decoder_run(decoder.get(), &input, &output, LLMA_FINISH, error);
    engine.result.insert(
        engine.result.end(), room.begin(),
        room.begin() + static_cast<ptrdiff_t>(output.used_bytes));
  } while (status == LLMA_NEED_OUTPUT);
  Json json = {{"contentBytes", engine.result.size()}};
  llma_source_info source = LLMA_INIT(llma_source_info);
  if (llma_decoder_get_source_info(decoder.get(), &source, nullptr) ==
          LLMA_OK &&
      source.name != nullptr) {
    json["name"] = source.name;
  }
  if (status == LLMA_OK) engine.text = Dump(json);
  return status;
}

}  // namespace
}  // namespace llma::web

using namespace llma::web;
using llma::Bytes;

extern "C" {

EMSCRIPTEN_KEEPALIVE void web_start(int channel) {
  TheEngine().channel = channel;
}

// Memory for a file, or null; web_use_model() takes it over.
EMSCRIPTEN_KEEPALIVE void* web_reserve(size_t size) {
  return std::aligned_alloc(64, (size + 64) / 64 * 64);
}
EMSCRIPTEN_KEEPALIVE void web_release(void* memory) { std::free(memory); }

// Work that runs ends when it is not 0.
EMSCRIPTEN_KEEPALIVE void* web_cancel_address() {
  return &TheEngine().cancelled;
}
EMSCRIPTEN_KEEPALIVE const char* web_text() { return TheEngine().text.c_str(); }
EMSCRIPTEN_KEEPALIVE const void* web_result() {
  return TheEngine().result.data();
}
EMSCRIPTEN_KEEPALIVE size_t web_result_bytes() {
  return TheEngine().result.size();
}
EMSCRIPTEN_KEEPALIVE void web_drop_result() { TheEngine().result = {}; }

// The bytes of a .llmm file, from web_reserve(). All of it is checked: the
// fingerprint is computed anew.
EMSCRIPTEN_KEEPALIVE int web_use_model(void* memory, size_t size) {
  return Run([&]() -> llma::Status {
    Engine& engine = TheEngine();
    std::unique_ptr<uint8_t, FreeMemory> file(static_cast<uint8_t*>(memory));
    LLMA_ASSIGN(auto opened, llma::api::OpenInMemory({file.get(), size}));
    const llma::Model& model = *opened->model;
    if (llma::ComputeFingerprint(model) != model.fingerprint()) {
      return llma::Error{llma::ErrorCode::kChecksum,
                         "the model is not what its fingerprint says"};
    }
    engine.model.reset(new llma_model{std::move(opened)});
    engine.model_file = std::move(file);
    engine.model_file_bytes = size;
    engine.text = Dump(DescriptionOf(model));
    return llma::OkStatus();
  });
}
EMSCRIPTEN_KEEPALIVE const void* web_model() {
  return TheEngine().model_file.get();
}
// Before another one is loaded, so that there need not be memory for two.
EMSCRIPTEN_KEEPALIVE void web_drop_model() {
  Engine& engine = TheEngine();
  engine.context.reset();
  engine.model.reset();
  engine.model_file.reset();
  engine.model_file_bytes = 0;
}

// Of a file in Emscripten's file system, in hexadecimal.
EMSCRIPTEN_KEEPALIVE int web_sha256(const char* path) {
  return Run([&]() -> llma::Status {
    LLMA_ASSIGN(const llma::MappedFile file, llma::MappedFile::Open(path));
    llma::Sha256 hash;
    hash.Update(file.bytes());
    TheEngine().text = Dump({{"sha256", llma::ToHex(hash.Digest())}});
    return llma::OkStatus();
  });
}
// Makes a .llmm file of a GGUF file. `adapter`: a folder, or "".
EMSCRIPTEN_KEEPALIVE int web_import(const char* source, const char* to,
                                    const char* name, const char* adapter) {
  return Run([&]() -> llma::Status {
    LLMA_ASSIGN(const llma::Fingerprint made,
                Import(source, to, name, adapter));
    TheEngine().text = Dump({{"fingerprint", llma::ToHex(made)}});
    return llma::OkStatus();
  });
}
// Reads a file into memory from web_reserve() and removes it.
EMSCRIPTEN_KEEPALIVE void* web_take_file(const char* path, size_t size) {
  void* memory = web_reserve(size);
  std::FILE* file = memory == nullptr ? nullptr : std::fopen(path, "rb");
  if (file != nullptr && std::fread(memory, 1, size, file) != size) {
    std::free(memory);
    memory = nullptr;
  }
  if (file != nullptr) std::fclose(file);
  ::unlink(path);
  return memory;
}

EMSCRIPTEN_KEEPALIVE int web_compress(const uint8_t* content, size_t size,
                                      int level, int threads) {
  return Run([&] { return Compress({content, size}, level, threads); });
}
// The page of `llma inspect` of what was compressed last is the result.
EMSCRIPTEN_KEEPALIVE int web_inspection_page(const char* name) {
  return Run([&]() -> llma::Status {
    Engine& engine = TheEngine();
    engine.inspected.name = name;
    const std::string page = llma::cli::InspectionPage(engine.inspected);
    engine.result.assign(page.begin(), page.end());
    return llma::OkStatus();
  });
}
// If the file is damaged, the result is what came before.
EMSCRIPTEN_KEEPALIVE int web_restore(const uint8_t* file, size_t size,
                                     int threads) {
  Engine& engine = TheEngine();
  engine.cancelled = 0;
  engine.text.clear();
  engine.result = {};
  engine.inspected = {};
  engine.context.reset();
  llma_error error = llma::api::NoError();
  try {
    if (Restore({file, size}, threads, &error) == LLMA_OK) return 1;
  } catch (const std::bad_alloc&) {
    error.status = LLMA_ERROR_MEMORY;
    std::strcpy(error.text, "out of memory");
  }
  return Failed(error);
}

}  // extern "C"
