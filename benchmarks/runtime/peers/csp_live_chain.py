"""The chain in csp as it runs live: real time, as ours does.

As csp_chain.py, but for the source: a timer ticks at most once a microsecond, so an alarm that is set anew
for the next engine cycle drives it, as fast as the engine cycles.
"""

from datetime import datetime, timedelta, timezone
from time import perf_counter_ns

import chain
import csp
from csp import ts
from csp_chain import relay, sink


@csp.node(memoize=False)
def source(sent_ns: list, payload: object, period: timedelta, messages: int) -> ts[object]:
    with csp.alarms():
        again = csp.alarm(bool)
    with csp.start():
        csp.schedule_alarm(again, period, True)
    if csp.ticked(again) and len(sent_ns) < messages:
        csp.schedule_alarm(again, period, True)
        sent_ns.append(perf_counter_ns())
        return payload


@csp.graph(memoize=False)
def graph(stamps: chain.Stamps, payload: object, period: timedelta, messages: int):
    message = source(stamps.sent_ns, payload, period, messages)
    for _ in range(chain.NODES - 2):
        message = relay(message)
    sink(message, stamps.arrived_ns, messages)


def run(messages: int, paced: bool) -> chain.Stamps:
    stamps = chain.Stamps()
    period = timedelta(microseconds=chain.PERIOD_NS / 1e3 if paced else 0)
    csp.run(
        graph,
        stamps,
        chain.payload(),
        period,
        messages,
        starttime=datetime.now(timezone.utc),
        endtime=timedelta(minutes=5),  # the sink stops the engine at its last message
        realtime=True,
    )
    return stamps


if __name__ == "__main__":
    chain.main(run, messages=1_000_000)
