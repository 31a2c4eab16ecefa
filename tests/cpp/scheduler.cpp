// The scheduler with native nodes: edges, both kinds of run, ends and errors.
#include "scheduler.h"

#include <doctest/doctest.h>

#include "bodies.h"

using namespace rtgraph;
using namespace rtgraph::testing;

TEST_CASE("a chain in one segment passes every packet on") {
  for (const ClockKind clock : {ClockKind::system, ClockKind::manual}) {
    Graph g(clock);
    Segment& s = g.scheduler.add_segment("s");
    g.add<Counting>(s, "source", {}, 1, 1000);
    g.add<Sum>(s, "relay", ports({port()}), 1, 1);
    Keep& sink = g.add<Keep>(s, "sink", ports({port()}), 0);
    g.source("source", 100'000);
    g.link("source", "relay");
    g.link("relay", "sink");
    g.run();
    CHECK(sink.values == up_to(1000));
    CHECK(g["relay"].compute.count() == 1000);
  }
}

TEST_CASE("across threads a full queue makes the writer wait, and nothing is lost") {
  for (const uint32_t capacity : {1u, 4u, 64u}) {
    Graph g(ClockKind::system);
    Segment& a = g.scheduler.add_segment("a");
    Segment& b = g.scheduler.add_segment("b");
    g.add<Counting>(a, "source", {}, 1, 50'000);
    Keep& sink = g.add<Keep>(b, "sink", ports({port()}), 0);
    g.source("source", 0);
    g.link("source", "sink", 0, capacity);
    g.run();
    CHECK(sink.values == up_to(50'000));
  }
}

TEST_CASE("a node that emits several times has its successors run in between, in either kind of edge") {
  for (const uint32_t capacity : {0u, 64u}) {
    Graph g(ClockKind::manual);
    Segment& s = g.scheduler.add_segment("s");
    Segment& t = capacity ? g.scheduler.add_segment("t") : s;
    g.add<Counting>(s, "source", {}, 1, 3);
    g.add<Repeat>(s, "repeat", ports({port()}), 1, 4);
    Keep& sink = g.add<Keep>(t, "sink", ports({port()}), 0);
    g.source("source", 100);
    g.link("source", "repeat");
    g.link("repeat", "sink", 0, capacity);
    g.run();
    CHECK(sink.values == std::vector<int64_t>{0, 1, 2, 3, 100, 101, 102, 103, 200, 201, 202, 203});
    CHECK(sink.timestamps[4] == 10'000'000);
  }
}

TEST_CASE("what a node emitted before it failed is not read any more") {
  // Emits in vain at its second firing: the packet of its first one still waits for a partner.
  struct Failing : Node {
    int process(Context ctx) noexcept override {
      ctx.output<int64_t>(0)[0] = calls * 100;
      ctx.emit();
      return calls++ == 1 ? ctx.fail("asked to fail") : RTGRAPH_OK;
    }
    int64_t calls = 0;
  };
  Graph g(ClockKind::manual, 2);
  Segment& s = g.scheduler.add_segment("s");
  g.add<Failing>(s, "failing", {}, 1);
  g.add<Counting>(s, "partner", {}, 1, 1);
  g.add<Sum>(s, "join", ports({port(), port()}), 1, 2);
  Keep& sink = g.add<Keep>(s, "sink", ports({port()}), 0);
  g.source("failing", 100, 0);
  g.source("partner", 100, 1);
  g["failing"].skip_errors = true;
  g["partner"].first_tick_ns = 15'000'000;
  Edge& given_up = g.link("failing", "join", 0);
  g.link("partner", "join", 1);
  g.link("join", "sink");
  g.scheduler.duration_ns = 50'000'000;
  g.run();
  CHECK(sink.values == std::vector<int64_t>{200});
  CHECK(given_up.unpaired.get() >= 1);
}

TEST_CASE("overflow: each policy does what it says on a reader that is too slow") {
  // The reader is given 25 ms a packet by a body that says so; the writer sends one every 10 ms.
  class SlowBody final : public Body {
   public:
    explicit SlowBody(std::vector<int64_t>& out) : out_(out) {}
    bool hosted() const noexcept override { return false; }
    Outcome process(Firing& f) noexcept override {
      out_.push_back(*reinterpret_cast<const int64_t*>(f.argument(0)->value.data));
      f.elapse(25'000'000);
      return Outcome::ok;
    }

   private:
    std::vector<int64_t>& out_;
  };
  const auto run = [](Overflow overflow, Edge*& edge, Graph& g) {
    std::vector<int64_t> got;
    Segment& a = g.scheduler.add_segment("a");
    Segment& b = g.scheduler.add_segment("b");
    g.add<Counting>(a, "source", {}, 1, 10);
    NodeState& slow = g.scheduler.add_node(b, "slow", std::make_unique<SlowBody>(got));
    slow.ports = {port()};
    g.source("source", 100);
    edge = &g.link("source", "slow", 0, 2, EdgeKind::queue, overflow);
    g.run();
    return got;
  };
  Edge* edge = nullptr;
  {
    Graph g(ClockKind::manual);
    CHECK(run(Overflow::block, edge, g) == up_to(10));
    CHECK(g["slow"].wait.max() > 0);
  }
  {
    Graph g(ClockKind::manual);
    const auto got = run(Overflow::drop_oldest, edge, g);
    CHECK(got.back() == 9);
    CHECK(static_cast<int64_t>(got.size()) + edge->oldest.get() == 10);
    CHECK(edge->oldest.get() > 0);
  }
  {
    Graph g(ClockKind::manual);
    const auto got = run(Overflow::drop_newest, edge, g);
    CHECK(got[1] == 1);
    CHECK(static_cast<int64_t>(got.size()) + edge->newest.get() == 10);
    CHECK(edge->newest.get() > 0);
  }
  {
    Graph g(ClockKind::manual);
    run(Overflow::error, edge, g);
    REQUIRE(g.scheduler.first_failure() != nullptr);
    CHECK(g.scheduler.first_failure()->failure.message.find("is full") != std::string::npos);
  }
}

TEST_CASE("overflow: error also tells of packets that a node emits before its last") {
  struct Burst : Node {
    int process(Context ctx) noexcept override {
      for (int64_t i = 0; i < 4; ++i) {
        ctx.output<int64_t>(0)[0] = i;
        ctx.emit(1u << 0);
      }
      ctx.emit(1u << 1);  // nobody reads it: there is always room
      return RTGRAPH_OK;
    }
  };
  Graph g(ClockKind::manual);
  Segment& a = g.scheduler.add_segment("a");
  Segment& b = g.scheduler.add_segment("b");
  g.add<Burst>(a, "burst", {}, 2);
  Keep& sink = g.add<Keep>(b, "sink", ports({port()}), 0);
  g.source("burst", 100);
  g.link("burst", "sink", 0, 2, EdgeKind::queue, Overflow::error);
  g.scheduler.duration_ns = 100'000'000;
  g.run();
  REQUIRE(g.scheduler.first_failure() != nullptr);
  CHECK(g.scheduler.first_failure()->failure.message.find("is full") != std::string::npos);
  CHECK(sink.values == up_to(2));
}

TEST_CASE("a failing node ends the run, or is skipped where that is asked for") {
  for (const bool skip : {false, true}) {
    Graph g(ClockKind::manual);
    Segment& s = g.scheduler.add_segment("s");
    g.add<Counting>(s, "source", {}, 1, 10);
    Keep& sink = g.add<Keep>(s, "sink", ports({port()}), 0);
    sink.fail_at = 4;
    g.source("source", 100);
    g["sink"].skip_errors = skip;
    g.link("source", "sink");
    g.run();
    CHECK(g["sink"].errors.get() == 1);
    CHECK(g["sink"].failure.seq == 4);
    CHECK(sink.values.size() == (skip ? 9u : 4u));
    CHECK((g.scheduler.first_failure() != nullptr) == !skip);
  }
}

TEST_CASE("a deadline that is missed names the node that took the time") {
  Graph g(ClockKind::manual);
  Segment& a = g.scheduler.add_segment("a");
  class Slow final : public Body {
   public:
    bool hosted() const noexcept override { return false; }
    Outcome process(Firing& f) noexcept override {
      f.elapse(++calls_ % 5 == 0 ? 30'000'000 : 1'000'000);
      f.put(0, f.argument(0)->value, f.stamp().timestamp_ns);
      return Outcome::ok;
    }

   private:
    int calls_ = 0;
  };
  g.add<Counting>(a, "source", {}, 1, 20);
  NodeState& slow = g.scheduler.add_node(a, "slow", std::make_unique<Slow>());
  slow.ports = {port()};
  slow.outputs.resize(1);
  slow.outputs[0].bytes = sizeof(int64_t);
  g.add<Sum>(a, "frame", ports({port()}), 1, 1);
  g.source("source", 10);
  g.link("source", "slow");
  g.link("slow", "frame");
  g.scheduler.set_frame(g["frame"], 0, 15'000'000);
  g.run();
  CHECK(g.scheduler.frames.get() == 20);
  CHECK(g.scheduler.missed.get() == 4);
  CHECK(slow.missed_by.get() == 4);
}

TEST_CASE("a paced source that cannot keep up leaves ticks out, and its packets do not grow old") {
  class Slow final : public Body {
   public:
    bool hosted() const noexcept override { return false; }
    Outcome process(Firing& f) noexcept override {
      oldest = std::max(oldest, f.now_ns() - f.stamp().timestamp_ns);
      f.elapse(40'000'000);
      return Outcome::ok;
    }
    int64_t oldest = 0;
  };
  Graph g(ClockKind::manual);
  Segment& a = g.scheduler.add_segment("a");
  g.add<Counting>(a, "source", {}, 1, 0);
  auto body = std::make_unique<Slow>();
  Slow& slow = *body;
  g.scheduler.add_node(a, "slow", std::move(body)).ports = {port()};
  g.source("source", 100);
  g.link("source", "slow");
  g.scheduler.duration_ns = 20'000'000'000;
  g.run();
  CHECK(slow.oldest < 1'100'000'000);
  const int64_t skipped = g["source"].counters[0].value.get(), fired = g["source"].ticks_done - skipped;
  CHECK(fired >= 500);  // 20 s of 40 ms each, and what was late at the end
  CHECK(fired <= 530);
}

TEST_CASE("an endless source ends with the last finite one, or at a stop, or after the duration") {
  Graph g(ClockKind::system, 2);
  Segment& a = g.scheduler.add_segment("a");
  Segment& b = g.scheduler.add_segment("b");
  g.add<Counting>(a, "finite", {}, 1, 20);
  Keep& one = g.add<Keep>(a, "one", ports({port()}), 0);
  g.add<Counting>(b, "endless", {}, 1, 0);
  g.add<Keep>(b, "two", ports({port()}), 0);
  g.source("finite", 1000, 0);
  g.source("endless", 1000, 1);
  g["endless"].endless = true;
  g.link("finite", "one");
  g.link("endless", "two");
  g.run();
  CHECK(one.values.size() == 20);

  Graph h(ClockKind::system);
  Segment& s = h.scheduler.add_segment("s");
  h.add<Counting>(s, "source", {}, 1, 0);
  h.add<Keep>(s, "sink", ports({port()}), 0);
  h.source("source", 0);
  h.link("source", "sink");
  h.scheduler.start();
  CHECK_FALSE(h.scheduler.wait(5'000'000));
  h.scheduler.request_stop();
  CHECK(h.scheduler.wait(2'000'000'000));

  Graph d(ClockKind::manual);
  Segment& t = d.scheduler.add_segment("t");
  d.add<Counting>(t, "source", {}, 1, 0);
  Keep& kept = d.add<Keep>(t, "sink", ports({port()}), 0);
  d.source("source", 100);
  d.link("source", "sink");
  d.scheduler.duration_ns = 1'000'000'000;
  d.run();
  CHECK(kept.values.size() == 100);
}

TEST_CASE("a manual run is the same every time, whatever the threads would have done") {
  std::vector<int64_t> first;
  for (int i = 0; i < 5; ++i) {
    Graph g(ClockKind::manual, 3);
    Segment* s[4];
    for (int k = 0; k < 4; ++k) s[k] = &g.scheduler.add_segment("s" + std::to_string(k));
    g.add<Counting>(*s[0], "a", {}, 1, 200);
    g.add<Counting>(*s[1], "b", {}, 1, 130);
    g.add<Counting>(*s[2], "c", {}, 1, 90);
    g.add<Sum>(*s[3], "sum", ports({port(), port(EdgeKind::latest, true), port(EdgeKind::latest, true)}), 1, 3);
    Keep& sink = g.add<Keep>(*s[3], "sink", ports({port()}), 0);
    g.source("a", 100, 0);
    g.source("b", 60, 1);
    g.source("c", 44.1, 2);
    g.link("a", "sum", 0, 8);
    g.link("b", "sum", 1, 1, EdgeKind::latest);
    g.link("c", "sum", 2, 1, EdgeKind::latest);
    g.link("sum", "sink");
    g.run();
    if (i == 0) first = sink.values;
    CHECK(sink.values == first);
    CHECK(sink.values.size() == 200);
  }
}

TEST_CASE("a circle that feeds itself is told, and does not hang a manual run") {
  Graph g(ClockKind::manual);
  Segment& a = g.scheduler.add_segment("a");
  Segment& b = g.scheduler.add_segment("b");
  g.add<Counting>(a, "source", {}, 1, 1);
  g.add<Sum>(b, "circle", ports({port(), port()}), 1, 2);
  g.source("source", 100);
  g["circle"].fires_any = true;
  g.link("source", "circle", 0, 8);
  g.link("circle", "circle", 1, 8);
  g.run();
  REQUIRE(g.scheduler.first_failure() != nullptr);
  CHECK(g.scheduler.first_failure()->failure.message.find("without time passing") != std::string::npos);
}

TEST_CASE("latency is told per source and sink") {
  Graph g(ClockKind::manual, 2);
  Segment& a = g.scheduler.add_segment("a");
  Segment& b = g.scheduler.add_segment("b");
  g.add<Counting>(a, "fast", {}, 1, 50);
  g.add<Counting>(b, "slow", {}, 1, 5);
  g.add<Sum>(a, "sum", ports({port(), port(EdgeKind::latest, true)}), 1, 2);
  g.add<Keep>(a, "sink", ports({port()}), 0);
  g.source("fast", 100, 0);
  g.source("slow", 10, 1);
  g.link("fast", "sum", 0);
  g.link("slow", "sum", 1, 1, EdgeKind::latest);
  g.link("sum", "sink");
  g.scheduler.measure_paths(g["sink"]);
  g.run();
  const auto& paths = g["sink"].paths;
  CHECK(paths[0]->latency.max() == 0);
  CHECK(paths[0]->latency.count() == 50);
  CHECK(paths[1]->latency.count() == 5);
  CHECK(paths[1]->age.max() >= 90'000'000);  // held until the next one comes
  CHECK(paths[1]->latency.max() <= 10'000'000);
}

TEST_CASE("the trace keeps the newest events") {
  Graph g(ClockKind::manual);
  Segment& s = g.scheduler.add_segment("s");
  g.add<Counting>(s, "source", {}, 1, 100);
  g.add<Keep>(s, "sink", ports({port()}), 0);
  g.source("source", 100);
  g.link("source", "sink");
  g.scheduler.enable_trace(16);
  g.run();
  const auto events = s.trace.in_order();
  CHECK(events.size() == 16);
  CHECK(events.back().seq == 100);  // the call in which the source said that it had ended
  CHECK(s.trace.lost() == 201 - 16);
}
