// What lies at a node's inputs and when that is enough to fire: joins, held values, matching.
#include <doctest/doctest.h>

#include <ctime>

#include "bodies.h"
#include "scheduler.h"

using namespace rtgraph;
using namespace rtgraph::testing;

TEST_CASE("a join in one segment pairs the packets of one round") {
  Graph g(ClockKind::manual);
  Segment& s = g.scheduler.add_segment("s");
  g.add<Counting>(s, "source", {}, 1, 5);
  g.add<Sum>(s, "left", ports({port()}), 1, 1);
  g.add<Sum>(s, "right", ports({port()}), 1, 1);
  g.add<Sum>(s, "join", ports({port(), port()}), 1, 2);
  Keep& sink = g.add<Keep>(s, "sink", ports({port()}), 0);
  g.source("source", 100);
  g.link("source", "left");
  g.link("source", "right");
  g.link("left", "join", 0);
  g.link("right", "join", 1);
  g.link("join", "sink");
  g.run();
  CHECK(sink.values == std::vector<int64_t>{0, 2, 4, 6, 8});
}

TEST_CASE("a held value is read without firing, and an optional one may be absent") {
  Graph g(ClockKind::manual, 2);
  Segment& a = g.scheduler.add_segment("a");
  Segment& b = g.scheduler.add_segment("b");
  g.add<Counting>(a, "fast", {}, 1, 8);
  g.add<Counting>(b, "slow", {}, 1, 2);
  g.add<Sum>(a, "sum", ports({port(), port(EdgeKind::latest, true)}), 1, 2);
  Keep& sink = g.add<Keep>(a, "sink", ports({port()}), 0);
  g.source("fast", 100, 0);
  g.source("slow", 25, 1);
  g["slow"].first_tick_ns = 15'000'000;  // at 15 ms and 55 ms
  g.link("fast", "sum", 0);
  g.link("slow", "sum", 1, 1, EdgeKind::latest);
  g.link("sum", "sink");
  g.run();
  const int64_t absent = 1'000'000;
  CHECK(sink.values == std::vector<int64_t>{absent, absent + 1, 2, 3, 4, 5, 6 + 1, 7 + 1});
}

TEST_CASE("a held value is the newest there is when the node fires") {
  Graph g(ClockKind::manual, 2);
  Segment& a = g.scheduler.add_segment("a");
  Segment& b = g.scheduler.add_segment("b");
  g.add<Counting>(a, "fast", {}, 1, 50);
  g.add<Counting>(b, "slow", {}, 1, 5);
  g.add<Sum>(b, "sum", ports({port(), port(EdgeKind::latest)}), 1, 2);
  Keep& sink = g.add<Keep>(b, "sink", ports({port()}), 0);
  g.source("fast", 100, 0);
  g.source("slow", 10, 1);
  g.link("slow", "sum", 0);
  Edge& held = g.link("fast", "sum", 1, 1, EdgeKind::latest);
  g.link("sum", "sink");
  g.run();
  CHECK(sink.values == std::vector<int64_t>{0 + 0, 1 + 10, 2 + 20, 3 + 30, 4 + 40});
  CHECK(held.superseded.get() + held.passed_over.get() >= 36);
}

TEST_CASE("a firing has the number of the queue's packet, wherever its port stands") {
  Graph g(ClockKind::manual, 2);
  Segment& a = g.scheduler.add_segment("a");
  Segment& b = g.scheduler.add_segment("b");
  g.add<Counting>(a, "held", {}, 1, 3);
  g.add<Counting>(b, "source", {}, 1, 5);
  Keep& sink = g.add<Keep>(b, "sink", ports({port(EdgeKind::latest), port()}), 0);
  g.source("held", 50, 0);
  g.source("source", 50, 1);
  g.link("held", "sink", 0, 1, EdgeKind::latest);
  g.link("source", "sink", 1);
  g.run();
  CHECK(sink.seqs == up_to(5));
}

TEST_CASE("packets that cannot be used yet do not keep a thread awake") {
  for (const bool match : {true, false}) {
    Graph g(ClockKind::system, 2);
    Segment& a = g.scheduler.add_segment("a");
    Segment& b = g.scheduler.add_segment("b");
    Segment& c = g.scheduler.add_segment("c");
    g.add<Counting>(a, "busy", {}, 1, 100);
    g.add<Counting>(b, "seldom", {}, 1, 2);
    // Either a partner that leads nothing, or a queue behind a held value that has not come.
    g.add<Keep>(c, "sink", match ? ports({port(), port(EdgeKind::match)}) : ports({port(EdgeKind::latest), port()}), 0);
    g.source("busy", 250, 0);
    g.source("seldom", 2.5, 1);
    g["seldom"].first_tick_ns = 400'000'000;
    g.link("seldom", "sink", 0, match ? 64 : 1, match ? EdgeKind::queue : EdgeKind::latest);
    g.link("busy", "sink", 1, 256, match ? EdgeKind::match : EdgeKind::queue);
    const auto processor_ns = [] {
      timespec t;
      clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
      return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
    };
    const int64_t before = processor_ns(), started = monotonic_ns();
    g.run();
    CHECK((processor_ns() - before) * 4 < monotonic_ns() - started);
  }
}

TEST_CASE("matching pairs by timestamp, drops what has no partner, and counts it") {
  Graph g(ClockKind::manual, 2);
  Segment& a = g.scheduler.add_segment("a");
  Segment& b = g.scheduler.add_segment("b");
  Segment& c = g.scheduler.add_segment("c");
  g.add<Counting>(a, "audio", {}, 1, 10);   // every 10 ms
  g.add<Counting>(b, "video", {}, 1, 6);    // every 20 ms, 3 ms late
  g.add<Sum>(c, "join", ports({port(), port(EdgeKind::match)}), 1, 2);
  Keep& sink = g.add<Keep>(c, "sink", ports({port()}), 0);
  g.source("audio", 100, 0);
  g.source("video", 50, 1);
  g["video"].first_tick_ns = 3'000'000;
  Edge& lead = g.link("audio", "join", 0, 64);
  g.link("video", "join", 1, 64, EdgeKind::match, Overflow::block, 4'000'000);
  g.link("join", "sink");
  g.run();
  CHECK(sink.values == std::vector<int64_t>{0 + 0, 2 + 1, 4 + 2, 6 + 3, 8 + 4});
  CHECK(lead.unmatched.get() == 5);
}

TEST_CASE("a partner that comes late, after many have been given up, is still matched") {
  Graph g(ClockKind::manual, 2);
  Segment& a = g.scheduler.add_segment("a");
  Segment& b = g.scheduler.add_segment("b");
  Segment& c = g.scheduler.add_segment("c");
  g.add<Counting>(a, "audio", {}, 1, 10);  // every 10 ms
  g.add<Counting>(b, "video", {}, 1, 2);   // at 50 and 90 ms
  g.add<Sum>(c, "join", ports({port(), port(EdgeKind::match)}), 1, 2);
  Keep& sink = g.add<Keep>(c, "sink", ports({port()}), 0);
  g.source("audio", 100, 0);
  g.source("video", 25, 1);
  g["video"].first_tick_ns = 50'000'000;
  g.link("audio", "join", 0, 64);
  g.link("video", "join", 1, 64, EdgeKind::match, Overflow::block, 1'000'000);
  g.link("join", "sink");
  g.run();
  CHECK(sink.values == std::vector<int64_t>{5 + 0, 9 + 1});
}
