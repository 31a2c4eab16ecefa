"""The face networks and their weights; importing this package loads neither torch nor any weights."""
