// Owns AlignedBuffer: a fixed-size, zero-filled, 64-byte aligned array that a kernel allocates when it is built.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <type_traits>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace rtgraph::kernels {

namespace detail {

// Memory for buffers that live as long as a network, side by side in blocks that the system may back with pages of 2 MiB:
// a step reads all weights once a frame, and with pages of 4 KiB it waits for their addresses. A block is freed with the
// last buffer in it; what nobody has touched of it takes no memory. Any thread; throws std::bad_alloc.
inline std::shared_ptr<std::byte> huge_page_memory(std::size_t bytes) {
  constexpr std::size_t page = std::size_t{2} << 20, block_bytes = 16 * page;
  static std::mutex mutex;
  static std::weak_ptr<std::byte> block;
  static std::size_t used = 0;

  const std::lock_guard lock(mutex);
  std::shared_ptr<std::byte> owner = block.lock();
  if (!owner || bytes > block_bytes - used) {
    const std::size_t size = std::max((bytes + page - 1) / page * page, block_bytes);
    auto* fresh = static_cast<std::byte*>(std::aligned_alloc(page, size));
    if (fresh == nullptr) throw std::bad_alloc();
#if defined(__linux__)
    madvise(fresh, size, MADV_HUGEPAGE);  // a hint: without it everything works, more slowly
#endif
    owner.reset(fresh, [](std::byte* p) { std::free(p); });
    block = owner;
    used = 0;
  }
  std::byte* start = owner.get() + used;
  used = std::min(used + bytes, block_bytes);
  return {std::move(owner), start};
}

}  // namespace detail

template <class T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  AlignedBuffer() = default;
  // Throws std::bad_alloc. The bytes are rounded up to whole cache lines, so a full vector may be read at the end.
  explicit AlignedBuffer(std::size_t size) : size_(size) {
    const std::size_t bytes = (size * sizeof(T) + 63) / 64 * 64;
    if (bytes == 0) return;
    memory_ = detail::huge_page_memory(bytes);
    std::memset(memory_.get(), 0, bytes);
  }
  AlignedBuffer(AlignedBuffer&&) = default;
  AlignedBuffer& operator=(AlignedBuffer&&) = default;

  T* data() noexcept { return reinterpret_cast<T*>(memory_.get()); }
  const T* data() const noexcept { return reinterpret_cast<const T*>(memory_.get()); }
  std::size_t size() const noexcept { return size_; }
  T& operator[](std::size_t i) noexcept { return data()[i]; }
  const T& operator[](std::size_t i) const noexcept { return data()[i]; }
  void fill_zero() noexcept {
    if (size_ != 0) std::memset(static_cast<void*>(data()), 0, size_ * sizeof(T));
  }

 private:
  std::shared_ptr<std::byte> memory_;  // shares the ownership of its block
  std::size_t size_ = 0;
};

}  // namespace rtgraph::kernels
