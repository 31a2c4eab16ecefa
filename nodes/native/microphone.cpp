// rtgraph.nodes._portaudio: capture through PortAudio's callback into a preallocated lock-free ring.
// A module of its own, so that the other native nodes load on machines without libportaudio.
#include <portaudio.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace rtgraph::nodes {
namespace {

namespace py = pybind11;

int64_t monotonic_ns() noexcept {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

void check(PaError error, const char* doing) {
  if (error >= paNoError) return;
  std::string text = std::string(doing) + ": " + Pa_GetErrorText(error);
  if (error == paUnanticipatedHostError) text += std::string(" (") + Pa_GetLastHostErrorInfo()->errorText + ")";
  throw std::runtime_error(text);
}

// PortAudio is initialised as long as one of these lives; the list of devices is that of the first's beginning.
struct Library {
  Library() { check(Pa_Initialize(), "PortAudio does not start"); }
  ~Library() { Pa_Terminate(); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
};

// Blocks of interleaved float32 frames from one writer to one reader. Neither side waits, allocates or calls the system.
// `head_` is the writer's, `tail_` the reader's; a slot belongs to the writer from tail_ + size on, else to the reader.
class BlockRing {
 public:
  BlockRing(std::size_t blocks, std::size_t block_samples)
      : stride_(block_samples), samples_(blocks * block_samples), captured_ns_(blocks) {}

  // Writer. False: full, nothing is kept.
  bool push(const float* block, int64_t captured_ns) noexcept {
    const uint64_t head = head_.load(std::memory_order_relaxed);
    if (head - tail_.load(std::memory_order_acquire) == captured_ns_.size()) return false;
    const std::size_t slot = head % captured_ns_.size();
    float* to = samples_.data() + slot * stride_;
    if (block) std::memcpy(to, block, stride_ * sizeof(float));
    else std::fill_n(to, stride_, 0.0f);
    captured_ns_[slot] = captured_ns;
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

  // Reader: the oldest block, valid until `pop`, or null.
  const float* front() const noexcept {
    const uint64_t tail = tail_.load(std::memory_order_relaxed);
    if (tail == head_.load(std::memory_order_acquire)) return nullptr;
    return samples_.data() + tail % captured_ns_.size() * stride_;
  }
  int64_t front_captured_ns() const noexcept { return captured_ns_[tail_.load(std::memory_order_relaxed) % captured_ns_.size()]; }
  void pop() noexcept { tail_.store(tail_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

 private:
  const std::size_t stride_;
  std::vector<float> samples_;        // [blocks, block_samples]
  std::vector<int64_t> captured_ns_;  // [blocks] CLOCK_MONOTONIC of each block's last frame
  alignas(64) std::atomic<uint64_t> head_{0};
  alignas(64) std::atomic<uint64_t> tail_{0};
};

// An input stream. Every method belongs to one thread; the callback runs on PortAudio's.
class Stream {
 public:
  Stream(std::shared_ptr<Library> library, int device, int channels, double rate, unsigned long frames, double latency_s)
      : library_(std::move(library)),
        channels_(channels),
        rate_(rate),
        frames_(frames),
        ring_(std::max<std::size_t>(8, static_cast<std::size_t>(rate / static_cast<double>(frames))), frames * channels) {
    const PaDeviceInfo* info = Pa_GetDeviceInfo(device);
    if (info == nullptr) throw std::runtime_error("device " + std::to_string(device) + " does not exist");
    PaStreamParameters input{device, channels, paFloat32, latency_s > 0 ? latency_s : info->defaultLowInputLatency, nullptr};
    check(Pa_OpenStream(&stream_, &input, nullptr, rate, frames, paClipOff, &Stream::on_block, this), "the device does not open");
    latency_ns_ = static_cast<int64_t>(Pa_GetStreamInfo(stream_)->inputLatency * 1e9);
  }
  ~Stream() { close(); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void start() {
    py::gil_scoped_release unlocked;
    check(Pa_StartStream(stream_), "the device does not start");
  }

  // The oldest block [frames, channels] and the capture of its last frame, after at most `timeout_s`; None: nothing came.
  // The callback wakes nobody, so this looks once a millisecond.
  std::optional<std::pair<py::array_t<float>, int64_t>> read(double timeout_s) {
    const float* block = ring_.front();
    if (block == nullptr) {
      py::gil_scoped_release unlocked;
      const int64_t until = monotonic_ns() + static_cast<int64_t>(timeout_s * 1e9);
      while ((block = ring_.front()) == nullptr && monotonic_ns() < until) {
        const timespec pause{0, 1'000'000};
        nanosleep(&pause, nullptr);
      }
    }
    if (block == nullptr) return std::nullopt;
    py::array_t<float> copy({static_cast<py::ssize_t>(frames_), static_cast<py::ssize_t>(channels_)}, block);
    const int64_t captured_ns = ring_.front_captured_ns();
    ring_.pop();
    return std::pair{std::move(copy), captured_ns};
  }

  // How often sound was lost, in the driver or because nobody read.
  int64_t overruns() const noexcept { return overruns_.load(std::memory_order_relaxed); }
  bool active() const noexcept { return stream_ != nullptr && Pa_IsStreamActive(stream_) == 1; }
  double latency_s() const noexcept { return static_cast<double>(latency_ns_) * 1e-9; }

  void close() {
    if (stream_ == nullptr) return;
    py::gil_scoped_release unlocked;
    Pa_AbortStream(stream_);
    Pa_CloseStream(stream_);
    stream_ = nullptr;
  }

 private:
  // PortAudio's thread: no allocation, no lock, no GIL, no wake.
  static int on_block(const void* input, void*, unsigned long frames, const PaStreamCallbackTimeInfo* time,
                      PaStreamCallbackFlags flags, void* self) {
    auto& s = *static_cast<Stream*>(self);
    // The stream's clock has an unknown zero: only how long ago the first frame was captured is of use.
    int64_t age_ns = static_cast<int64_t>((time->currentTime - time->inputBufferAdcTime) * 1e9);
    const auto block_ns = static_cast<int64_t>(1e9 * static_cast<double>(frames) / s.rate_);
    // Some drivers leave the times empty; then the latency that the stream promised is the best guess.
    if (time->inputBufferAdcTime <= 0 || age_ns < 0 || age_ns > 2'000'000'000) age_ns = s.latency_ns_ + block_ns;
    const int64_t captured_ns = monotonic_ns() - std::max<int64_t>(0, age_ns - block_ns);
    const bool lost = frames != s.frames_ || !s.ring_.push(static_cast<const float*>(input), captured_ns);
    if (lost || (flags & paInputOverflow)) s.overruns_.fetch_add(1, std::memory_order_relaxed);
    return paContinue;
  }

  std::shared_ptr<Library> library_;
  const int channels_;
  const double rate_;
  const unsigned long frames_;
  BlockRing ring_;
  PaStream* stream_ = nullptr;
  int64_t latency_ns_ = 0;
  std::atomic<int64_t> overruns_{0};
};

// What rtgraph.nodes.audio.capture.Backend asks for.
class PortAudio {
 public:
  PortAudio() : library_(std::make_shared<Library>()) {}

  // [(index, name, host API, channels, rate)] of the devices that have inputs.
  py::list devices() const {
    py::list all;
    for (int i = 0; i < Pa_GetDeviceCount(); ++i) {
      const PaDeviceInfo* d = Pa_GetDeviceInfo(i);
      if (d->maxInputChannels < 1) continue;
      // A driver's name may be in any encoding.
      const auto text = [](const char* s) { return py::reinterpret_steal<py::object>(PyUnicode_DecodeUTF8(s, static_cast<Py_ssize_t>(std::strlen(s)), "replace")); };
      all.append(py::make_tuple(i, text(d->name), text(Pa_GetHostApiInfo(d->hostApi)->name), d->maxInputChannels, d->defaultSampleRate));
    }
    return all;
  }
  std::optional<int> default_device() const {
    const int device = Pa_GetDefaultInputDevice();
    return device == paNoDevice ? std::nullopt : std::optional(device);
  }
  bool supports(int device, int channels, double rate) const {
    const PaDeviceInfo* info = Pa_GetDeviceInfo(device);
    if (info == nullptr) return false;
    const PaStreamParameters input{device, channels, paFloat32, info->defaultLowInputLatency, nullptr};
    return Pa_IsFormatSupported(&input, nullptr, rate) == paFormatIsSupported;
  }
  std::unique_ptr<Stream> open(int device, int channels, double rate, unsigned long frames, double latency_s) const {
    if (!library_) throw std::runtime_error("PortAudio has been closed");
    return std::make_unique<Stream>(library_, device, channels, rate, frames, latency_s);
  }
  void close() { library_.reset(); }

 private:
  std::shared_ptr<Library> library_;
};

}  // namespace

PYBIND11_MODULE(_portaudio, m) {
  using namespace pybind11::literals;
  m.doc() = "Capture through PortAudio without the GIL; used by audio.microphone.";
  py::class_<Stream>(m, "Stream")
      .def("start", &Stream::start)
      .def("read", &Stream::read, "timeout_s"_a)
      .def_property_readonly("overruns", &Stream::overruns)
      .def_property_readonly("active", &Stream::active)
      .def_property_readonly("latency_s", &Stream::latency_s)
      .def("close", &Stream::close);
  py::class_<PortAudio>(m, "PortAudio")
      .def(py::init<>())
      .def("devices", &PortAudio::devices)
      .def("default_device", &PortAudio::default_device)
      .def("supports", &PortAudio::supports, "device"_a, "channels"_a, "rate"_a)
      .def("open", &PortAudio::open, "device"_a, "channels"_a, "rate"_a, "frames"_a, "latency_s"_a)
      .def("close", &PortAudio::close);
}

}  // namespace rtgraph::nodes
