"""eye.*: eye cameras, what they see, and where eyes look when there are none."""

__all__: list[str] = []
