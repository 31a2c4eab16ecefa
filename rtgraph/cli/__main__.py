"""`python -m rtgraph.cli`: the command where its script is not on the path."""

from rtgraph.cli import main

main()
