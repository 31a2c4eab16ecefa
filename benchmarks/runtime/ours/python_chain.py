"""The chain in rtgraph: five Python nodes in one segment, profiler on, on the system clock.

Carrier: the numpy array itself, checked at every port against its declared dtype and shape.
"""

from time import perf_counter_ns

import chain

from rtgraph import EndOfStream, Input, Node, NodeConfig, Output, Source, TensorType, register
from rtgraph.planner import plan_text
from rtgraph.scheduler import Runner

Payload = TensorType("Payload", "uint8", (chain.PAYLOAD_BYTES,))

GRAPH = """
version: 1
nodes:
  source: {{type: bench.source, config: {{messages: {messages}, paced: {paced}}}}}
  relay1: {{type: bench.relay, inputs: {{message: source.message}}}}
  relay2: {{type: bench.relay, inputs: {{message: relay1.output}}}}
  relay3: {{type: bench.relay, inputs: {{message: relay2.output}}}}
  sink: {{type: bench.sink, inputs: {{message: relay3.output}}}}
"""

stamps = chain.Stamps()


@register("bench.source")
class BenchSource(Source):
    class Config(NodeConfig):
        messages: int
        paced: bool

    message = Output(Payload)

    def rate_hz(self) -> float | None:
        return 1e9 / chain.PERIOD_NS if self.config.paced else None

    def open(self, ctx):
        self.payload = chain.payload()
        self.left = self.config.messages

    def process(self, ctx):
        if self.left == 0:
            raise EndOfStream
        self.left -= 1
        stamps.sent_ns.append(perf_counter_ns())
        return {"message": self.payload.copy()}


@register("bench.relay")
class BenchRelay(Node):
    message = Input(Payload)
    output = Output(Payload)

    def process(self, message, ctx):
        return {"output": message}


@register("bench.sink")
class BenchSink(Node):
    message = Input(Payload)

    def process(self, message, ctx):
        stamps.arrived_ns.append(perf_counter_ns())


def run(messages: int, paced: bool) -> chain.Stamps:
    global stamps
    stamps = chain.Stamps()
    with Runner(plan_text(GRAPH.format(messages=messages, paced=str(paced).lower()))) as runner:
        runner.run()
    return stamps


if __name__ == "__main__":
    chain.main(run, messages=1_000_000)
