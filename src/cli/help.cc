// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "cli/options.h"
#include "container/frame_header.h"
#include "kernels/kernel_table.h"

namespace llma::cli {

std::string HelpText() {
  return R"(Usage: llma [OPTION]... [IN [OUT]]
Compress a file with a language model, without loss, or decompress it.
Without IN, or if IN is -, standard input goes to standard output.

  -c, --compress      compress IN to OUT, or to IN.llma (default; also -z)
  -d, --decompress    decompress IN.llma to OUT, or to IN
  -t, --test          check whole files, write nothing
  -o, --output OUT    write to OUT
      --stdout        write to standard output
  -f, --force         overwrite OUT; write compressed data to a terminal
  -1 ... -9           from fast to small (default: 6); -1 and -2 need no model
      --model NAME    compress with this model: a name or a .llmm file
      --lanes N       streams that run side by side, 1 to 64
      --window N      tokens that the model looks back, a multiple of 16
  -T, --threads N     processors to use (default: all)
      --memory SIZE   do not decompress what needs more than SIZE, such as 4G
  -q, --quiet         no warnings; twice: no errors either
  -v, --verbose       say more; -V, --version; -h, --help

  llma model import FILE.gguf [--name NAME] [-o PATH]   make a model usable
  llma bench [-1...-9 | --levels 1-9] [FILE]            how fast it is here
  llma model list | llma model info NAME                what there is
Models: $LLMA_MODEL_PATH, $XDG_DATA_HOME/llma, /usr/share/llma.
)";
}

std::string VersionText(bool with_details) {
  std::string text = "llma " LLMA_VERSION "\n";
  if (!with_details) return text;
  text += "file format " + std::to_string(kFormatVersion) + " (unstable)\n";
  const auto used = KernelsFromEnvironment();
  text += "kernels:";
  for (const KernelTable* kernels : AllKernels()) {
    text += std::string(" ") + kernels->name;
    if (used && *used == kernels) {
      text += " (used)";
    } else if (!kernels->is_supported()) {
      text += " (not on this processor)";
    }
  }
  return text + "\n";
}

}  // namespace llma::cli
