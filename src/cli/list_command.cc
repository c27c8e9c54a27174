// SPDX-License-Identifier: Apache-2.0
// llma -l: what is in compressed files, from their headers alone.
#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/hex.h"
#include "cli/commands.h"
#include "cli/file_job.h"
#include "cli/file_names.h"
#include "cli/progress.h"
#include "codec/short_message.h"
#include "model/model_registry.h"

namespace llma::cli {
namespace {

using Json = nlohmann::ordered_json;

struct ListedFrame {
  FramePlace place;
  FrameHeader header;
};

struct ListedFile {
  std::string name;
  uint64_t file_bytes = 0;
  uint64_t content_bytes = 0;
  uint64_t num_members = 0;
  std::vector<ListedFrame> frames;  // those with content
  std::vector<std::string> models;
  bool has_checksums = true;
};

std::string ModelName(const ModelId& id) {
  const auto model = FindModelById(id);
  return model ? model->name : ToHex(id);
}

// How a frame was coded.
std::string MethodOf(const FrameHeader& header) {
  switch (header.kind) {
    case FrameKind::kStored:
      return "stored";
    case FrameKind::kContexts:
      return header.context_models == ContextModels::kFull ? "full contexts"
                                                           : "light contexts";
    default:
      return ModelName(header.model_id);
  }
}

Result<ListedFile> ListFile(InputFile& input, uint64_t max_memory_bytes) {
  LLMA_ASSIGN(const RandomAccess file,
              input.MakeRandomAccess(max_memory_bytes));
  LLMA_ASSIGN(const auto first_byte, file.ReadAt(0, 1));
  if (IsShortMessage(first_byte)) {
    return Error{ErrorCode::kUnsupported,
                 "is a short message, which does not say its sizes"};
  }
  LLMA_ASSIGN(const FrameMap map, MapFrames(file));
  ListedFile listed;
  listed.name = input.name();
  listed.file_bytes = file.file_bytes;
  listed.content_bytes = map.content_bytes;
  listed.num_members = map.num_members;
  for (const FramePlace& place : map.frames) {
    LLMA_ASSIGN(const FrameHeader header,
                ReadFrameHeader(file, place.frame_ofs));
    if (!header.has_content()) continue;
    if (header.content_bytes != place.content_bytes) {
      return Error{ErrorCode::kCorrupt, "the index does not fit its frames",
                   place.frame_ofs};
    }
    listed.has_checksums = listed.has_checksums && header.has_checksum;
    listed.frames.push_back({place, header});
    const std::string method = MethodOf(header);
    if (std::find(listed.models.begin(), listed.models.end(), method) ==
        listed.models.end()) {
      listed.models.push_back(method);
    }
  }
  return listed;
}

double Ratio(uint64_t content_bytes, uint64_t file_bytes) {
  return file_bytes == 0 ? 0
                         : static_cast<double>(content_bytes) /
                               static_cast<double>(file_bytes);
}

template <class... Args>
std::string Format(const char* format, Args... args) {
  std::array<char, 512> line;
  std::snprintf(line.data(), line.size(), format, args...);
  return line.data();
}

using ULL = unsigned long long;

std::string TableLine(uint64_t frames, uint64_t file_bytes,
                      uint64_t content_bytes, const std::string& method,
                      const std::string& check, const std::string& name) {
  return Format("%6llu %14llu %14llu %7.3f  %-20s %-5s  ", ULL{frames},
                ULL{file_bytes}, ULL{content_bytes},
                Ratio(content_bytes, file_bytes), method.c_str(),
                check.c_str()) +
         Printable(name) + "\n";
}

std::string Join(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : between) + word;
  }
  return text;
}

std::string CheckName(bool has_checksums) {
  return has_checksums ? "XXH3" : "none";
}

std::string FrameLines(const ListedFile& file) {
  std::string text =
      "         frame at    payload+head      content at        content  "
      "lanes  window  coded by\n";
  for (const ListedFrame& frame : file.frames) {
    text +=
        Format("%17llu %15llu %15llu %14llu  %5zu  %6u  ",
               ULL{frame.place.frame_ofs}, ULL{frame.place.frame_bytes},
               ULL{frame.place.content_ofs}, ULL{frame.place.content_bytes},
               frame.header.lane_bytes.size(), frame.header.window_positions) +
        MethodOf(frame.header) + "\n";
  }
  return text;
}

// Tabs between fields; names are the last ones, with control characters as \xNN
// and a backslash doubled.
std::string RobotName(const std::string& name) {
  std::string text;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      text += Format("\\x%02x", byte);
    } else {
      text += c == '\\' ? "\\\\" : std::string(1, c);
    }
  }
  return text;
}

std::string RobotLines(const ListedFile& file, bool with_frames) {
  std::string text =
      Format("file\t%llu\t%zu\t%llu\t%llu\t%.3f\t%s\t", ULL{file.num_members},
             file.frames.size(), ULL{file.file_bytes}, ULL{file.content_bytes},
             Ratio(file.content_bytes, file.file_bytes),
             CheckName(file.has_checksums).c_str()) +
      Join(file.models, ",") + "\t" + RobotName(file.name) + "\n";
  if (!with_frames) return text;
  for (const ListedFrame& frame : file.frames) {
    text +=
        Format("frame\t%llu\t%llu\t%llu\t%llu\t%zu\t%u\t",
               ULL{frame.place.frame_ofs}, ULL{frame.place.frame_bytes},
               ULL{frame.place.content_ofs}, ULL{frame.place.content_bytes},
               frame.header.lane_bytes.size(), frame.header.window_positions) +
        MethodOf(frame.header) + "\n";
  }
  return text;
}

Json ToJson(const ListedFile& file) {
  Json frames = Json::array();
  for (const ListedFrame& frame : file.frames) {
    Json entry = {{"offset", frame.place.frame_ofs},
                  {"compressed", frame.place.frame_bytes},
                  {"content_offset", frame.place.content_ofs},
                  {"uncompressed", frame.place.content_bytes},
                  {"method", MethodOf(frame.header)}};
    if (frame.header.kind == FrameKind::kCoded) {
      entry["model_id"] = ToHex(frame.header.model_id);
      entry["lanes"] = frame.header.lane_bytes.size();
      entry["window"] = frame.header.window_positions;
    }
    frames.push_back(std::move(entry));
  }
  return {{"name", file.name},
          {"compressed", file.file_bytes},
          {"uncompressed", file.content_bytes},
          {"members", file.num_members},
          {"check", CheckName(file.has_checksums)},
          {"frames", std::move(frames)}};
}

std::string ToText(const std::vector<ListedFile>& files,
                   const Options& options) {
  const bool is_verbose = options.verbosity >= 2;
  std::string text;
  if (options.list_format == ListFormat::kJson) {
    Json all = Json::array();
    for (const ListedFile& file : files) all.push_back(ToJson(file));
    // Names need not be UTF-8.
    return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  if (options.list_format == ListFormat::kRobot) {
    for (const ListedFile& file : files) text += RobotLines(file, is_verbose);
    return text;
  }
  text =
      "Frames     Compressed   Uncompressed   Ratio  Coded by             "
      "Check  Name\n";
  uint64_t frames = 0, file_bytes = 0, content_bytes = 0;
  for (const ListedFile& file : files) {
    text += TableLine(file.frames.size(), file.file_bytes, file.content_bytes,
                      Join(file.models, ", "), CheckName(file.has_checksums),
                      file.name);
    if (is_verbose) text += FrameLines(file);
    frames += file.frames.size();
    file_bytes += file.file_bytes;
    content_bytes += file.content_bytes;
  }
  if (files.size() > 1) {
    text += TableLine(frames, file_bytes, content_bytes, "", "",
                      std::to_string(files.size()) + " files");
  }
  return text;
}

}  // namespace

int RunList(const Options& options, const Messages& messages) {
  int status = kExitSuccess;
  std::vector<ListedFile> files;
  for (const std::string& in : ListInputs(options, messages, status)) {
    if (IsDirectory(in)) {
      status = WorseStatus(
          status,
          messages.ShowWarning(in + ": is a directory, skipped without -r"));
      continue;
    }
    if (IsTerminal(in, STDIN_FILENO)) {
      return messages.ShowError("compressed data is not read from a terminal");
    }
    const auto input = InputFile::Open(in);
    if (!input) {
      status = WorseStatus(status, messages.ShowError(input.error().what));
      continue;
    }
    auto listed = ListFile(**input, MaxMemoryBytes(options));
    if (!listed) {
      status =
          WorseStatus(status, Fail(messages, (*input)->name(), listed.error()));
      continue;
    }
    files.push_back(*std::move(listed));
  }
  if (files.empty()) return status;
  return WorseStatus(status, PrintOut(messages, ToText(files, options)));
}

}  // namespace llma::cli
