"""The chain in csp: five Python nodes on csp's C++ engine, in one thread.

Carrier: the numpy array itself as ts[object], which spares csp a type check per edge. The engine's own timer
drives the source. Throughput in simulation mode, csp's fastest, as it never looks at the clock
(csp_live_chain.py does). Hop time in real time.
"""

from datetime import datetime, timedelta, timezone
from time import perf_counter_ns

import chain
import csp
from csp import ts


@csp.node(memoize=False)
def source(tick: ts[object], sent_ns: list, payload: object) -> ts[object]:
    sent_ns.append(perf_counter_ns())
    return payload


@csp.node
def relay(message: ts[object]) -> ts[object]:
    return message


@csp.node(memoize=False)
def sink(message: ts[object], arrived_ns: list, messages: int):
    arrived_ns.append(perf_counter_ns())
    if len(arrived_ns) == messages:
        csp.stop_engine()


@csp.graph(memoize=False)
def graph(period: timedelta, stamps: chain.Stamps, payload: object, messages: int):
    message = source(csp.timer(period), stamps.sent_ns, payload)
    for _ in range(chain.NODES - 2):
        message = relay(message)
    sink(message, stamps.arrived_ns, messages)


def run(messages: int, paced: bool) -> chain.Stamps:
    stamps = chain.Stamps()
    period = timedelta(microseconds=chain.PERIOD_NS / 1e3)
    csp.run(
        graph,
        period,
        stamps,
        chain.payload(),
        messages,
        starttime=datetime.now(timezone.utc),
        endtime=2 * messages * period,  # the sink stops the engine at its last message
        realtime=paced,
    )
    return stamps


if __name__ == "__main__":
    chain.main(run, messages=1_000_000)
