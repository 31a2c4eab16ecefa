"""How good the shipped faces are: all networks of a run in a table, and what only long or many clips show."""
