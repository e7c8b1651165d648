"""Sites that say more of a link than its page does: one a module."""
