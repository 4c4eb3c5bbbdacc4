"""Pages of what a company keeps for how long, and of one customer's data being removed."""
