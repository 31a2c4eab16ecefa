"""The chain in rtgraph with native nodes, all five in one segment."""

import native

native.main(cut="relay1.out", messages=3_000_000)
