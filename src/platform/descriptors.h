// SPDX-License-Identifier: Apache-2.0
// Reading and writing all of something, whatever signals arrive and however
// the descriptor was left by others: non-blocking ones are waited for.
#ifndef LLMA_PLATFORM_DESCRIPTORS_H_
#define LLMA_PLATFORM_DESCRIPTORS_H_

#include <cerrno>
#include <cstdint>
#include <llma/result.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace llma {

inline constexpr int kStandardInput = 0;
inline constexpr int kStandardOutput = 1;
inline constexpr int kStandardError = 2;

// "WHAT: what errno says".
Error SystemError(const std::string& what);

// Closes what it owns.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// Not open, and errno, if that fails.
Descriptor OpenForReading(const std::string& path);

// Up to as many bytes as fit, as soon as there are some; 0 at the end, -1 and
// errno after an error.
int64_t ReadSome(int fd, std::span<uint8_t> buffer);

// All bytes of a descriptor, or of a file; at most `max_bytes` (kLimit beyond).
Result<std::vector<uint8_t>> ReadAll(int fd, uint64_t max_bytes);
Result<std::vector<uint8_t>> ReadFile(const std::string& path,
                                      uint64_t max_bytes = ~uint64_t{0});

// Fills the buffer from a place of a regular file; less only at its end.
Result<size_t> ReadFileAt(int fd, uint64_t offset, std::span<uint8_t> buffer);

// Writes everything, or an error (kIo with the reason).
Status WriteAll(int fd, std::span<const uint8_t> data);
// What one call takes of a text, for signal handlers; nobody is told if that
// fails.
void WriteOnce(int fd, const char* text, size_t size_bytes);

// Where reading and writing go on; nothing, and errno, of what cannot seek.
std::optional<uint64_t> PositionOf(int fd);
// These are false, and errno, if that failed.
bool SeekTo(int fd, uint64_t offset);
bool SeekToEnd(int fd);
bool Truncate(int fd, uint64_t size_bytes);

// Whether reading would not have to wait.
bool HasInput(int fd);

bool IsTerminal(int fd);
// Of the terminal of standard error; nothing if there is none.
std::optional<size_t> TerminalColumns();

// What was written is on the device. True also where the file system cannot
// tell; errno turns into false if writing failed.
bool SyncContent(int fd);  // of a file, as much as is needed to read it
bool SyncFile(int fd);     // of a file or folder, all of it
// Only that writing to the device begins, where the system can be told.
void StartSync(int fd);
// What closing would tell of earlier writes; it stays open.
bool CloseTells(int fd);

// Nobody else has it so. Where there are no locks, that is believed.
bool LockExclusively(int fd);

// Descriptors that a process may have open at once.
uint64_t MaxDescriptors();

// Takes the numbers of closed standard streams, so that no file gets them:
// reading and writing them goes on failing.
void OccupyStandardStreams();

}  // namespace llma

#endif  // LLMA_PLATFORM_DESCRIPTORS_H_
