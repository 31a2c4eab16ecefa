"""The chain in rtgraph: five Python nodes in one segment, profiler on, on the system clock.

Carrier: the numpy array itself, checked at every port against its declared dtype and shape.
"""

from time import perf_counter_ns

import chain

from rtgraph import Input, Node, NodeConfig, Output, Source, TensorType, register
from rtgraph.planner import plan_text
from rtgraph.scheduler import Runner

Payload = TensorType("Payload", "uint8", (chain.PAYLOAD_BYTES,))

GRAPH = """
version: 1
nodes:
  source: {{type: bench.source, config: {{paced: {paced}}}}}
  relay1: {{type: bench.relay, inputs: {{message: source.message}}}}
  relay2: {{type: bench.relay, inputs: {{message: relay1.output}}}}
  relay3: {{type: bench.relay, inputs: {{message: relay2.output}}}}
  sink: {{type: bench.sink, config: {{messages: {messages}}}, inputs: {{message: relay3.output}}}}
"""

stamps = chain.Stamps()
runner: Runner


@register("bench.source")
class BenchSource(Source):
    class Config(NodeConfig):
        paced: bool

    message = Output(Payload)

    def rate_hz(self) -> float | None:
        return 1e9 / chain.PERIOD_NS if self.config.paced else None

    def open(self, ctx):
        self.payload = chain.payload()
        self.sent_ns = stamps.sent_ns

    def process(self, ctx):
        self.sent_ns.append(perf_counter_ns())
        return self.payload


@register("bench.relay")
class BenchRelay(Node):
    message = Input(Payload)
    output = Output(Payload)

    def process(self, message, ctx):
        return message


@register("bench.sink")
class BenchSink(Node):
    class Config(NodeConfig):
        messages: int

    message = Input(Payload)

    def open(self, ctx):
        self.arrived_ns = stamps.arrived_ns
        self.messages = self.config.messages

    def process(self, message, ctx):
        arrived_ns = self.arrived_ns
        arrived_ns.append(perf_counter_ns())
        if len(arrived_ns) == self.messages:
            runner.stop()


def run(messages: int, paced: bool) -> chain.Stamps:
    global stamps, runner
    stamps = chain.Stamps()
    runner = Runner(plan_text(GRAPH.format(messages=messages, paced=str(paced).lower())))
    with runner:
        runner.run()
    return stamps


if __name__ == "__main__":
    chain.main(run, messages=1_000_000)
