"""What the two scripts with native nodes share: run a chain of debug.* nodes and read its own profile.

The nodes are C++ and cannot fill `Stamps`. Throughput is messages over the run's time, start-up included.
The hop time is the profile's latency from source to sink over four hops; it begins at the source's deadline,
so the median of the timer's lateness is taken off.
"""

from __future__ import annotations

import argparse
import json

import chain

from rtgraph.planner import plan_text
from rtgraph.profiler import Profile
from rtgraph.scheduler import Runner

GRAPH = """
version: 1
nodes:
  source: {{type: debug.pulse, config: {{size: 1024, count: {count}, rate_hz: {rate}}}}}
  relay1: {{type: debug.relay, inputs: {{x: source.out}}}}
  relay2: {{type: debug.relay, inputs: {{x: {cut}}}}}
  relay3: {{type: debug.relay, inputs: {{x: relay2.out}}}}
  sink: {{type: debug.discard, inputs: {{x: relay3.out}}}}
"""


def main(cut: str, messages: int) -> None:
    """Print the JSON line of a native chain whose third node takes its input as `cut` says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help=f"a {chain.QUICK_DIVISOR}th of the messages")
    divisor = chain.QUICK_DIVISOR if parser.parse_args().quick else 1
    free = _run(GRAPH.format(count=messages // divisor, rate="null", cut=cut))
    paced = _run(GRAPH.format(count=chain.PACED_MESSAGES // divisor, rate=1e9 / chain.PERIOD_NS, cut=cut))
    late = paced.nodes["source"].late_us
    assert late is not None
    travel = paced.paths["source -> sink"].latency_ms
    print(
        json.dumps(
            {
                "messages_per_s": free.nodes["sink"].count / free.duration_s,
                "hop_us_p50": max(0.0, travel.p50 * 1e3 - late.p50) / chain.HOPS,
                "hop_us_p99": max(0.0, travel.p99 * 1e3 - late.p50) / chain.HOPS,
            }
        )
    )


def _run(graph: str) -> Profile:
    with Runner(plan_text(graph)) as runner:
        runner.run()
        return runner.profile()
