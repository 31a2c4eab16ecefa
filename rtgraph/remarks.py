"""Remarks on a run: what its figures show that is seldom meant."""

from __future__ import annotations

from collections import defaultdict

from rtgraph.profiler import EdgeProfile, Profile


def remarks(profile: Profile) -> list[str]:
    """A sentence each: connected outputs that stayed silent though their node ran, nodes that never ran,
    threads that had too much to do, and nodes that could not keep their rate.
    """
    outputs: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)  # packets, by what they went to
    inputs: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for name, edge in profile.edges.items():
        (producer, output), (consumer, port) = (end.rsplit(".", 1) for end in name.split(" -> "))
        outputs[producer, output][consumer] = outputs[producer, output].get(consumer, 0) + _sent(edge)
        inputs[consumer][port] += _sent(edge)
    said: list[str] = []
    if any(node.errors for node in profile.nodes.values()):
        return said  # what the others did not do follows from that
    for (node, output), sent in outputs.items():
        count = profile.nodes[node].count
        if count and not any(sent.values()):
            times = f"{count} times" if count > 1 else "once"
            said.append(f"{node} ran {times} and never sent anything on '{output}', to {', '.join(sent)}")
    idle = [name for name, node in profile.nodes.items() if not node.count]
    for name in idle:
        empty = [port for port, sent in inputs[name].items() if not sent]
        if empty and len(empty) < len(inputs[name]):
            got = [port for port, sent in inputs[name].items() if sent]
            said.append(f"{name} never ran: packets came on {_named(got)}, but none on {_named(empty)}")
            idle = [other for other in idle if other != name]
    if idle:
        said.append(f"never ran: {', '.join(idle)}")
    for segment in overloaded(profile):
        slowest = max(
            (n for n in profile.nodes if profile.nodes[n].segment == segment),
            key=lambda n: profile.nodes[n].count * profile.nodes[n].compute_us.p50,
        )
        said.append(
            f"the thread '{segment}' had work all the time, most of it in {slowest} "
            f"({profile.nodes[slowest].compute_us.p50 / 1e3:.3g} ms a packet)"
        )
    for name, figures in profile.nodes.items():
        if skipped := figures.counters.get("skipped_ticks"):
            said.append(
                f"{name} left out {skipped} of its ticks, having fallen a second behind: "
                f"give it a lower rate, or a thread of its own"
            )
    return said


def overloaded(profile: Profile) -> list[str]:
    """The threads of a live run that could not keep up: their nodes' work took all of its time."""
    if profile.clock == "manual" or profile.duration_s < 0.5:
        return []
    busy_s: dict[str, float] = defaultdict(float)
    for node in profile.nodes.values():
        busy_s[node.segment] += node.count * node.compute_us.p50 * 1e-6
    return [segment for segment, seconds in busy_s.items() if seconds > 0.9 * profile.duration_s]


def _sent(edge: EdgeProfile) -> int:
    """Packets that the producer sent, also those that never entered the queue."""
    return edge.passed + edge.dropped.get("newest", 0) + edge.dropped.get("orphaned", 0)


def _named(ports: list[str]) -> str:
    return ", ".join(f"'{port}'" for port in ports)
