// A segment of native nodes allocates nothing once it is warm, and memory stays flat.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "bodies.h"

namespace {
std::atomic<int64_t> allocations{0};
thread_local bool counted = false;

void* counting_malloc(std::size_t n) {
  if (counted) allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* p = std::malloc(n ? n : 1)) return p;
  throw std::bad_alloc();
}
}  // namespace

void* operator new(std::size_t n) { return counting_malloc(n); }
void* operator new[](std::size_t n) { return counting_malloc(n); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }

using namespace rtgraph;
using namespace rtgraph::testing;

namespace {

// Starts counting on its own thread after some packets.
struct Warm : Node {
  int process(Context ctx) noexcept override {
    if (++calls == 1000) counted = true;
    if (calls == 100'000) counted = false;
    ctx.output<int64_t>(0)[0] = ctx.input<int64_t>(0)[0];
    ctx.emit();
    return RTGRAPH_OK;
  }
  int64_t calls = 0;
};

struct Drop : Node {
  int process(Context ctx) noexcept override {
    last = ctx.input<int64_t>(0)[0];
    ctx.count("taken");
    return RTGRAPH_OK;
  }
  int64_t last = -1;
};

}  // namespace

TEST_CASE("no heap allocation a frame, inline and across threads, profiler, trace and counters on") {
  Graph g(ClockKind::system);
  Segment& a = g.scheduler.add_segment("a");
  Segment& b = g.scheduler.add_segment("b");
  g.add<Counting>(a, "source", {}, 1, 120'000);
  g.add<Warm>(a, "warm_a", std::vector<Port>{port()}, 1);
  g.add<Repeat>(a, "repeat", std::vector<Port>{port()}, 1, 2);
  g.add<Warm>(b, "warm_b", std::vector<Port>{port()}, 1);
  Drop& sink = g.add<Drop>(b, "sink", std::vector<Port>{port()}, 0);
  g.source("source", 0);
  g.link("source", "warm_a");
  g.link("warm_a", "repeat");
  g.link("repeat", "warm_b", 0, 32);
  g.link("warm_b", "sink");
  g.scheduler.set_frame(g["warm_b"], 0, 1'000'000);
  g.scheduler.measure_paths(g["sink"]);
  g.scheduler.enable_trace(1024);
  allocations = 0;
  g.run();
  CHECK(sink.last == 119'999 * 100 + 1);
  CHECK(g["sink"].counters[0].value.get() == 240'000);
  CHECK(allocations.load() == 0);
}
