// SPDX-License-Identifier: Apache-2.0
// Fields of a JSON object by name and type. Errors (kUnsupported) name the
// field with its path.
#ifndef LLMA_IMPORTER_HF_JSON_FIELDS_H_
#define LLMA_IMPORTER_HF_JSON_FIELDS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "importer/hf/json_value.h"

namespace llma {

// `object` must outlive it. A value that is no object has no fields.
class JsonFields {
 public:
  explicit JsonFields(const JsonValue& object, std::string path = "")
      : object_(object), path_(std::move(path)) {}

  // Null if the field is missing or null.
  const JsonValue* Find(std::string_view key) const;
  bool Has(std::string_view key) const { return Find(key) != nullptr; }
  // The field is there, and null.
  bool IsNull(std::string_view key) const {
    const JsonValue* value = object_.Find(key);
    return value != nullptr && value->IsNull();
  }

  Result<uint32_t> GetU32(std::string_view key) const;
  Result<std::string_view> GetString(std::string_view key) const;
  Result<const JsonValue::Array*> GetArray(std::string_view key) const;
  Result<const JsonValue*> GetObject(std::string_view key) const;
  // `otherwise` if the field is missing or null.
  Result<uint32_t> GetU32Or(std::string_view key, uint32_t otherwise) const;
  Result<float> GetF32Or(std::string_view key, float otherwise) const;
  Result<bool> GetBoolOr(std::string_view key, bool otherwise) const;
  Result<std::string_view> GetStringOr(std::string_view key,
                                       std::string_view otherwise) const;

  // kUnsupported: "PATH.KEY WHAT".
  Error FieldError(std::string_view key, const std::string& what) const;

 private:
  const JsonValue& object_;
  std::string path_;
};

}  // namespace llma

#endif  // LLMA_IMPORTER_HF_JSON_FIELDS_H_
