// SPDX-License-Identifier: Apache-2.0
#include "engine/opencl/decode_passes.h"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

namespace llma::opencl {
namespace {

Error OutOfMemory() noexcept { return {ErrorCode::kMemory, "out of memory"}; }

// Where there is no memory for its text, the error is that.
void CopyStatus(const Status& from, Status& to) noexcept {
  try {
    to = from;
  } catch (const std::bad_alloc&) {
    to = OutOfMemory();
  }
}

}  // namespace

Result<std::unique_ptr<DecodePasses>> DecodePasses::Create(
    const Device& device, const Model& model, const DeviceWeights& weights) {
  std::unique_ptr<DecodePasses> passes(
      new DecodePasses(device, model, weights));
  LLMA_ASSIGN(passes->queue_, Queue::Open(device));
  return passes;
}

Result<DecodePasses::Place> DecodePasses::Open(const SessionShape& shape) {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++num_opening_;
    ended_.wait(lock, [&] { return !is_running_; });
    --num_opening_;
    // When this thread waits or is done.
    if (num_opening_ == 0 && !waiting_.empty()) {
      waiting_.front()->wake.notify_one();
    }
    LLMA_TRY(failure_);
    auto part = TryToOpen(shape);
    if (!part && num_sessions_ == 0) {
      // Others may have left what is in the way.
      Release();
      part = TryToOpen(shape);
    }
    if (part) {
      ++num_sessions_;
      num_rows_ += shape.max_rows();
      return Place(this, {shape.max_rows(), *part});
    }
    if (part.error().code != ErrorCode::kMemory || num_sessions_ == 0) {
      return part.error();
    }
    closed_.wait(lock);
  }
}

Result<KeyValues::Part> DecodePasses::TryToOpen(const SessionShape& shape) {
  LLMA_ASSIGN(const KeyValues::Part part, key_values_.Add(shape, *queue_));
  struct Remover {
    KeyValues& from;
    const KeyValues::Part* part;
    ~Remover() {
      if (part != nullptr) from.Remove(*part);
    }
  } remover = {key_values_, &part};
  LLMA_TRY(MakeRoom(shape));
  remover.part = nullptr;
  return part;
}

Status DecodePasses::MakeRoom(const SessionShape& shape) {
  const uint32_t window_positions =
      std::max(window_positions_, shape.window_positions);
  const uint32_t sum_rows = std::bit_ceil(num_rows_ + shape.max_rows());
  const uint32_t most_rows =
      std::max({max_rows_, shape.max_rows(), std::min(sum_rows, kMaxPassRows)});
  if (window_positions == window_positions_ && most_rows == max_rows_) {
    return OkStatus();
  }
  const auto make = [&](uint32_t max_rows) -> Status {
    LLMA_ASSIGN(pass_, DevicePass::Create(device_, model_, weights_, max_rows,
                                          window_positions, *queue_));
    max_rows_ = max_rows;
    window_positions_ = window_positions;
    return OkStatus();
  };
  // With less, rows go into several passes.
  if (make(most_rows)) return OkStatus();
  const uint32_t fewest_rows = std::max(max_rows_, shape.max_rows());
  return window_positions == window_positions_ && fewest_rows == max_rows_
             ? OkStatus()
             : make(fewest_rows);
}

void DecodePasses::Release() {
  pass_ = nullptr;
  max_rows_ = window_positions_ = 0;
  key_values_.Release();
}

void DecodePasses::Close(uint32_t max_rows,
                         const KeyValues::Part& part) noexcept {
  const std::lock_guard lock(mutex_);
  key_values_.Remove(part);
  --num_sessions_;
  num_rows_ -= max_rows;
  closed_.notify_all();
  if (waiting_.size() >= num_sessions_) all_came_.notify_one();
}

Status DecodePasses::Run(Member& member) {
  std::unique_lock lock(mutex_);
  waiting_.push_back(&member);
  member.is_done = false;
  if (waiting_.size() >= num_sessions_) all_came_.notify_one();
  while (!member.is_done) {
    if (is_running_ || num_opening_ > 0) {
      member.wake.wait(lock);
      continue;
    }
    is_running_ = true;
    // Others may be about to come; those who do not are not waited for.
    all_came_.wait_for(lock, pass_time_ / 4,
                       [&] { return waiting_.size() >= num_sessions_; });
    std::swap(running_, waiting_);
    lock.unlock();
    const auto begin = std::chrono::steady_clock::now();
    RunAll(running_);
    const auto end = std::chrono::steady_clock::now();
    lock.lock();
    pass_time_ = end - begin;
    is_running_ = false;
    for (Member* other : running_) {
      if (failure_ && !other->status &&
          other->status.error().code == ErrorCode::kIo) {
        CopyStatus(other->status, failure_);
        Release();
        closed_.notify_all();
      }
      other->is_done = true;
      other->wake.notify_one();
    }
    running_.clear();
    ended_.notify_all();
    if (!waiting_.empty()) waiting_.front()->wake.notify_one();
  }
  return member.status;
}

void DecodePasses::RunAll(std::span<Member* const> members) noexcept {
  for (size_t begin = 0, end = 0; begin < members.size(); begin = end) {
    size_t num_rows = 0;
    while (
        end < members.size() &&
        (end == begin || num_rows + members[end]->rows.size() <= max_rows_)) {
      num_rows += members[end++]->rows.size();
    }
    const auto some = members.subspan(begin, end - begin);
    Status status = OkStatus();
    std::shared_ptr<PassResults> results;
    try {
      results = FreeResults();
      status = RunPass(some, *results);
    } catch (const std::bad_alloc&) {
      status = OutOfMemory();
    }
    uint32_t first_row = 0;
    for (Member* member : some) {
      CopyStatus(status, member->status);
      member->results = results;
      member->first_row = first_row;
      first_row += static_cast<uint32_t>(member->rows.size());
    }
  }
}

Status DecodePasses::RunPass(std::span<Member* const> members,
                             PassResults& results) {
  LLMA_TRY(failure_);
  rows_.clear();
  moves_.clear();
  for (Member* member : members) {
    if (const OpenClStreamStart* const start = member->start) {
      key_values_.CopyStream(member->part, start->key_values, start->part,
                             start->num_positions, *queue_);
    }
    const auto first_row = static_cast<uint32_t>(rows_.size());
    for (RowInfo row : member->rows) {
      row.tree_row += first_row;
      rows_.push_back(row);
    }
    moves_.insert(moves_.end(), member->moves.begin(), member->moves.end());
  }
  LLMA_TRY(key_values_.Move(moves_, *queue_));
  pass_->Run(key_values_, rows_);

  const size_t num_rows = rows_.size(), num_blocks = pass_->num_blocks();
  const size_t dim = model_.config().dim, num_groups = dim / kGroupSize;
  if (results.largest.size() < num_rows) {
    const size_t room = std::bit_ceil(num_rows);
    results.block_sums = AlignedBuffer<uint64_t>(room * num_blocks);
    results.hidden = AlignedBuffer<int8_t>(room * dim);
    results.hidden_scales = AlignedBuffer<float>(room * num_groups);
    results.largest = AlignedBuffer<float>(room);
  }
  queue_->Read(pass_->hidden(), 0, num_rows * dim, results.hidden.data());
  queue_->Read(pass_->hidden_scales(), 0, num_rows * num_groups * sizeof(float),
               results.hidden_scales.data());
  for (size_t row = 0; row < num_rows; row += pass_->logit_rows()) {
    const size_t count = std::min<size_t>(pass_->logit_rows(), num_rows - row);
    pass_->Weigh(static_cast<uint32_t>(row), static_cast<uint32_t>(count));
    queue_->Read(pass_->block_sums(), 0, count * num_blocks * sizeof(uint64_t),
                 results.block_sums.data() + row * num_blocks);
    queue_->Read(pass_->largest_logits(), 0, count * sizeof(float),
                 results.largest.data() + row);
  }
  return queue_->Finish();
}

std::shared_ptr<PassResults> DecodePasses::FreeResults() {
  std::unique_ptr<PassResults> results;
  {
    const std::lock_guard lock(free_->mutex);
    if (!free_->results.empty()) {
      results = std::move(free_->results.back());
      free_->results.pop_back();
    }
  }
  if (!results) results = std::make_unique<PassResults>();
  return {results.release(), [list = free_](PassResults* used) noexcept {
            std::unique_ptr<PassResults> unused(used);
            try {
              const std::lock_guard lock(list->mutex);
              list->results.push_back(std::move(unused));
            } catch (const std::bad_alloc&) {
              // Then it is not kept.
            }
          }};
}

size_t DecodePasses::num_waiting() {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

uint64_t DecodePasses::RowBytes(const ModelConfig& config) {
  return TokenMasses::NumBlocks(config.num_tokens) * sizeof(uint64_t) +
         config.dim + config.dim / kGroupSize * sizeof(float) + sizeof(float);
}

}  // namespace llma::opencl
