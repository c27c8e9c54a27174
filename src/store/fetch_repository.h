// SPDX-License-Identifier: Apache-2.0
// A model's repository of the hub as a folder that can be imported: all its
// files of one commit, with the checksums that the hub says, or an error.
#ifndef LLMA_STORE_FETCH_REPOSITORY_H_
#define LLMA_STORE_FETCH_REPOSITORY_H_

#include <functional>
#include <string>

#include "base/status.h"
#include "store/hub_access.h"
#include "store/hub_repository.h"
#include "store/pull_callbacks.h"

namespace llma::store {

struct RepositoryFetch {
  RepositoryName repository;
  // Has what was fetched until all is well; gone on with if it is there, which
  // one process at a time does.
  std::string part_folder;
  // If it has the files already, they are used and stay.
  std::string kept_folder;
  // Else what was fetched gets that name, and the files that other programs
  // want are fetched too; otherwise it is removed.
  bool keeps = false;
};

// `use` reads the folder. An error keeps what was fetched.
Status FetchRepository(
    const HubAccess& hub, const RepositoryFetch& what,
    const PullCallbacks& callbacks,
    const std::function<Status(const std::string& folder)>& use);

}  // namespace llma::store

#endif  // LLMA_STORE_FETCH_REPOSITORY_H_
