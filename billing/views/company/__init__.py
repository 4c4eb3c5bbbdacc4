"""A company's own pages about its money. Whoever opens one is asked SEE_MONEY with the company's account."""
