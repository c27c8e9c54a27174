// SPDX-License-Identifier: Apache-2.0
#include "store/download.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <sstream>
#include <utility>

#include "base/hex.h"
#include "base/sha256.h"
#include "platform/descriptors.h"
#include "platform/file_info.h"
#include "platform/file_system.h"
#include "platform/mapped_file.h"
#include "platform/output_file.h"
#include "store/git_blob.h"
#include "store/retry_wait.h"

namespace llma::store {
namespace {

// Times that nothing was received in a row; what is received counts anew.
constexpr int kMaxFailures = 5;
// Of a source whose size is not known.
constexpr uint64_t kMaxUnknownBytes = uint64_t{1} << 36;
constexpr uint64_t kMaxRoomBytes = uint64_t{1} << 60;
constexpr const char* kNoSum = "-";
constexpr uint64_t kMaxNoteBytes = 1 << 15;

std::string Megabytes(uint64_t bytes) {
  return std::to_string((bytes + 999999) / 1000000) + " MB";
}

// "bytes 100-199/200": where it starts, and the size of the whole.
struct ContentRange {
  uint64_t start = 0, total = 0;
};
std::optional<ContentRange> ParseContentRange(const std::string& text) {
  ContentRange range;
  unsigned long long start = 0, end = 0, total = 0;
  if (std::sscanf(text.c_str(), "bytes %llu-%llu/%llu", &start, &end, &total) !=
          3 ||
      start > end || end >= total) {
    return {};
  }
  range.start = start;
  range.total = total;
  return range;
}

// What is beside PATH.part: of which source it is.
struct PartNote {
  std::string url, etag, sum;

  static PartNote Read(const std::string& path) {
    PartNote note;
    const auto bytes = ReadFile(path, kMaxNoteBytes);
    if (!bytes) return note;
    std::istringstream lines{std::string(AsStringView(*bytes))};
    std::getline(lines, note.url);
    std::getline(lines, note.etag);
    std::getline(lines, note.sum);
    return note;
  }
  Status Write(const std::string& path) const {
    LLMA_ASSIGN(OutputFile file, OutputFile::Create(path, {.overwrite = true}));
    const std::string text = url + "\n" + etag + "\n" + sum + "\n";
    LLMA_TRY(file.Write(AsBytes(text)));
    return file.Commit();
  }
};

class Transfer {
 public:
  Transfer(const DownloadSource& source, const std::string& path,
           const DownloadOptions& options, OutputFile file)
      : source_(source),
        path_(path),
        options_(options),
        note_path_(path + ".part.from"),
        file_(std::move(file)) {}

  Result<Downloaded> Run() {
    LLMA_TRY(FindStart());
    LLMA_TRY(Fetch());
    LLMA_ASSIGN(std::string sum, SumOfPart());
    if (sum != note_.sum && is_joined_) {
      // A part of it was of another file, or got damaged.
      LLMA_TRY(Restart());
      LLMA_TRY(Fetch());
      LLMA_ASSIGN(sum, SumOfPart());
    }
    return Finish(sum);
  }

 private:
  Status Fetch() {
    is_complete_ = false;
    uint64_t most = have_;  // that was ever there
    for (int failures = 0;;) {
      const auto got = Get();
      if (!got) {
        // Neither the disk nor the user, then.
        if (!is_ended_by_us_ && got.error().code == ErrorCode::kIo) Refuse();
        return got.error();
      }
      const HttpOutcome& outcome = *got;
      if (is_complete_ || (outcome.transport_error.empty() && has_body_ &&
                           (total_ == 0 || have_ == total_))) {
        return OkStatus();
      }
      if (have_ > most) failures = 0;
      most = std::max(most, have_);
      const int limit = have_ > 0 ? kMaxFailures : options_.max_first_failures;
      if (++failures > limit) {
        Refuse();
        return GaveUp(outcome);
      }
      const Status waited = WaitToRetry(
          source_.url, std::max(retry_seconds_, SecondsBeforeTry(failures)),
          {[this] { return GoesOn(); }, options_.note});
      if (!waited) {
        if (waited.error().code == ErrorCode::kIo) Refuse();
        return waited.error();
      }
    }
  }

  bool GoesOn() const {
    return !options_.progress || options_.progress(have_, total_);
  }

  // What it must have, as far as that is known.
  std::string Expected() const {
    return source_.sha256.empty() ? source_.blob_id : source_.sha256;
  }

  // What an earlier run left, if it is of this source: the same file may have
  // another address meanwhile.
  Status FindStart() {
    note_ = PartNote::Read(note_path_);
    have_ = SeekToEnd(file_.fd()) ? PositionOf(file_.fd()).value_or(0) : 0;
    const std::string expected = Expected();
    const bool is_same_url = note_.url == source_.url;
    if (!is_same_url) note_.etag.clear();
    const bool is_ours = expected.empty()
                             ? is_same_url && IsSha256Text(note_.sum)
                             : note_.sum == expected;
    if (!is_ours || (source_.size_bytes != 0 && have_ > source_.size_bytes)) {
      return Restart();
    }
    return OkStatus();
  }

  Status Restart() {
    note_ = {};
    have_ = 0;
    is_joined_ = false;
    if (!Truncate(file_.fd(), 0) || !SeekTo(file_.fd(), 0)) {
      return SystemError("cannot empty " + path_ + ".part");
    }
    return OkStatus();
  }

  Result<HttpOutcome> Get() {
    has_body_ = false;
    is_useless_ = false;
    retry_seconds_ = 0;
    HttpRequest request;
    request.url = source_.url;
    request.token = source_.token;
    request.token_type = source_.token_type;
    request.token_origin = source_.token_origin;
    request.range_start = have_;
    // A weak one does not promise the same bytes.
    if (!note_.etag.starts_with("W/")) request.if_range = note_.etag;
    const auto ours = [this](Status status) {
      if (!status) is_ended_by_us_ = true;
      return status;
    };
    auto outcome = HttpGet(
        request,
        {[&](const HttpResponse& response) { return ours(Respond(response)); },
         [&](Bytes bytes) -> Status {
           if (is_useless_) return Error{ErrorCode::kCancelled, "of no use"};
           return ours(Receive(bytes));
         }});
    if (!outcome && is_useless_ && !is_ended_by_us_) {
      HttpOutcome useless;
      useless.transport_error = "the host does not give the rest";
      return useless;
    }
    return outcome;
  }

  // The answer is not what was asked for: the next one is, from the start.
  Status StartAnew() {
    is_useless_ = true;
    has_body_ = false;
    total_ = 0;
    return Restart();
  }

  Status Respond(const HttpResponse& response) {
    status_ = response.status;
    retry_seconds_ = response.retry_seconds;
    switch (response.status) {
      case 200:
        if (have_ > 0) LLMA_TRY(Restart());
        total_ = response.content_bytes;
        break;
      case 206: {
        const auto range = ParseContentRange(response.content_range);
        // Another one, whatever If-Range said.
        if (!range || range->start != have_ ||
            (!note_.etag.empty() && !response.etag.empty() &&
             response.etag != note_.etag)) {
          return StartAnew();
        }
        is_joined_ = true;
        total_ = range->total;
        break;
      }
      case 416:
        if (response.content_range == "bytes */" + std::to_string(have_)) {
          is_complete_ = is_joined_ = true;
          return OkStatus();
        }
        return StartAnew();
      case 408:
      case 429:
        return OkStatus();  // try again
      default:
        if (response.status >= 500) return OkStatus();  // try again
        Refuse();
        return Refusal(source_, response);
    }
    has_body_ = true;
    if (total_ == 0) total_ = response.linked_bytes;
    return CheckSource(response);
  }

  void Refuse() const {
    if (options_.is_refused != nullptr) *options_.is_refused = true;
  }

  // Whether it is what was asked for, and whether there is room.
  Status CheckSource(const HttpResponse& response) {
    std::string expected = Expected();
    if (IsSha256Text(response.linked_etag) && source_.blob_id.empty()) {
      if (!expected.empty() && expected != response.linked_etag) {
        return Error{ErrorCode::kChecksum,
                     source_.url + ": is another file: its host says SHA-256 " +
                         response.linked_etag + ", expected " + expected};
      }
      if (expected.empty()) {
        expected = response.linked_etag;
        is_hash_from_host_ = true;
      }
    }
    if (expected.empty() && source_.may_lack_sum) {
      expected = IsGitId(response.linked_etag) ? response.linked_etag : kNoSum;
    }
    if (expected.empty()) {
      return Error{ErrorCode::kUsage,
                   source_.url +
                       ": the host says no SHA-256: give it with --sha256=HEX"};
    }
    if (have_ > 0 && note_.sum != expected) return StartAnew();
    if (source_.size_bytes != 0 && total_ != 0 &&
        total_ != source_.size_bytes) {
      return Error{ErrorCode::kChecksum,
                   source_.url + ": has " + std::to_string(total_) +
                       " bytes, expected " +
                       std::to_string(source_.size_bytes)};
    }
    if (total_ == 0) total_ = source_.size_bytes;
    if (total_ != 0) {
      LLMA_TRY(CheckRoom(FolderOf(path_), total_ - std::min(total_, have_),
                         total_ <= kMaxRoomBytes
                             ? total_ * options_.num_more_sizes
                             : ~uint64_t{0}));
    }
    note_ = {source_.url, response.etag, expected};
    return note_.Write(note_path_);
  }

  Status Receive(Bytes bytes) {
    if (!has_body_) return OkStatus();  // of an answer that is of no use
    const uint64_t limit = total_ != 0 ? total_ : kMaxUnknownBytes;
    if (bytes.size() > limit - have_) {
      return Error{ErrorCode::kIo,
                   source_.url + ": the host sends more than it said"};
    }
    if (const Status written = WriteAll(file_.fd(), bytes); !written) {
      return Error{ErrorCode::kIo,
                   path_ + ".part: " + written.error().what +
                       ": make room and run this again; what is there is kept"};
    }
    have_ += bytes.size();
    if (!GoesOn()) return Error{ErrorCode::kCancelled, "cancelled"};
    return OkStatus();
  }

  Error GaveUp(const HttpOutcome& outcome) const {
    std::string why = outcome.transport_error;
    if (why.empty()) {
      why = has_body_ ? "the connection ends too early"
                      : "the host says " + std::to_string(status_);
    }
    if (have_ > 0) {
      why += ": " + std::to_string(have_) +
             " bytes are there; run this again to go on";
    }
    return Error{ErrorCode::kIo, source_.url + ": " + why};
  }

  // Puts the file where it stays, if nothing is there.
  Status Keep() {
    LLMA_TRY(file_.SyncAndCommit());
    if (options_.keep_as == path_) return OkStatus();
    return MoveToFreeName(path_, options_.keep_as);
  }

  // Of the kind that it must have.
  Result<std::string> SumOfPart() const {
    const std::string part = path_ + ".part";
    if (note_.sum == kNoSum) return note_.sum;
    return SumOfFile(part, note_.sum);
  }

  Result<Downloaded> Finish(const std::string& sum) {
    const std::string part = path_ + ".part";
    if (sum != note_.sum) {
      (void)RemoveFile(part);
      (void)RemoveFile(note_path_);
      return Error{ErrorCode::kChecksum,
                   source_.url + ": what came is not the file: its " +
                       (IsGitId(sum) ? "id in git" : "SHA-256") + " is " + sum +
                       ", expected " + note_.sum + "; it was removed"};
    }
    const Downloaded downloaded{sum, is_hash_from_host_, have_};
    if (options_.use) {
      const Status used = options_.use(part, downloaded);
      if (!used) {
        return Error{used.error().code,
                     used.error().what + ": " + part + " is kept",
                     used.error().offset};
      }
    }
    if (!options_.keep_as.empty()) LLMA_TRY(Keep());
    (void)RemoveFile(part);
    (void)RemoveFile(note_path_);
    return downloaded;
  }

  const DownloadSource& source_;
  const std::string path_;
  const DownloadOptions& options_;
  const std::string note_path_;
  OutputFile file_;
  PartNote note_;
  uint64_t have_ = 0;   // bytes in the file
  uint64_t total_ = 0;  // 0: not known
  long status_ = 0;
  uint64_t retry_seconds_ = 0;
  bool is_useless_ = false;  // the rest of the last answer is not wanted
  bool has_body_ = false;    // the last answer had the file in it
  bool is_complete_ = false;
  bool is_joined_ = false;  // has bytes of several answers
  bool is_ended_by_us_ = false;
  bool is_hash_from_host_ = false;
};

Error NotAllowed(const DownloadSource& source, const std::string& what) {
  if (!source.is_of_hub) return Error{ErrorCode::kIo, what + ", not allowed"};
  const std::string terms =
      "accept the model's terms" +
      (source.page.empty() ? " on its page" : " at " + source.page);
  if (source.token.empty()) {
    return Error{ErrorCode::kIo,
                 what + ", not allowed: " + terms +
                     " if it has any, and log in (`hf auth login`) or set "
                     "HF_TOKEN"};
  }
  return Error{ErrorCode::kIo,
               what + ", not allowed: the token of " + source.token_from +
                   " is not of somebody who may have it: " + terms};
}

}  // namespace

Error Refusal(const DownloadSource& source, const HttpResponse& response) {
  const std::string what =
      source.url + ": the host says " + std::to_string(response.status);
  // Of what it hides, the hub says the same.
  if (source.is_of_hub && response.error_code == "RepoNotFound") {
    return Error{ErrorCode::kIo,
                 what + ": there is no such repository, or it is private" +
                     (source.token.empty()
                          ? ": log in (`hf auth login`) or set HF_TOKEN"
                          : " and not for the token of " + source.token_from)};
  }
  if (source.is_of_hub && response.error_code == "RevisionNotFound") {
    return Error{ErrorCode::kIo, what + ", there is no such revision"};
  }
  switch (response.status) {
    case 401:
    case 403:
      return NotAllowed(source, what);
    case 404:
      return Error{ErrorCode::kIo, what + ", there is no such file"};
    default:
      return Error{ErrorCode::kIo, what};
  }
}

Status CheckRoom(const std::string& folder, uint64_t fetched_bytes,
                 uint64_t made_bytes) {
  const auto free_bytes = FreeBytes(folder);
  // Without overflow, whatever the host claims.
  if (!free_bytes || (fetched_bytes <= *free_bytes &&
                      made_bytes <= *free_bytes - fetched_bytes)) {
    return OkStatus();
  }
  return Error{ErrorCode::kIo,
               folder + ": has " + Megabytes(*free_bytes) + " free; fetching " +
                   Megabytes(fetched_bytes) +
                   " and making the model of it needs more: make room, or "
                   "set XDG_DATA_HOME to where there is some"};
}

bool IsSha256Text(const std::string& text) {
  return text.size() == 64 &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Result<std::string> Sha256OfFile(const std::string& path) {
  LLMA_ASSIGN(const MappedFile file, MappedFile::Open(path));
  Sha256 hash;
  hash.Update(file.bytes());
  const auto digest = hash.Digest();
  return ToHex(digest);
}

Result<std::string> SumOfFile(const std::string& path,
                              const std::string& expected) {
  return IsGitId(expected) ? GitBlobIdOfFile(path) : Sha256OfFile(path);
}

Status MoveToFreeName(const std::string& from, const std::string& to) {
  if (MoveToFree(from, to)) return OkStatus();
  return Error{ErrorCode::kIo,
               to + ": " + std::strerror(errno) + ": " + from + " is kept"};
}

Result<Downloaded> Download(const DownloadSource& source,
                            const std::string& path,
                            const DownloadOptions& options) {
  LLMA_ASSIGN(OutputFile file, OutputFile::Create(path, {.overwrite = true,
                                                         .is_resumable = true,
                                                         .resume = true,
                                                         .keep_part = true}));
  auto downloaded = Transfer(source, path, options, std::move(file)).Run();
  const std::string part = path + ".part";
  const auto info = downloaded ? std::nullopt : InfoOf(part);
  if (info && info->size_bytes == 0) {
    (void)RemoveFile(part);  // nothing to go on with
    (void)RemoveFile(part + ".from");
  }
  return downloaded;
}

}  // namespace llma::store
