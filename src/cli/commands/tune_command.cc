// SPDX-License-Identifier: Apache-2.0
// llma tune: a part of the Python package, run by Python.
#include <unistd.h>

#include <string>
#include <vector>

#include "cli/commands/commands.h"

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

int RunTune(int argc, char** argv) {
  std::string python = "python3", flag = "-c", script = kScript;
  std::vector<char*> arguments = {python.data(), flag.data(), script.data()};
  arguments.insert(arguments.end(), argv, argv + argc);
  arguments.push_back(nullptr);
  execvp(python.c_str(), arguments.data());
  return Messages(1).ShowError(
      "tune needs Python: python3 is not found",
      "install it and the package llma: pip install '.[tune]' in llma's source "
      "folder");
}

}  // namespace llma::cli
