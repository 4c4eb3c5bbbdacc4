"""Pages of monitoring profiles and of alerts."""
