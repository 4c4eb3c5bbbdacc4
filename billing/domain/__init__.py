"""What a service costs: pure arithmetic over dates, intervals and decimals. No clock, no database, no float."""
