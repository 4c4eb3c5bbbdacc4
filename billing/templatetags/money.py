"""Templates' own words for amounts: ``{{ amount|rubles }}``, ``{{ amount|rubles_short }}``."""

from __future__ import annotations

from django import template

from billing.selectors.rubles import rubles, rubles_short

register = template.Library()
register.filter(rubles)
register.filter(rubles_short)
