// SPDX-License-Identifier: Apache-2.0
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

namespace {

// Names of files may be of any bytes.
nb::object Text(const char* text) {
  PyObject* const decoded = PyUnicode_DecodeFSDefault(text);
  if (decoded == nullptr) throw nb::python_error();
  return nb::steal(decoded);
}

// What open() takes for a path, as the library takes it.
nb::bytes NameBytes(nb::handle name_or_path) {
  PyObject* encoded = nullptr;
  if (PyUnicode_FSConverter(name_or_path.ptr(), &encoded) == 0) {
    throw nb::python_error();
  }
  return nb::steal<nb::bytes>(encoded);
}

struct ListDeleter {
  void operator()(llma_model_list* list) const { llma_model_list_free(list); }
};

nb::list ListModels() {
  llma_error error;
  llma_model_list* created = nullptr;
  llma_status status;
  {
    nb::gil_scoped_release release;
    status = llma_model_list_create(&created, &error);
  }
  Check(status, error);
  const std::unique_ptr<llma_model_list, ListDeleter> list(created);
  nb::list models;
  for (size_t i = 0; i < llma_model_list_size(created); ++i) {
    llma_installed_model model{};
    model.struct_bytes = sizeof(model);
    Check(llma_model_list_get(created, i, &model, &error), error);
    models.append(
        nb::make_tuple(Text(model.name), Text(model.path), model.file_bytes,
                       nb::bytes(model.fingerprint, LLMA_FINGERPRINT_BYTES),
                       model.is_default != 0));
  }
  return models;
}

// Tells a function of Python, and ends the work if that or a signal's handler
// raises.
int TellPython(void* function, const llma_progress* progress) {
  nb::gil_scoped_acquire gil;
  if (PyErr_CheckSignals() != 0) return 1;
  const nb::handle callback(static_cast<PyObject*>(function));
  if (callback.is_none()) return 0;
  try {
    callback(progress->done_bytes, progress->total_bytes);
    return 0;
  } catch (nb::python_error& raised) {
    raised.restore();
    return 1;
  }
}

nb::object PullModel(nb::handle source, nb::handle progress) {
  const nb::bytes name = NameBytes(source);
  llma_pull_options options{};
  options.struct_bytes = sizeof(options);
  options.progress = TellPython;
  options.user = progress.ptr();
  llma_error error;
  char* path = nullptr;
  llma_status status;
  {
    nb::gil_scoped_release release;
    status = llma_model_pull(name.c_str(), &options, &path, nullptr, nullptr,
                             &error);
  }
  Check(status, error);
  const LibraryMemory owner(path);
  return Text(path);
}

}  // namespace

void DefineModel(nb::module_& module) {
  nb::class_<PyModel>(module, "Model",
                      "A language model. Any number of threads may share one.")
      .def(
          "__init__",
          [](PyModel* self, nb::handle name) {
            if (name.is_none()) {
              new (self) PyModel(nullptr);
            } else {
              new (self) PyModel(NameBytes(name).c_str());
            }
          },
          nb::arg("name_or_path").none() = nb::none(),
          "Opens an installed model by its name, or a .llmm file by its path; "
          "None: the default model.")
      .def_prop_ro("name", [](const PyModel& m) { return m.info().name; })
      .def_prop_ro("path", [](const PyModel& m) { return Text(m.info().path); })
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
  module.def("list_models", ListModels);
  module.def("pull_model", PullModel, nb::arg("source"),
             nb::arg("progress").none());
}

}  // namespace llma_py
