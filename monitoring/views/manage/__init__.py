"""The company's own setting-up pages: people, groups, queues, lines, statuses, norms, and who changed
what."""
