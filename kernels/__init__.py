"""The maths of a frame: one folder an operation, each with its plain reference beside the fast versions."""
