"""The floor: the chain as plain nested Python calls, without a runtime.

Carrier: the numpy array itself. Each node calls the next one with it.
"""

from time import perf_counter_ns, sleep

import chain


def run(messages: int, paced: bool) -> chain.Stamps:
    stamps = chain.Stamps()
    payload = chain.payload()
    sent_ns, arrived_ns = stamps.sent_ns, stamps.arrived_ns

    def source() -> None:
        sent_ns.append(perf_counter_ns())
        relay1(payload)

    def relay1(message: object) -> None:
        relay2(message)

    def relay2(message: object) -> None:
        relay3(message)

    def relay3(message: object) -> None:
        sink(message)

    def sink(message: object) -> None:
        arrived_ns.append(perf_counter_ns())

    due_ns = perf_counter_ns()
    for _ in range(messages):
        if paced:
            due_ns += chain.PERIOD_NS
            sleep(max(0, due_ns - perf_counter_ns()) / 1e9)
        source()
    return stamps


if __name__ == "__main__":
    chain.main(run, messages=2_000_000)
