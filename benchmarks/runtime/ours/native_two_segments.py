"""The chain in rtgraph with native nodes, cut after the second by a queue: two threads, 4 KiB copied once."""

import native

native.main(cut="{from: relay1.out, edge: queue, capacity: 64}", messages=2_000_000)
