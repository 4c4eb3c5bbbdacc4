"""Measurements behind ``make bench``: each table prints our figure beside a baseline measured in the same run."""
