"""A graph for a long time: does memory grow, does latency, is anything lost? See __main__.py."""
