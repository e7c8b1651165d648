"""The pages about kb, and what writes parts of them."""
