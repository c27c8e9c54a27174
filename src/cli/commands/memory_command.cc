// SPDX-License-Identifier: Apache-2.0
// llma --info-memory: what each level needs.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.h"
#include "cli/commands/model_lookup.h"
#include "cli/files/file_job.h"
#include "cli/progress.h"

namespace llma::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string Bytes10(uint64_t bytes) {
  return FormatBytes(static_cast<double>(bytes));
}

std::string TableRow(int level, const llma_level_info& info) {
  char row[120];
  if (info.uses_model == 0) {
    std::snprintf(row, sizeof(row), "   -%d  %-14s %5s %7s %9s %9s %9s\n",
                  level, "no", "", "", Bytes10(info.frame_bytes).c_str(),
                  Bytes10(info.compress_bytes).c_str(),
                  Bytes10(info.decompress_bytes).c_str());
  } else {
    std::snprintf(row, sizeof(row), "   -%d  %-14s %5u %7u %9s %9s %9s\n",
                  level, "yes", info.max_lanes, info.window,
                  Bytes10(info.frame_bytes).c_str(),
                  Bytes10(info.compress_bytes).c_str(),
                  Bytes10(info.decompress_bytes).c_str());
  }
  return row;
}

std::string RobotRow(int level, const llma_level_info& info) {
  std::string row = "level";
  for (const uint64_t value :
       {uint64_t{static_cast<unsigned>(level)}, uint64_t{info.uses_model != 0},
        uint64_t{info.max_lanes}, uint64_t{info.window}, info.frame_bytes,
        info.compress_bytes, info.decompress_bytes, info.model_bytes,
        uint64_t{info.learns != 0}}) {
    row += "\t" + std::to_string(value);
  }
  return row + "\n";
}

Json JsonRow(int level, const llma_level_info& info) {
  return {{"level", level},
          {"uses_model", info.uses_model != 0},
          {"max_lanes", info.max_lanes},
          {"window", info.window},
          {"frame_bytes", info.frame_bytes},
          {"compress_bytes", info.compress_bytes},
          {"decompress_bytes", info.decompress_bytes},
          {"model_bytes", info.model_bytes},
          {"learns", info.learns != 0}};
}

}  // namespace

int RunInfoMemory(const Options& options, const Messages& messages) {
  ModelCache models(options.model);
  Json all = Json::array();
  std::string rows;
  uint64_t model_bytes = 0;
  int status = kExitSuccess;
  for (int level = LLMA_LEVEL_FASTEST; level <= LLMA_LEVEL_BEST; ++level) {
    Options of_level = options;
    of_level.level = level;
    auto how = MakeOptions(of_level);
    if (!how) return messages.ShowError(how.error().what);
    const auto note = [&messages](const std::string& text) {
      messages.ShowWarning(text);
    };
    if (const Status set = models.SetToCompress(*how, note); !set) {
      // The levels without a model need none.
      status = messages.ShowError(set.error().what);
      break;
    }
    const auto info = LevelInfo(*how);
    if (!info) return messages.ShowError(info.error().what);
    model_bytes = std::max(model_bytes, info->model_bytes);
    if (options.list_format == ListFormat::kRobot) {
      rows += RobotRow(level, *info);
    } else {
      rows += TableRow(level, *info);
      all.push_back(JsonRow(level, *info));
    }
  }
  if (options.list_format == ListFormat::kRobot) {
    return WorseStatus(status, PrintOut(messages, rows));
  }
  if (options.list_format == ListFormat::kJson) {
    return WorseStatus(status, PrintOut(messages, all.dump(2) + "\n"));
  }
  std::string text =
      "The most memory that a frame needs; usable here: " +
      Bytes10(llma_usable_memory_bytes()) +
      "\nlevel  language model lanes  window     frame  compress   restore\n" +
      rows;
  if (model_bytes != 0) {
    text += "Besides, the model's file of " + Bytes10(model_bytes) +
            ", which processes share.\n";
  }
  text += "'llma bench --levels 1-9 FILE' measures speed and memory here.\n";
  return WorseStatus(status, PrintOut(messages, text));
}

}  // namespace llma::cli
