// SPDX-License-Identifier: Apache-2.0
// llma -l: what is in compressed files, from their headers alone.
#include <algorithm>
#include <array>
#include <cstdio>
#include <llma/llma.hpp>
#include <nlohmann/json.hpp>

#include "cli/byte_text.h"
#include "cli/commands/commands.h"
#include "cli/files/file_job.h"
#include "cli/files/file_names.h"
#include "cli/format.h"
#include "cli/progress.h"

namespace llma::cli {
namespace {

using Json = nlohmann::ordered_json;
using ULL = unsigned long long;

struct ListedFrame {
  llma_frame_info info;
  std::string method;  // how it was coded
};

struct ListedFile {
  std::string name;
  llma_file_info info;
  std::vector<ListedFrame> frames;  // those with content
  struct Model {
    llma_embedded_model info;
    std::string name;
  };
  std::vector<Model> models;  // that it brings along
  std::vector<std::string> methods;
  struct Reference {
    uint64_t xxh3, size_bytes;
    bool operator==(const Reference&) const = default;
  };
  std::vector<Reference> references;
  bool has_checksums = true;
};

std::string MethodOf(const llma_frame_info& frame, const ModelList* models,
                     const std::vector<ListedFile::Model>& embedded) {
  switch (frame.kind) {
    case LLMA_FRAME_STORED:
      return "stored";
    case LLMA_FRAME_CONTEXTS:
      return frame.context_models == LLMA_CONTEXTS_FULL ? "full contexts"
                                                        : "light contexts";
    default:
      break;
  }
  for (size_t i = 0; models != nullptr && i < models->size(); ++i) {
    const llma_installed_model model = (*models)[i];
    if (std::ranges::equal(Bytes(model.fingerprint, sizeof(frame.model_id)),
                           frame.model_id)) {
      return model.name;
    }
  }
  for (const ListedFile::Model& model : embedded) {
    if (std::ranges::equal(Bytes(model.info.fingerprint).first<8>(),
                           frame.model_id) &&
        !model.name.empty()) {
      return model.name;
    }
  }
  return ToHex(frame.model_id);
}

Result<ListedFile> ListFile(InputFile& input, uint64_t max_memory_bytes,
                            const ModelList* models) {
  LLMA_ASSIGN(const Reader file, input.MakeReader(max_memory_bytes));
  LLMA_ASSIGN(const FileMap map, FileMap::Create(file));
  input.MarkRead();
  ListedFile listed;
  listed.name = input.name();
  listed.info = map.info();
  for (uint64_t i = 0; i < listed.info.num_models; ++i) {
    const llma_embedded_model model = map.model(i);
    listed.models.push_back({model, model.name});
  }
  for (uint64_t i = 0; i < listed.info.num_frames; ++i) {
    const llma_frame_info frame = map.frame(i);
    const std::string method = MethodOf(frame, models, listed.models);
    listed.has_checksums = listed.has_checksums && frame.has_checksum != 0;
    listed.frames.push_back({frame, method});
    if (std::ranges::find(listed.methods, method) == listed.methods.end()) {
      listed.methods.push_back(method);
    }
    const ListedFile::Reference reference = {frame.reference_xxh3,
                                             frame.reference_bytes};
    if (reference.size_bytes > 0 &&
        std::ranges::find(listed.references, reference) ==
            listed.references.end()) {
      listed.references.push_back(reference);
    }
  }
  return listed;
}

double Ratio(uint64_t content_bytes, uint64_t file_bytes) {
  return file_bytes == 0 ? 0
                         : static_cast<double>(content_bytes) /
                               static_cast<double>(file_bytes);
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
    text += Format("%17llu %15llu %15llu %14llu  %5u  %6u  ",
                   ULL{frame.info.frame_ofs}, ULL{frame.info.frame_bytes},
                   ULL{frame.info.content_ofs}, ULL{frame.info.content_bytes},
                   frame.info.num_lanes, frame.info.window) +
            frame.method + (frame.info.learns != 0 ? ", learning\n" : "\n");
  }
  for (const ListedFile::Model& model : file.models) {
    text += Format("%17llu %15llu %45s  ", ULL{model.info.frame_ofs},
                   ULL{model.info.frame_bytes}, "") +
            "embedded model " + model.name + "\n";
  }
  return text;
}

// Fields of a line of the table, all but the name.
using Cells = std::array<std::string, 6>;

Cells ToCells(uint64_t frames, uint64_t file_bytes, uint64_t content_bytes,
              const std::string& methods, const std::string& check) {
  return {std::to_string(frames),
          std::to_string(file_bytes),
          std::to_string(content_bytes),
          Format("%.3f", Ratio(content_bytes, file_bytes)),
          methods,
          check};
}

// Numbers to the right, words to the left.
std::string TableLine(const Cells& cells,
                      const std::array<size_t, 6>& num_columns,
                      const std::string& name) {
  std::string text;
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string blanks(num_columns[i] - cells[i].size(), ' ');
    text += (i < 4 ? blanks + cells[i] : cells[i] + blanks) + "  ";
  }
  return text + Printable(name) + "\n";
}

std::string Table(const std::vector<ListedFile>& files, bool with_frames) {
  std::vector<Cells> lines = {
      {"Frames", "Compressed", "Uncompressed", "Ratio", "Coded by", "Check"}};
  uint64_t frames = 0, file_bytes = 0, content_bytes = 0;
  for (const ListedFile& file : files) {
    lines.push_back(ToCells(file.frames.size(), file.info.file_bytes,
                            file.info.content_bytes, Join(file.methods, ", "),
                            CheckName(file.has_checksums)));
    frames += file.frames.size();
    file_bytes += file.info.file_bytes;
    content_bytes += file.info.content_bytes;
  }
  if (files.size() > 1) {
    lines.push_back(ToCells(frames, file_bytes, content_bytes, "", ""));
  }
  std::array<size_t, 6> num_columns{};
  for (const Cells& cells : lines) {
    for (size_t i = 0; i < cells.size(); ++i) {
      num_columns[i] = std::max(num_columns[i], cells[i].size());
    }
  }
  std::string text = TableLine(lines[0], num_columns, "Name");
  for (size_t i = 0; i < files.size(); ++i) {
    text += TableLine(lines[i + 1], num_columns, files[i].name);
    for (const ListedFile::Reference& reference : files[i].references) {
      text += Format("  needs the reference with XXH3 %016llx, %llu bytes\n",
                     ULL{reference.xxh3}, ULL{reference.size_bytes});
    }
    if (with_frames) text += FrameLines(files[i]);
  }
  if (files.size() > 1) {
    text += TableLine(lines.back(), num_columns,
                      std::to_string(files.size()) + " files");
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
      Format("file\t%llu\t%zu\t%llu\t%llu\t%.3f\t%s\t",
             ULL{file.info.num_members}, file.frames.size(),
             ULL{file.info.file_bytes}, ULL{file.info.content_bytes},
             Ratio(file.info.content_bytes, file.info.file_bytes),
             CheckName(file.has_checksums).c_str()) +
      Join(file.methods, ",") + "\t" + RobotName(file.name) + "\n";
  for (const ListedFile::Reference& reference : file.references) {
    text += Format("reference\t%016llx\t%llu\n", ULL{reference.xxh3},
                   ULL{reference.size_bytes});
  }
  if (!with_frames) return text;
  for (const ListedFrame& frame : file.frames) {
    text += Format("frame\t%llu\t%llu\t%llu\t%llu\t%u\t%u\t",
                   ULL{frame.info.frame_ofs}, ULL{frame.info.frame_bytes},
                   ULL{frame.info.content_ofs}, ULL{frame.info.content_bytes},
                   frame.info.num_lanes, frame.info.window) +
            frame.method + (frame.info.learns != 0 ? "\t1\n" : "\t0\n");
  }
  for (const ListedFile::Model& model : file.models) {
    text += Format("model\t%llu\t%llu\t", ULL{model.info.frame_ofs},
                   ULL{model.info.frame_bytes}) +
            ToHex(model.info.fingerprint) + "\t" + model.name + "\n";
  }
  return text;
}

Json ToJson(const ListedFile& file) {
  Json frames = Json::array();
  for (const ListedFrame& frame : file.frames) {
    Json entry = {{"offset", frame.info.frame_ofs},
                  {"compressed", frame.info.frame_bytes},
                  {"content_offset", frame.info.content_ofs},
                  {"uncompressed", frame.info.content_bytes},
                  {"method", frame.method}};
    if (frame.info.kind == LLMA_FRAME_MODEL) {
      entry["model_id"] = ToHex(frame.info.model_id);
      entry["lanes"] = frame.info.num_lanes;
      entry["window"] = frame.info.window;
      entry["learns"] = frame.info.learns != 0;
    }
    if (frame.info.reference_bytes > 0) {
      entry["reference"] = {
          {"xxh3", Format("%016llx", ULL{frame.info.reference_xxh3})},
          {"bytes", frame.info.reference_bytes}};
    }
    frames.push_back(std::move(entry));
  }
  Json models = Json::array();
  for (const ListedFile::Model& model : file.models) {
    models.push_back({{"name", model.name},
                      {"fingerprint", ToHex(model.info.fingerprint)},
                      {"offset", model.info.frame_ofs},
                      {"compressed", model.info.frame_bytes}});
  }
  return {{"name", file.name},
          {"compressed", file.info.file_bytes},
          {"uncompressed", file.info.content_bytes},
          {"members", file.info.num_members},
          {"check", CheckName(file.has_checksums)},
          {"models", std::move(models)},
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
  return Table(files, is_verbose);
}

}  // namespace

int RunList(const Options& options, const Messages& messages) {
  int status = kExitSuccess;
  std::vector<ListedFile> files;
  const auto models = ModelList::Create();  // for their names alone
  for (const std::string& in : ListInputs(options, messages, status)) {
    if (IsDirectory(in)) {
      status = WorseStatus(
          status,
          messages.ShowWarning(in + ": is a directory, skipped without -r"));
      continue;
    }
    if (IsTerminal(in, kStandardInput)) {
      return messages.ShowError("compressed data is not read from a terminal");
    }
    const auto input = InputFile::Open(in);
    if (!input) {
      status = WorseStatus(status, messages.ShowError(input.error().what));
      continue;
    }
    auto listed =
        ListFile(**input, MaxMemoryBytes(options), models ? &*models : nullptr);
    if (!listed) {
      status =
          WorseStatus(status, Fail(messages, (*input)->name(), listed.error()));
      continue;
    }
    files.push_back(*std::move(listed));
  }
  // Programs get a list without files, people nothing.
  if (files.empty() && options.list_format != ListFormat::kJson) return status;
  return WorseStatus(status, PrintOut(messages, ToText(files, options)));
}

}  // namespace llma::cli
