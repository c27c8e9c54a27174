// SPDX-License-Identifier: Apache-2.0
// llma tune: a part of the Python package, run by Python.
#include <string>
#include <vector>

#include "cli/commands/commands.h"
#include "platform/program_start.h"

namespace llma::cli {
namespace {

// Not from the current folder: what is there is not meant.
constexpr char kScript[] = R"(
import importlib.util, runpy, sys
sys.path[:] = [path for path in sys.path if path]
try:
    found = importlib.util.find_spec("llma.tune")
except ImportError:
    found = None
if not found:
    sys.exit("llma: tune is a part of the Python package llma, which "
             + sys.executable + " lacks\n"
             "llma: try pip install '.[tune]' in llma's source folder, then "
             "python3 -m llma.tune")
runpy.run_module("llma.tune", run_name="__main__", alter_sys=True)
)";

}  // namespace

int RunTune(const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {"python3", "-c", kScript};
  command.insert(command.end(), arguments.begin(), arguments.end());
  if (const int status = RunInstead(command); status >= 0) return status;
  return Messages(1).ShowError(
      "tune needs Python: python3 is not found",
      "install it and the package llma: pip install '.[tune]' in llma's source "
      "folder");
}

}  // namespace llma::cli
