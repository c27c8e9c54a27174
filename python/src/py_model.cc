// SPDX-License-Identifier: Apache-2.0
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "py_support.h"

namespace llma_py {

PyModel::PyModel(const char* name_or_path) {
  llma_error error;
  llma_status status;
  {
    nb::gil_scoped_release release;
    status = llma_model_open(name_or_path, &model_, &error);
  }
  Check(status, error);
}

PyModel::PyModel(const uint8_t* fingerprint, size_t fingerprint_bytes) {
  llma_error error;
  llma_status status;
  {
    nb::gil_scoped_release release;
    status =
        llma_model_find(fingerprint, fingerprint_bytes, 0, &model_, &error);
  }
  Check(status, error);
}

llma_model_info PyModel::info() const {
  llma_error error;
  llma_model_info info{};
  info.struct_bytes = sizeof(info);
  Check(llma_model_get_info(model_, &info, &error), error);
  return info;
}

void DefineModel(nb::module_& module) {
  nb::class_<PyModel>(module, "Model",
                      "A language model. Any number of threads may share one.")
      .def(
          "__init__",
          [](PyModel* self, const std::optional<std::string>& name) {
            new (self) PyModel(name ? name->c_str() : nullptr);
          },
          nb::arg("name_or_path") = nb::none(),
          "Opens an installed model by its name, or a .llmm file by its path; "
          "None: the default model.")
      .def_prop_ro("name", [](const PyModel& m) { return m.info().name; })
      .def_prop_ro("path", [](const PyModel& m) { return m.info().path; })
      .def_prop_ro("license", [](const PyModel& m) { return m.info().license; })
      .def_prop_ro("fingerprint",
                   [](const PyModel& m) {
                     return nb::bytes(m.info().fingerprint,
                                      LLMA_FINGERPRINT_BYTES);
                   })
      .def_prop_ro("num_tokens",
                   [](const PyModel& m) { return m.info().num_tokens; })
      // For other processes: where it is, and what it must be.
      .def("__reduce__", [](nb::handle self) {
        return nb::make_tuple(
            nb::module_::import_("llma._codec").attr("restore_model"),
            nb::make_tuple(self.attr("path"), self.attr("fingerprint")));
      });
  module.def(
      "find_model",
      [](nb::handle fingerprint) {
        const View view(fingerprint);
        return new PyModel(static_cast<const uint8_t*>(view.data()),
                           view.size());
      },
      nb::arg("fingerprint"), nb::rv_policy::take_ownership);
}

}  // namespace llma_py
