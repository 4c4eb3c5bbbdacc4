"""What a name may hold: one line of visible characters.

Names reach AMI values, other people's screens and exports, so control characters and text-direction tricks
are refused where a person types them and cut where the PBX tells them (``services.ingest``).
"""

from __future__ import annotations

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str, cap: int) -> str:
    """``text`` without control, direction and unassigned characters, at most ``cap`` characters. Never
    raises."""
    # Cut first: a 10 kB caller name must not cost 10 kB of work.
    kept = text[: cap * 4]
    if not kept.isprintable():  # true for nearly every name, and says that nothing below would be cut
        kept = "".join(c for c in kept if unicodedata.category(c) not in _UNSEEN)
    return kept[:cap]


def one_visible_line(value: str) -> None:
    """Refuse line breaks, NUL, direction marks and other characters nobody can see."""
    if any(unicodedata.category(c) in _UNSEEN for c in value):
        raise ValidationError(_("Use visible characters on one line only."), code="unseen")


extension_shape = RegexValidator(
    re.compile(r"[0-9]{2,6}\Z"), _("An extension is two to six digits."), code="extension"
)
short_name_shape = RegexValidator(
    re.compile(r"[a-z][a-z0-9]{0,30}\Z"),
    _("Use Latin letters and digits, beginning with a letter: sales, support2."),
    code="short_name",
)
pbx_name_shape = RegexValidator(
    re.compile(r"[a-z][a-z0-9]{1,30}_[A-Za-z0-9]{1,31}\Z"),
    _("A name on the PBX is the company's short name, an underscore, then Latin letters and digits."),
    code="pbx_name",
)
number_shape = RegexValidator(
    re.compile(r"\+?[0-9]{2,20}\Z"),
    _("A number is digits, with a plus sign in front if needed."),
    code="number",
)
