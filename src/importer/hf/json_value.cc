// SPDX-License-Identifier: Apache-2.0
#include "importer/hf/json_value.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace llma {
namespace {

// A tokenizer of 2^20 tokens and 2^21 merges as pairs has less than 2^23
// values. This many members of 72 bytes are 576 MiB, half as much again while
// their vector grows.
constexpr uint64_t kMaxValues = 1u << 23;
constexpr size_t kMaxDepth = 32;

bool IsLess(const JsonMember& a, const JsonMember& b) { return a.key < b.key; }

}  // namespace

// Takes the parser's events; each returns false to stop it.
class JsonBuilder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return Add(JsonValue()); }
  bool boolean(bool value) override { return Add(JsonValue(value)); }
  // The parser uses it for negative numbers only.
  bool number_integer(int64_t value) override {
    return Add(JsonValue(static_cast<double>(value)));
  }
  bool number_unsigned(uint64_t value) override {
    return Add(JsonValue(value));
  }
  bool number_float(double value, const std::string&) override {
    return Add(JsonValue(value));
  }
  bool string(std::string& value) override {
    return Add(JsonValue(std::move(value)));
  }
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool start_object(size_t) override { return Open(JsonValue::Object()); }
  bool start_array(size_t) override { return Open(JsonValue::Array()); }
  bool end_array() override { return Close(); }
  bool key(std::string& key) override {
    open_.back().key = std::move(key);
    return true;
  }
  bool end_object() override {
    auto& members = std::get<JsonValue::Object>(open_.back().value.content_);
    std::sort(members.begin(), members.end(), IsLess);
    const auto twice = std::adjacent_find(
        members.begin(), members.end(),
        [](const auto& a, const auto& b) { return a.key == b.key; });
    if (twice != members.end()) {
      return Fail({ErrorCode::kCorrupt, "JSON: " + twice->key + " twice"});
    }
    return Close();
  }
  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    return Fail({ErrorCode::kCorrupt, "JSON: malformed", position});
  }

  // What was read, or why it was not.
  Result<JsonValue> Take() && {
    if (error_) return *std::move(error_);
    return std::move(root_);
  }

 private:
  struct OpenContainer {
    JsonValue value;
    std::string key;  // of an object's member that is read
  };

  bool Fail(Error error) {
    error_ = std::move(error);
    return false;
  }

  bool Count() {
    if (++num_values_ <= kMaxValues) return true;
    return Fail({ErrorCode::kLimit, "JSON: too many values"});
  }

  template <class Container>
  bool Open(Container container) {
    if (open_.size() == kMaxDepth) {
      return Fail({ErrorCode::kLimit, "JSON: nested too deep"});
    }
    open_.push_back({JsonValue(std::move(container)), {}});
    return Count();
  }

  bool Close() {
    JsonValue value = std::move(open_.back().value);
    open_.pop_back();
    Attach(std::move(value));
    return true;
  }

  bool Add(JsonValue value) {
    Attach(std::move(value));
    return Count();
  }

  void Attach(JsonValue value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    OpenContainer& parent = open_.back();
    if (auto* array = std::get_if<JsonValue::Array>(&parent.value.content_)) {
      array->push_back(std::move(value));
    } else {
      std::get<JsonValue::Object>(parent.value.content_)
          .push_back({std::move(parent.key), std::move(value)});
    }
  }

  std::vector<OpenContainer> open_;
  JsonValue root_;
  uint64_t num_values_ = 0;
  std::optional<Error> error_;
};

Result<JsonValue> JsonValue::Parse(Bytes text) {
  JsonBuilder builder;
  // Never throws: what goes wrong is an event.
  nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  return std::move(builder).Take();
}

std::optional<uint64_t> JsonValue::AsCount() const {
  const uint64_t* count = Get<uint64_t>();
  return count != nullptr ? std::optional(*count) : std::nullopt;
}

std::optional<double> JsonValue::AsNumber() const {
  if (const double* number = Get<double>()) return *number;
  if (const uint64_t* count = Get<uint64_t>()) {
    return static_cast<double>(*count);
  }
  return std::nullopt;
}

const JsonValue* JsonValue::Find(std::string_view key) const {
  const Object* members = AsObject();
  if (members == nullptr) return nullptr;
  const auto it = std::lower_bound(
      members->begin(), members->end(), key,
      [](const JsonMember& m, std::string_view k) { return m.key < k; });
  return it != members->end() && it->key == key ? &it->value : nullptr;
}

}  // namespace llma
