# SPDX-License-Identifier: Apache-2.0
"""Writes a GGUF file with other metadata."""
import gguf

FLOAT, COUNT, TEXT, FLAG = (
    gguf.GGUFValueType.FLOAT32, gguf.GGUFValueType.UINT32,
    gguf.GGUFValueType.STRING, gguf.GGUFValueType.BOOL)

# Of Granite 3's kind, for the tiny model.
GRANITE = {"embedding_scale": (3.0, FLOAT), "attention.scale": (0.0625, FLOAT),
           "residual_scale": (0.22, FLOAT), "logit_scale": (4.0, FLOAT)}


def write_changed(source, path, changes, architecture=None):
    """`changes`: values and their types by keys without the architecture's name,
    or None: without the key. `architecture`: another name of it."""
    reader = gguf.GGUFReader(source)
    old_name = reader.fields["general.architecture"].contents()
    name = architecture or old_name
    writer = gguf.GGUFWriter(path, name)
    changes = {f"{name}.{key}": value for key, value in changes.items()}
    for key, field in reader.fields.items():
        if key.startswith(old_name + "."):
            key = name + key.removeprefix(old_name)
        if key.startswith("GGUF.") or key == "general.architecture" or (
                key in changes):
            continue
        element = field.types[-1] if len(field.types) > 1 else None
        writer.add_key_value(key, field.contents(), field.types[0],
                             sub_type=element)
    for key, value in changes.items():
        if value is not None:
            writer.add_key_value(key, *value)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data,
                          raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
