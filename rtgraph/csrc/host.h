// Host: what the language that embeds the scheduler lends it; without one, a run is C++ alone.
#pragma once

namespace rtgraph {

// In Python: the GIL and reference counts. `attach` and `detach` are called on each worker's own thread, without
// the lock; `drop` and `keep` with it.
class Host {
 public:
  virtual ~Host() = default;
  virtual void* attach() = 0;
  virtual void detach(void* thread) = 0;
  virtual void acquire(void* thread) = 0;
  virtual void release(void* thread) = 0;
  virtual void keep(void* object) = 0;
  virtual void drop(void* object) = 0;
};

// One worker thread's hold on the host's lock. That thread only.
class HostLock {
 public:
  explicit HostLock(Host* host) : host_(host), thread_(host ? host->attach() : nullptr) {}
  ~HostLock() {
    set(false);
    if (host_) host_->detach(thread_);
  }
  HostLock(const HostLock&) = delete;
  HostLock& operator=(const HostLock&) = delete;

  bool held() const noexcept { return held_; }
  void set(bool hold) noexcept {
    if (hold == held_ || host_ == nullptr) return;
    hold ? host_->acquire(thread_) : host_->release(thread_);
    held_ = hold;
  }

 private:
  Host* host_;
  void* thread_;
  bool held_ = false;
};

}  // namespace rtgraph
