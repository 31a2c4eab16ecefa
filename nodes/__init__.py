"""The nodes that come with rtgraph, one family a folder, one node a file."""
