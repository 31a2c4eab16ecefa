"""How good a face is: its lips against tracked real mouths, or its motion against recorded motion."""
