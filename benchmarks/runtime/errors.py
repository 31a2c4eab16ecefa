"""The one error of a candidate."""


class NoFiguresError(Exception):
    """A candidate that is absent, cannot be installed here, or failed; the message is the reason."""
