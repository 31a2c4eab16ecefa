// Histogram: quantiles against sorting, and reading while another thread writes.
#include "histogram.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <thread>
#include <vector>

using rtgraph::Histogram;

TEST_CASE("quantiles lie within a 32nd of the sorted truth") {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> spread(10, 3);
  Histogram h;
  std::vector<int64_t> truth;
  for (int i = 0; i < 50'000; ++i) {
    const auto ns = static_cast<int64_t>(spread(random));
    truth.push_back(std::min(ns, int64_t{1} << 40));
    h.record(ns);
  }
  std::sort(truth.begin(), truth.end());
  CHECK(h.count() == truth.size());
  CHECK(h.max() == truth.back());
  for (const double q : {0.0, 0.01, 0.5, 0.95, 0.99, 0.999, 1.0}) {
    const int64_t expected = truth[static_cast<std::size_t>(q * static_cast<double>(truth.size() - 1))];
    CHECK(h.quantile(q) >= expected);
    CHECK(static_cast<double>(h.quantile(q)) <= static_cast<double>(expected) * (1 + 1.0 / 32) + 1);
  }
}

TEST_CASE("small values are exact; negative, zero and huge ones are kept in range") {
  Histogram h;
  for (int64_t ns = 0; ns < 32; ++ns) h.record(ns);
  CHECK(h.quantile(0.5) == 15);
  h.clear();
  h.record(-5);
  h.record(0);
  CHECK(h.count() == 2);
  CHECK(h.max() == 0);
  h.record(INT64_MAX);
  CHECK(h.max() == int64_t{1} << 40);
  CHECK(h.quantile(1.0) == int64_t{1} << 40);
  CHECK(Histogram().quantile(0.5) == 0);
}

TEST_CASE("zeros that nobody wrote down count with the rest") {
  Histogram h;
  h.record(10), h.record(20);
  CHECK(h.quantile(0.5, 8) == 0);
  CHECK(h.quantile(0.9, 8) == 10);
  CHECK(h.quantile(1.0, 8) == 20);
  CHECK(h.quantile(0.0, 0) == 10);
}

TEST_CASE("a reader beside the writer sees counts that only grow") {
  Histogram h;
  constexpr uint64_t kValues = 300'000;
  std::thread writer([&] {
    for (uint64_t i = 0; i < kValues; ++i) h.record(static_cast<int64_t>(i % 5000));
  });
  uint64_t last = 0;
  bool good = true;
  while (last < kValues) {
    const uint64_t now = h.count();
    good = good && now >= last && h.quantile(0.99) <= 5200;
    last = now;
  }
  writer.join();
  CHECK(good);
  CHECK(h.count() == kValues);
}
