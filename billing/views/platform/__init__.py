"""Pages of the billing admin, on the platform's own host: for its staff, about every company's money."""
