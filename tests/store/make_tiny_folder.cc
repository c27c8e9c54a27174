// SPDX-License-Identifier: Apache-2.0
// Writes the model of a GGUF file as a Hugging Face folder, in two files of
// weights with an index:
//   make_tiny_folder TINY_GGUF FOLDER
#include <cstdio>

#include "importer/testing/hf_folder_editor.h"
#include "platform/mapped_file.h"

int main(int argc, char** argv) {
  using namespace llma;
  if (argc != 3) return 2;
  const auto file = MappedFile::Open(argv[1]);
  if (!file) return 1;
  const auto gguf = GgufReader::Parse(file->bytes());
  if (!gguf) return 1;
  HfFolderEditor editor(*gguf, TensorType::kF32);
  const SafetensorsEditor whole = editor.weights.at("model.safetensors");
  editor.weights.clear();
  editor.index = {{"metadata", nlohmann::json::object()},
                  {"weight_map", nlohmann::json::object()}};
  size_t number = 0;
  for (const auto& [name, tensor] : whole.header.items()) {
    const std::string part = ++number % 2 == 0
                                 ? "model-00001-of-00002.safetensors"
                                 : "model-00002-of-00002.safetensors";
    const size_t begin = tensor["data_offsets"][0];
    const size_t end = tensor["data_offsets"][1];
    editor.weights[part].Add(
        name, "F32", tensor["shape"],
        {whole.data.begin() + static_cast<std::ptrdiff_t>(begin),
         whole.data.begin() + static_cast<std::ptrdiff_t>(end)});
    editor.index["weight_map"][name] = part;
  }
  editor.Write(argv[2]);
  return 0;
}
