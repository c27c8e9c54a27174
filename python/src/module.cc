// SPDX-License-Identifier: Apache-2.0
// llma._llma: the C interface as the Python files of the package need it.
#include "py_support.h"

NB_MODULE(_llma, module) {
  module.doc() = "The C interface of llma; use the package llma instead.";
  module.attr("__version__") = llma_version_string();
  module.attr("RUN") = static_cast<int>(LLMA_RUN);
  module.attr("FLUSH") = static_cast<int>(LLMA_FLUSH);
  module.attr("FINISH") = static_cast<int>(LLMA_FINISH);
  module.attr("HAS_HTTP") = LLMA_HAS_HTTP != 0;
  llma_py::DefineModel(module);
  llma_py::DefineCodec(module);
  llma_py::DefineReader(module);
}
