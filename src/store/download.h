// SPDX-License-Identifier: Apache-2.0
// A file from a host, used when it is whole and has the right checksum, or not
// at all. What an interrupted run has got stays in PATH.part, and the next one
// goes on with it.
#ifndef LLMA_STORE_DOWNLOAD_H_
#define LLMA_STORE_DOWNLOAD_H_

#include <cstdint>
#include <functional>
#include <string>

#include "base/status.h"
#include "store/http_client.h"

namespace llma::store {

struct DownloadSource {
  std::string url;
  std::string token;  // may be empty
  std::string token_type = "Bearer";
  std::string token_origin;  // who gets it
  std::string token_from;    // where it was found, for messages
  std::string page;          // where its terms are accepted; may be empty
  bool is_of_hub = true;     // which has models and their terms
  uint64_t size_bytes = 0;   // 0: not known
  // In hexadecimal. Empty: what the host says; if it says nothing, an error.
  std::string sha256;
  // Instead, for the hub's small files: what git calls them (git_blob.h).
  std::string blob_id;
  // Where no checksum is known either: its size will do.
  bool may_lack_sum = false;
};

struct Downloaded {
  std::string sha256;  // or the source's blob_id
  bool is_hash_from_host = false;
  uint64_t size_bytes = 0;
};

struct DownloadOptions {
  // What is done with the file, by its path, while no other process changes it.
  // An error keeps it, so that the next run need not fetch it again.
  std::function<Status(const std::string&, const Downloaded&)> use;
  // Where it then is; a file that is there stays, and is an error, but that of
  // the path itself is replaced. Empty: it is removed.
  std::string keep_as;
  // Bytes so far, and in all (0: not known). False ends the work.
  std::function<bool(uint64_t, uint64_t)> progress;
  // Of what takes long.
  std::function<void(const std::string&)> note;
  // Room that must be left for what comes after, in units of the file's size.
  uint64_t num_more_sizes = 0;
  // Times that a host may fail before anything came.
  int max_first_failures = 5;
  // If not null: set where the error is that the host is not reached, or does
  // not give the file.
  bool* is_refused = nullptr;
};

// True for 64 hexadecimal digits in lower case.
bool IsSha256Text(const std::string& text);

// Why a host does not give it: what its answer means, and what can be done.
Error Refusal(const DownloadSource& source, const HttpResponse& response);

// Whether a folder has room for this many bytes that are fetched, and as many
// more for what is made of them.
Status CheckRoom(const std::string& folder, uint64_t fetched_bytes,
                 uint64_t made_bytes);

// The SHA-256 of a file.
Result<std::string> Sha256OfFile(const std::string& path);

// Of a file, the same as `expected` is of what it should be: its id in git, or
// else its SHA-256.
Result<std::string> SumOfFile(const std::string& path,
                              const std::string& expected);

// Gives a file another name, unless something has that.
Status MoveToFreeName(const std::string& from, const std::string& to);

// No other process may have files PATH.part and PATH.part.from.
Result<Downloaded> Download(const DownloadSource& source,
                            const std::string& path,
                            const DownloadOptions& options);

}  // namespace llma::store

#endif  // LLMA_STORE_DOWNLOAD_H_
