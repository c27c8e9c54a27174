// SPDX-License-Identifier: Apache-2.0
#include <llma/llma.hpp>
#include <string>
#include <vector>

#include "cli/args/options.h"

namespace llma::cli {
namespace {

// "kernels: scalar avx2 (used)".
template <class Info>
std::string UsableNames(const std::string& what, const std::vector<Info>& all,
                        const Result<std::string>& used,
                        const std::string& unsupported) {
  std::string text = what + ":";
  for (const Info& info : all) {
    text += std::string(" ") + info.name;
    if (used && *used == info.name) {
      text += " (used)";
    } else if (info.is_supported == 0) {
      text += " (" + unsupported + ")";
    }
  }
  return text + "\n";
}

std::string DevicesText() {
  std::string text;
  for (const llma_device_info& device : AllDevices()) {
    text += "device: " + std::string(device.name) + ", driver " +
            device.driver + ": " + device.verdict + "\n";
  }
  return text;
}

}  // namespace

std::string HelpText() {
  return R"(Usage: llma [OPTION]... [FILE]...      llma bench, inspect, model, tune: below
Compress each FILE to FILE.llma with a language model, without loss; keep FILE.
Without FILE, or with -, compress standard input to standard output.

  -z, -d, -t, -l    compress (default), decompress, test, list
  -c, --stdout      write to standard output; -c IN OUT writes OUT
  -o, --output OUT  write to OUT        -f, --force  overwrite, use terminals
  -k, --keep        keep FILE (default) --rm         verify, then remove FILE
  -1 ... -9         from fast to small (6); -1 and -2 need no model
  -r, --recursive   take folders too    -S, --suffix .SUF   instead of .llma
  -T, --threads N   processors to use   -M, --memlimit SIZE such as 4G
  -q, --quiet       no warnings; twice: no errors either
  -v, --verbose     say more; twice: about each frame too
  -V, --version     -h, --help          --help=long: all options

  llma model import SOURCE [--name NAME] [-o PATH]      from GGUF or HF folder
  llma model pull NAME|hf:OWNER/NAME|https://...gguf    fetch and import
  llma model list | info NAME | verify NAME | rm NAME   what there is
  llma model check NAME|SOURCE [FILE]   bits of a text; what import loses
  llma model export NAME OUT.tar    the model, its licence, the documents
  llma bench [--levels 1-9] [FILE] | inspect [FILE]   speed; bits a token
  llma tune OPTION... TEXT...      an adapter for a kind of text (needs Python)
)";
}

namespace {

constexpr char kModelHelp[] = R"(Usage: llma model COMMAND [OPTION]...
What compresses and decompresses: language models, each in a file.

  pull NAME|https://...gguf    fetch a model and import it
  pull hf:OWNER/NAME[@REVISION]   the same, of a repository of Hugging Face
  import SOURCE                make a model of a GGUF file or a HF folder
  list                         the models that there are
  info NAME                    what a model is
  verify NAME...               read all of it and compare checksums
  check NAME|SOURCE [FILE]     bits of a text; what import loses
  rm NAME...                   remove models
  export NAME OUT.tar          the model, its licence, the documents

      --name NAME              call it so            (pull, import)
      --start-token TEXT       stands before texts   (pull, import)
      --adapter PATH           a LoRA adapter to merge (pull, import, check)
      --sha256=HEX             what the file must have          (pull)
      --keep-source            keep what was fetched            (pull)
  -o, --output PATH            write to PATH                  (import)
  -f, --force                  overwrite             (pull, import)
      --robot, --json          for programs            (list, info)
  -v, --verbose   -q, --quiet   -h, --help

A NAME may be the path of a .llmm file.
)";

constexpr char kBenchHelp[] = R"(Usage: llma bench [OPTION]... [FILE]
Compress and restore FILE, or a short text, in memory: sizes, speeds and memory
of levels on this machine, and where the time goes.

      --levels FIRST[-LAST]    these levels; usually 6
  -1 ... -9, --fast, --best    this level
  -T, --threads N              processors to use
      --engine NAME            cpu, opencl or auto
      --lanes N   --window N   parts of a level
      --model NAME             with this model
  -h, --help
)";

constexpr char kInspectHelp[] = R"(Usage: llma inspect [OPTION]... [FILE]
Show what was hard to predict of FILE, a text: as a page FILE.html for a
browser, which needs nothing else.

      --json                   JSON on standard output instead
  -o, --output OUT             write to OUT
  -f, --force                  overwrite
  -1 ... -9, --fast, --best    the level
  -T, --threads N              processors to use
      --engine NAME            cpu, opencl or auto
      --lanes N   --window N   parts of a level
      --model NAME             with this model
  -v, --verbose   -q, --quiet   -h, --help
)";

}  // namespace

std::string CommandHelpText(const std::string& command) {
  if (command == "llma model") return kModelHelp;
  if (command == "llma bench") return kBenchHelp;
  if (command == "llma inspect") return kInspectHelp;
  return HelpText();
}

std::string LongHelpText() {
  return HelpText() + R"(
Which files
      --output-dir DIR  write the results there, as -o DIR does if DIR exists
                        or ends with a slash; -r keeps the folders below
      --files0[=FILE]   more names, ended by NUL, from FILE or standard input
  -N, --name            keep name, mode and time in the file; use them with -d
      --no-sync         do not wait for the storage device before --rm removes
                        or -f overwrites
How to compress
      --model NAME      use this model: a name or a .llmm file; auto: for each
                        frame the best of those that are installed
      --lanes N         parts of a frame that are decoded at once, 1 to 64
      --window N        tokens that the model looks back, a multiple of 16
      --learn           the model learns from what it reads: smaller, slower
      --no-learn        it does not, whatever the level
      --frame-size SIZE content of a frame, 4K to 1G; damage costs whole frames
      --no-adjust       an error where -M allows too little, no lower settings
      --verify          decode and compare the result before it gets its name
  -D, --reference FILE  read FILE first, such as the version before: what both
                        have costs next to nothing; -d needs it, too
      --resume          continue FILE.llma.part of an interrupted run, and
                        keep it if this one is interrupted
      --flush           from a pipe: write a frame when no more input waits
      --short           for a message of tens of bytes: 4 bytes of overhead, a
                        weak check, one message a file
      --embed-model     put the model into the file, which needs no other then
      --no-check        write no checksums; with -d: do not compare them
What to decompress
      --range OFFSET[:SIZE]   this part of the content, decoding little else;
                        -SIZE: its end; FIRST-LAST: as in HTTP
      --salvage         restore what is intact of a damaged file, else zeros
      --max-size SIZE   refuse files with more content, such as 100M; also -t
What computes
      --engine NAME     cpu (default), opencl: a GPU or the like; auto: a GPU
                        where there is one; results are the same
What to print
      --robot, --json   with -l: for programs; -v adds frames
      --info-memory     a table of levels and the memory that they need
Other names
      --compress, --decompress, --uncompress, --test, --list, --to-stdout
      --fast, --best    -1, -9
With model pull, import and check
      --start-token TEXT   the token that comes before each text
      --adapter PATH       merge this LoRA adapter into the model
      --sha256=HEX         the checksum that the file must have
      --keep-source        keep the file that was fetched

Exit status: 0 all is well, 1 an error, 2 only a warning.
LLMA_OPT holds options, which come first. Models are looked for in the folders
of LLMA_MODEL_PATH, then in $XDG_DATA_HOME/llma and /usr/share/llma.
Under the names unllma and llmacat, the program does llma -d and llma -dc.
)";
}

std::string VersionText(bool with_details) {
  std::string text = std::string("llma ") + llma_version_string() + "\n";
  if (!with_details) return text;
  text += "reads and writes: file format " +
          std::to_string(llma_format_version()) + ", predictor " +
          std::to_string(llma_predictor_version()) + ", model file format " +
          std::to_string(llma_model_format_version()) + "\n";
  return text +
         UsableNames("kernels", AllKernels(), UsedKernels(),
                     "not on this processor") +
         UsableNames("engines", AllEngines(), UsedEngine(),
                     "not on this machine") +
         DevicesText();
}

}  // namespace llma::cli
