"""Pages of recordings: the player, what is of no call, quality review."""
