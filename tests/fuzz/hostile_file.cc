// SPDX-License-Identifier: Apache-2.0
#include "fuzz/hostile_file.h"

#include <algorithm>
#include <ctime>

#include "codec/file/file_decoder.h"
#include "codec/file/salvage.h"
#include "codec/file/whole_file.h"
#include "codec/frame/frame_context.h"
#include "codec/short/compress_short.h"
#include "codec/short/decompress_short.h"
#include "container/frame_index.h"

namespace llma {
namespace {

constexpr uint64_t kMaxMemoryBytes = uint64_t{1} << 30;

double ProcessorSeconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) +
         1e-9 * static_cast<double>(now.tv_nsec);
}

// Words that the tiny model has tokens for, all frames' different.
std::string Text(const HostileFrames& frames, uint32_t seed) {
  constexpr const char* kWords[] = {" everyone", " working", " belonged",
                                    " saying",   " return",  " became"};
  std::mt19937 random(seed);
  std::string text;
  for (uint32_t i = 0; i < frames.words; ++i) text += kWords[random() % 6];
  return text;
}

std::vector<uint8_t> ValidFrame(const HostileFrames& frames,
                                const std::string& text, const Model& model) {
  CompressOptions options;
  options.num_threads = 1;
  options.level = 2;
  options.context_models = frames.context_models;
  if (frames.kind == FrameKind::kCoded) {
    options.level = 6;
    options.num_lanes = frames.num_lanes;
    options.window_positions = frames.window_positions;
  } else if (frames.context_models == ContextModels::kNone) {
    options.context_models = ContextModels::kLight;
  }
  auto made = CompressFrame(AsBytes(text), frames.is_member, &model, options);
  if (!made) return {};
  ByteWriter frame;
  WriteFrameHeader(made->header, frame);
  frame.StoreBytes(made->Payload(AsBytes(text)));
  return std::move(frame).TakeBytes();
}

FrameHeader ClaimedHeader(const HostileFrames& frames, const Model& model) {
  FrameHeader header;
  header.kind = frames.kind;
  header.is_last = frames.is_member;
  header.payload_bytes = frames.payload_bytes;
  header.content_bytes = std::max<uint64_t>(frames.content_bytes, 1);
  if (frames.kind == FrameKind::kStored) {
    header.content_bytes = header.payload_bytes;
    return header;
  }
  if (frames.kind == FrameKind::kSkippable) {
    header.is_last = false;
    header.content_bytes = 0;
    header.skippable_type = 200;
    return header;
  }
  header.predictor_id = kPredictorId;
  header.context_models = frames.context_models;
  header.payload_bytes =
      std::min(header.payload_bytes, header.content_bytes - 1);
  header.repeated_bytes =
      std::min(frames.repeated_bytes, header.content_bytes - 1);
  if (frames.kind == FrameKind::kContexts) {
    if (header.context_models == ContextModels::kNone) {
      header.context_models = ContextModels::kLight;
    }
    return header;
  }
  std::copy_n(model.fingerprint().begin(), header.model_id.size(),
              header.model_id.begin());
  header.window_positions = frames.window_positions;
  const uint64_t lanes =
      std::min<uint64_t>(frames.num_lanes, header.predicted_bytes());
  header.lane_bytes.assign(static_cast<size_t>(lanes), 1);
  header.lane_bytes[0] += header.predicted_bytes() - lanes;
  return header;
}

}  // namespace

void Mutate(HostileFile& file, std::mt19937& random) {
  const auto below = [&](size_t bound) { return random() % bound; };
  if (file.parts.empty() || (file.parts.size() < 3 && below(8) == 0)) {
    file.parts.emplace_back();
  }
  HostileFrames& part = file.parts[below(file.parts.size())];
  switch (below(13)) {
    case 0:
      part.kind = static_cast<FrameKind>(below(4));
      break;
    case 1:
      part.count = 1 + static_cast<uint32_t>(below(size_t{1} << below(9)));
      break;
    case 2:
      part.words = 1 + static_cast<uint32_t>(below(size_t{1} << below(7)));
      break;
    case 3:
      part.is_valid = !part.is_valid;
      break;
    case 4:
      part.payload_bytes = static_cast<uint32_t>(below(size_t{1} << below(13)));
      break;
    case 5:
      part.content_bytes = (uint64_t{1} << below(32)) - below(2);
      break;
    case 6:
      part.repeated_bytes = below(3) != 0 ? 0 : uint64_t{1} << below(32);
      break;
    case 7:
      part.context_models = static_cast<ContextModels>(below(3));
      break;
    case 8:
      part.num_lanes = 1 + static_cast<uint32_t>(below(kMaxLanes));
      break;
    case 9:
      part.window_positions = kWindowGranularity << below(17);
      break;
    case 10:
      part.overlaps = !part.overlaps;
      break;
    case 11:
      part.is_member = !part.is_member;
      break;
    default:
      file.has_index = !file.has_index;
  }
}

std::string Describe(const HostileFile& file) {
  std::string text;
  for (const HostileFrames& part : file.parts) {
    constexpr const char* kKinds[] = {"stored", "coded", "contexts",
                                      "skippable"};
    text += std::to_string(part.count) + " " +
            kKinds[static_cast<size_t>(part.kind)];
    if (part.is_valid) {
      text += " of " + std::to_string(part.words) + " words";
    } else {
      text += " with " + std::to_string(part.payload_bytes) + " of " +
              std::to_string(part.content_bytes) + " bytes, " +
              std::to_string(part.repeated_bytes) + " repeated";
    }
    text += ", models " + std::to_string(static_cast<int>(part.context_models));
    if (part.kind == FrameKind::kCoded) {
      text += ", lanes " + std::to_string(part.num_lanes) + ", window " +
              std::to_string(part.window_positions);
    }
    if (part.overlaps) text += ", overlapping";
    if (part.is_member) text += ", members";
    text += "; ";
  }
  return text + (file.has_index ? "index" : "no index");
}

std::vector<uint8_t> MakeHostileFile(const HostileFile& file,
                                     const Model& model) {
  std::mt19937 random(1);
  // Frames first, since a payload that reaches over others has their size.
  std::vector<std::pair<FrameHeader, std::vector<uint8_t>>> frames;
  std::vector<bool> overlap;
  for (const HostileFrames& part : file.parts) {
    for (uint32_t i = 0; i < part.count; ++i) {
      FrameHeader header = ClaimedHeader(part, model);
      std::vector<uint8_t> payload;
      if (part.is_valid && part.kind != FrameKind::kSkippable) {
        const std::string text = Text(part, i);
        const auto made = ValidFrame(part, text, model);
        ByteReader reader(made);
        const auto parsed = ParseFrameHeader(reader);
        if (!parsed) continue;
        header = *parsed;
        const Bytes rest = Bytes(made).subspan(reader.offset());
        payload.assign(rest.begin(), rest.end());
      } else {
        payload.resize(static_cast<size_t>(header.payload_bytes));
        for (uint8_t& byte : payload) byte = static_cast<uint8_t>(random());
        if (header.kind == FrameKind::kStored ||
            header.kind == FrameKind::kSkippable) {
          header.checksum = Checksum(payload);
        }
      }
      if (!CheckFrameHeader(header)) continue;
      frames.emplace_back(header, std::move(payload));
      overlap.push_back(part.overlaps);
    }
  }
  // From the last one on.
  uint64_t behind_bytes = 0;
  for (size_t i = frames.size(); i-- > 0;) {
    auto& [header, payload] = frames[i];
    if (overlap[i] && behind_bytes > 0) {
      FrameHeader longer = header;
      longer.payload_bytes += behind_bytes - 1;
      if (longer.kind == FrameKind::kStored) {
        longer.content_bytes = longer.payload_bytes;
      }
      if (longer.kind == FrameKind::kContexts) {
        longer.content_bytes =
            std::max(longer.content_bytes, longer.payload_bytes + 1);
      }
      if (CheckFrameHeader(longer)) header = longer;
    }
    ByteWriter written;
    WriteFrameHeader(header, written);
    behind_bytes += written.size() + payload.size();
  }
  ByteWriter whole;
  IndexBuilder index;
  for (const auto& [header, payload] : frames) {
    ByteWriter written;
    WriteFrameHeader(header, written);
    index.Add(written.bytes(), header);
    whole.StoreBytes(written.bytes());
    whole.StoreBytes(payload);
  }
  if (file.has_index) whole.StoreBytes(WriteIndexFrame(index.index()));
  return std::move(whole).TakeBytes();
}

std::vector<NamedFile> FilesOfAllKinds(uint32_t count, const Model& model) {
  std::vector<NamedFile> files;
  const auto add = [&](std::string name, HostileFrames frames) {
    frames.count = count;
    for (const bool is_member : {false, true}) {
      frames.is_member = is_member;
      files.push_back({name + (is_member ? ", members" : ""),
                       MakeHostileFile({{frames}, !is_member}, model)});
    }
  };
  constexpr const char* kModels[] = {"alone", "with light models",
                                     "with full models"};
  add("stored", {.kind = FrameKind::kStored, .is_valid = false});
  add("contexts, light", {.context_models = ContextModels::kLight});
  add("contexts, full", {});
  for (const ContextModels models :
       {ContextModels::kNone, ContextModels::kLight, ContextModels::kFull}) {
    for (const uint32_t lanes : {1u, 4u}) {
      add(std::string("coded ") + kModels[static_cast<size_t>(models)] + ", " +
              std::to_string(lanes) + " lanes",
          {.kind = FrameKind::kCoded,
           .context_models = models,
           .num_lanes = lanes,
           .window_positions = 256});
    }
  }
  HostileFrames skippable = {.kind = FrameKind::kSkippable, .is_valid = false};
  skippable.count = count;
  files.push_back(
      {"skippable", MakeHostileFile({{skippable, {}}, true}, model)});

  const std::string text = Text({.words = 12}, 1);
  CompressOptions options;
  options.num_threads = 1;
  options.source_info = SourceInfo{"name", 0644, 1, 2};
  if (auto file = Compress(AsBytes(text), &model, options)) {
    files.push_back({"source info", *std::move(file)});
  }
  options.embeds_models = true;
  if (auto file = Compress(AsBytes(text), &model, options)) {
    files.push_back({"embedded model", *std::move(file)});
  }
  for (const auto& [name, content] :
       {std::pair<const char*, std::string>("short, coded", text),
        {"short, stored", "\xff\xfe\xfd"}}) {
    if (auto file = CompressShort(AsBytes(content), model, options)) {
      files.push_back({name, *std::move(file)});
    }
  }
  return files;
}

ReadCost MeasureRead(Bytes file, ReadBy reader, const Model& model,
                     uint64_t max_content_bytes) {
  DecompressOptions options;
  options.num_threads = 1;
  options.max_memory_bytes = kMaxMemoryBytes;
  options.max_content_bytes = max_content_bytes;
  ReadCost cost;
  const ByteSink sink = [&](Bytes content) {
    cost.content_bytes += content.size();
    return OkStatus();
  };
  const ModelProvider models = OneModel(&model);
  const RandomAccess access = InMemory(file);
  const double start = ProcessorSeconds();
  switch (reader) {
    case ReadBy::kStream: {
      if (IsShortMessage(file)) {
        const auto content = DecompressShort(file, &model, options);
        cost.is_right = content && sink(*content);
        break;
      }
      FileDecoder decoder(models, options, sink);
      cost.is_right = decoder.Append(file) && decoder.Finish();
      break;
    }
    case ReadBy::kRange:
      cost.is_right =
          bool(DecompressRange(access, 0, ~uint64_t{0}, models, options, sink));
      break;
    case ReadBy::kSalvage: {
      const auto report = Salvage(access, models, options,
                                  {sink, [](uint64_t) { return OkStatus(); }});
      cost.is_right = report && report->lost.empty();
      break;
    }
    case ReadBy::kList:
      cost.is_right = bool(MapFrames(access));
  }
  cost.seconds = ProcessorSeconds() - start;
  return cost;
}

}  // namespace llma
