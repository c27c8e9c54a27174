// SPDX-License-Identifier: Apache-2.0
#include "store/export_model.h"

#include <optional>

#include "base/hex.h"
#include "base/sha256.h"
#include "model/model_header.h"
#include "platform/file_info.h"
#include "platform/interruptions.h"
#include "platform/mapped_file.h"
#include "platform/output_file.h"
#include "store/check_model.h"
#include "store/documents.h"
#include "store/tar_writer.h"

namespace llma::store {
namespace {

constexpr char kAboutDocuments[] =
    R"(The documents beside this file say what a program must do that reads
such files without llma: start with FORMAT.md. What they name that is not
here (src, tests, bench) explains, but is not needed. One in Python 3.11 or
newer, which needs numpy, is in the folder reference. In this folder:

)";
constexpr char kAboutReference[] = R"(
With a model of 144 MB it takes 1.6 GB of memory, half a minute to begin,
and then a second for some bytes. It prints nothing if all went well: the
checksums in the file are right, and the exit status is 0. Files of levels
1 and 2 need no --model.

)";

std::string ReadMe(const Model& model, Bytes file, const std::string& writer) {
  const std::string name(model.name());
  const std::string license(model.license());
  Sha256 sha256;
  sha256.Update(file);
  return "The language model " + name +
         ", for files that llma made with it.\n" + writer +
         " wrote this archive.\n\n"
         "  " +
         name +
         ".llmm    the model, as MODEL_FILE.md says\n"
         "  SHA-256        " +
         ToHex(sha256.Digest()) +
         "\n"
         "  fingerprint    " +
         ToHex(model.fingerprint()) +
         "\n"
         "  made from      a file or folder with SHA-256 " +
         ToHex(model.source_sha256()) +
         "\n"
         "  license        " +
         (license.empty() ? "its source names none" : license) +
         ", as its source says\n\n"
         "A compressed file names its model by the first 8 bytes of the\n"
         "fingerprint. To decompress with the program llma:\n\n"
         "  llma -d --model ./" +
         name + ".llmm FILE.llma\n\n" + kAboutDocuments +
         "  python3 reference/decode.py --model " + name +
         ".llmm FILE.llma OUT\n" + kAboutReference +
         "LICENSE is the licence of llma and of all this" +
         (license == "apache-2.0" ? ", and the text of the model's, too.\n"
                                  : "; the model has its own, named above.\n");
}

}  // namespace

Status ExportModel(const std::string& model_path, const std::string& tar_path,
                   bool overwrite, const std::string& writer) {
  LLMA_ASSIGN(const auto model, VerifyModel(model_path));
  const auto source = InfoOf(model_path), target = InfoOf(tar_path);
  if (source && target && IsSameFile(*source, *target)) {
    return Error{ErrorCode::kUsage,
                 tar_path + ": the archive would overwrite the model"};
  }
  if (!IsNewModelName(model->name())) {
    return Error{ErrorCode::kUnsupported,
                 model_path + ": the model is called '" +
                     std::string(model->name()) +
                     "', which is no name for a folder and a file of an "
                     "archive"};
  }
  LLMA_ASSIGN(const MappedFile file, MappedFile::Open(model_path));
  std::optional<InterruptionBlock> block(std::in_place);
  LLMA_ASSIGN(OutputFile out,
              OutputFile::Create(tar_path, {.overwrite = overwrite}));
  const RemovalAtEnd at_end(out.place_to_unlink());
  block.reset();
  TarWriter tar([&out](Bytes bytes) { return out.Write(bytes); });
  const std::string name(model->name());
  LLMA_TRY(tar.Add(name + "/README.txt",
                   AsBytes(ReadMe(*model, file.bytes(), writer))));
  for (const Document& document : Documents()) {
    LLMA_TRY(tar.Add(name + "/" + std::string(document.name),
                     AsBytes(document.text)));
  }
  LLMA_TRY(tar.Add(name + "/" + name + ".llmm", file.bytes()));
  LLMA_TRY(tar.Finish());
  return out.SyncAndCommit();
}

}  // namespace llma::store
