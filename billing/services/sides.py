"""Both sides of a paper: what is copied into it at issuing, and what is still missing for one."""

from __future__ import annotations

from billing.models import Account, Seller


def copy_of(side: Seller | Account) -> dict[str, str]:
    """What of a side its papers show, as it is now."""
    names = ["legal_name", "inn", "kpp", "address"]
    if isinstance(side, Seller):
        names += ["bank_name", "bik", "account", "correspondent", "director", "accountant"]
    return {name: str(getattr(side, name)) for name in names}


def missing_of(side: Seller | Account) -> list[str]:
    """Names of what is not filled in, without which no paper is issued; a person with an INN of 12 has no KPP."""
    wanted = ["legal_name", "inn", "address"]
    if len(side.inn) == 10:
        wanted.append("kpp")
    if isinstance(side, Seller):
        wanted += ["bank_name", "bik", "account", "correspondent"]
    names = {field.name: field.verbose_name for field in side._meta.fields}
    return [str(names[name]) for name in wanted if not getattr(side, name)]
