// SPDX-License-Identifier: Apache-2.0
// JSON of unknown origin as a tree of values. The number of values and their
// depth are bounded, and no key may occur twice in an object.
#ifndef LLMA_IMPORTER_HF_JSON_VALUE_H_
#define LLMA_IMPORTER_HF_JSON_VALUE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace llma {

struct JsonMember;

class JsonValue {
 public:
  using Array = std::vector<JsonValue>;
  using Object = std::vector<JsonMember>;  // sorted by key

  // A whole document (RFC 8259) in UTF-8.
  static Result<JsonValue> Parse(Bytes text);

  JsonValue() = default;  // null
  template <class T>
  explicit JsonValue(T content) : content_(std::move(content)) {}

  bool IsNull() const { return Get<std::nullptr_t>() != nullptr; }
  // Null, or nothing, if the value is of another type.
  const bool* AsBool() const { return Get<bool>(); }
  const std::string* AsString() const { return Get<std::string>(); }
  const Array* AsArray() const { return Get<Array>(); }
  const Object* AsObject() const { return Get<Object>(); }
  // An integer from 0 on that is written without fraction and exponent.
  std::optional<uint64_t> AsCount() const;
  std::optional<double> AsNumber() const;

  // The member of an object; null if this is no object or has no such member.
  const JsonValue* Find(std::string_view key) const;

 private:
  friend class JsonBuilder;

  template <class T>
  const T* Get() const {
    return std::get_if<T>(&content_);
  }

  std::variant<std::nullptr_t, bool, uint64_t, double, std::string, Array,
               Object>
      content_;
};

struct JsonMember {
  std::string key;
  JsonValue value;
};

}  // namespace llma

#endif  // LLMA_IMPORTER_HF_JSON_VALUE_H_
