"""Monitoring: what happens in a company's calls, live and afterwards. Lives in each company's schema."""
