"""Pages of lost calls: the list that is worked off, and one case."""
