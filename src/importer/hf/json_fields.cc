// SPDX-License-Identifier: Apache-2.0
#include "importer/hf/json_fields.h"

namespace llma {

Error JsonFields::FieldError(std::string_view key,
                             const std::string& what) const {
  const std::string prefix = path_.empty() ? "" : path_ + ".";
  return Error{ErrorCode::kUnsupported,
               "field " + prefix + std::string(key) + " " + what};
}

const JsonValue* JsonFields::Find(std::string_view key) const {
  const JsonValue* value = object_.Find(key);
  return value == nullptr || value->IsNull() ? nullptr : value;
}

Result<uint32_t> JsonFields::GetU32(std::string_view key) const {
  const JsonValue* value = Find(key);
  if (value == nullptr) return FieldError(key, "is missing");
  const auto count = value->AsCount();
  if (!count || *count > UINT32_MAX) {
    return FieldError(key, "is not a 32-bit count");
  }
  return static_cast<uint32_t>(*count);
}

Result<std::string_view> JsonFields::GetString(std::string_view key) const {
  const JsonValue* value = Find(key);
  if (value == nullptr) return FieldError(key, "is missing");
  const std::string* text = value->AsString();
  if (text == nullptr) return FieldError(key, "is not a string");
  return std::string_view(*text);
}

Result<const JsonValue::Array*> JsonFields::GetArray(
    std::string_view key) const {
  const JsonValue* value = Find(key);
  if (value == nullptr) return FieldError(key, "is missing");
  const JsonValue::Array* array = value->AsArray();
  if (array == nullptr) return FieldError(key, "is not an array");
  return array;
}

Result<const JsonValue*> JsonFields::GetObject(std::string_view key) const {
  const JsonValue* value = Find(key);
  if (value == nullptr) return FieldError(key, "is missing");
  if (value->AsObject() == nullptr) return FieldError(key, "is not an object");
  return value;
}

Result<uint32_t> JsonFields::GetU32Or(std::string_view key,
                                      uint32_t otherwise) const {
  if (!Has(key)) return otherwise;
  return GetU32(key);
}

Result<float> JsonFields::GetF32Or(std::string_view key,
                                   float otherwise) const {
  const JsonValue* value = Find(key);
  if (value == nullptr) return otherwise;
  const auto number = value->AsNumber();
  // Within what a float can hold, so that the conversion is defined.
  if (!number || !(*number > -1e38 && *number < 1e38)) {
    return FieldError(key, "is not a number");
  }
  return static_cast<float>(*number);
}

Result<bool> JsonFields::GetBoolOr(std::string_view key, bool otherwise) const {
  const JsonValue* value = Find(key);
  if (value == nullptr) return otherwise;
  const bool* flag = value->AsBool();
  if (flag == nullptr) return FieldError(key, "is neither true nor false");
  return *flag;
}

Result<std::string_view> JsonFields::GetStringOr(
    std::string_view key, std::string_view otherwise) const {
  if (!Has(key)) return otherwise;
  return GetString(key);
}

}  // namespace llma
