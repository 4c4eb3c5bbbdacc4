"""Russian bank details: what of them can be checked without asking a bank.

Source: Bank of Russia, "Порядок расчёта контрольного ключа в номере лицевого счёта", 08.09.1997 № 515.
"""

from __future__ import annotations

_WEIGHTS = (7, 1, 3)
BIK_DIGITS = 9
ACCOUNT_DIGITS = 20


def is_bik(bik: str) -> bool:
    """Nine digits of a Russian bank ("04") or the treasury ("00", "01", "02")."""
    return _digits(bik, BIK_DIGITS) and bik[:2] in ("00", "01", "02", "04")


def account_fits(account: str, bik: str) -> bool:
    """Whether a customer's account has the check digit of the bank ``bik``."""
    return _fits(bik[-3:], account, bik)


def correspondent_fits(account: str, bik: str) -> bool:
    """Whether the bank's own account at the Bank of Russia has the right check digit, and the bank's last digits."""
    return account.startswith("301") and account[-3:] == bik[-3:] and _fits(f"0{bik[4:6]}", account, bik)


def _fits(place: str, account: str, bik: str) -> bool:
    if not _digits(account, ACCOUNT_DIGITS) or not _digits(bik, BIK_DIGITS):
        return False
    whole = place + account
    return sum(int(sign) * _WEIGHTS[n % 3] % 10 for n, sign in enumerate(whole)) % 10 == 0


def _digits(text: str, length: int) -> bool:
    return len(text) == length and text.isascii() and text.isdigit()
