"""Measurements behind ``make bench``: each row prints our figure beside a baseline measured in the same run.

They are no part of the product: a baseline may need what the product's own layers forbid.
"""
