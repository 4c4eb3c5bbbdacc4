"""The meter of a company, for those who bill by it: reads that selectors need as well, so they live there."""

from __future__ import annotations

from billing.selectors.meter import CompanyMeter

__all__ = ["CompanyMeter"]
