"""Research notes and the links in them: found by meaning, checked for rot, published."""

__version__ = "0.1.0"
