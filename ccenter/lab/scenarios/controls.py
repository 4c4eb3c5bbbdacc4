"""Placeholder."""
from ccenter.lab.scenarios.rig import Scenario
SCENARIOS: dict[str, Scenario] = {}
