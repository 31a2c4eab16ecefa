"""face.*: from sound and eyes to an expression, and from an expression to a head."""

__all__: list[str] = []
