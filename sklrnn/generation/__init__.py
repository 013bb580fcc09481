"""SequenceGenerator: learn what follows what, and write more of it."""
