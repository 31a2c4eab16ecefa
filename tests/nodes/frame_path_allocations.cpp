// Counts what a native node asks of the heap: preloaded, it stands in for malloc and drives a node's contract directly.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <dlfcn.h>
#include <new>
#include <vector>

#include "rtgraph/node.h"

namespace {
thread_local bool counting = false;
thread_local int64_t counted = 0;

template <class F>
F next(const char* name) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}
}  // namespace

extern "C" {

// operator new, posix_memalign and the like end in one of these.
void* malloc(std::size_t n) {
  static const auto real = next<void* (*)(std::size_t)>("malloc");
  counted += counting;
  return real(n);
}
void* realloc(void* p, std::size_t n) {
  static const auto real = next<void* (*)(void*, std::size_t)>("realloc");
  counted += counting;
  return real(p, n);
}
void* aligned_alloc(std::size_t alignment, std::size_t n) {
  static const auto real = next<void* (*)(std::size_t, std::size_t)>("aligned_alloc");
  counted += counting;
  return real(alignment, n);
}
int posix_memalign(void** p, std::size_t alignment, std::size_t n) {
  static const auto real = next<int (*)(void**, std::size_t, std::size_t)>("posix_memalign");
  counted += counting;
  return real(p, alignment, n);
}

// Fires `table` calls times after warm_up more, 10 ms apart, each input [floats] of 0.1; answers the allocations of the
// calls, or -1 where one failed.
int64_t allocations_of(const rtgraph_node* table, const int64_t* input_floats, int inputs, const int64_t* output_floats,
                       int outputs, int64_t warm_up, int64_t calls) {
  std::vector<std::vector<float>> in, out;
  std::vector<rtgraph_input> packets;
  std::vector<rtgraph_output> buffers;
  for (int i = 0; i < inputs; ++i) {
    in.emplace_back(input_floats[i], 0.1f);
    packets.push_back({in.back().data(), input_floats[i] * 4, 0, 0});
  }
  for (int i = 0; i < outputs; ++i) {
    out.emplace_back(output_floats[i]);
    buffers.push_back({out.back().data(), output_floats[i] * 4});
  }
  rtgraph_context context{};
  context.inputs = packets.data();
  context.outputs = buffers.data();
  context.emit = [](rtgraph_context*, uint32_t) {};
  context.now_ns = [](const rtgraph_context* c) { return c->timestamp_ns; };
  context.stopping = [](const rtgraph_context*) { return 0; };
  context.count = [](rtgraph_context*, const char*, int64_t) {};
  bool good = true;
  for (int64_t call = 0; call < warm_up + calls; ++call) {
    if (call == warm_up) counted = 0, counting = true;
    context.timestamp_ns = call * 10'000'000;
    for (auto& packet : packets) packet.timestamp_ns = context.timestamp_ns, packet.seq = call;
    // Every hundredth packet is broken: that way may not allocate either.
    if (inputs > 0) in[0][0] = call % 100 == 99 ? __builtin_nanf("") : 0.1f;
    good &= table->process(table->self, &context) == RTGRAPH_OK;
  }
  counting = false;
  return good ? counted : -1;
}

// That the counter counts.
int64_t allocations_of_one_vector() {
  counted = 0, counting = true;
  std::vector<float> x(100);
  asm volatile("" : : "r"(x.data()) : "memory");
  counting = false;
  return counted;
}
}
