"""What may be typed about a monitoring profile: only rows its editor sees, only figures the board can show.

The order of the figures is the order in which the page sends them.
"""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from monitoring.domain.watching import live_metrics
from monitoring.models.profiles import Profile
from monitoring.models.text import one_visible_line
from monitoring.selectors.profiles import choices_for, may_share_with
from monitoring.services.profiles import LONGEST_TITLE, View
from monitoring.views.live import STRIP
from tenants.people.models import User

Option = dict[str, Any]
Rows = forms.ModelMultipleChoiceField[Any]
COLUMNS = ("waiting", "longest_wait", "offered", "answered", "lost", "service_level")


def _rows(label: Any, help_text: Any = "") -> Rows:
    return forms.ModelMultipleChoiceField(
        label=label,
        queryset=User.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=help_text,
    )


class ProfileForm(forms.Form):
    """One profile. Nothing chosen in a list of rows: everything its opener may see."""

    title = forms.CharField(label=_("Title"), max_length=LONGEST_TITLE, validators=[one_visible_line])
    groups = _rows(_("Groups"))
    queues = _rows(_("Queues"))
    lines = _rows(_("Lines"))
    managers = _rows(_("Managers"))
    for_supervisors = forms.BooleanField(
        label=_("Every supervisor may open it"),
        required=False,
        help_text=_("Whoever opens a profile sees in it only what they may see anyway."),
    )
    people = _rows(_("And these people"))

    def __init__(self, *args: Any, editor: User, profile: Profile | None = None, **kwargs: Any) -> None:
        self.profile = profile
        super().__init__(*args, **{**kwargs, "initial": _initial(profile)})
        reach = choices_for(editor)
        for name in ("groups", "queues", "lines", "managers"):
            cast("Rows", self.fields[name]).queryset = getattr(reach, name)
        cast("Rows", self.fields["people"]).queryset = may_share_with(editor)

    def chosen(self, name: str) -> list[str]:
        """Keys of the figures in the order they are to be shown: as just sent, else as kept, else the usual ones."""
        if self.is_bound:
            return list(dict.fromkeys(self.data.getlist(name)))  # type: ignore[attr-defined]  # a QueryDict
        if self.profile is not None:
            return list(getattr(self.profile, name))
        return list(STRIP if name == "tiles" else COLUMNS)

    def options(self, name: str) -> list[Option]:
        """Every figure there is, the chosen ones first and in their order."""
        known = {metric.key: metric for metric in live_metrics()}
        chosen = [key for key in self.chosen(name) if key in known]
        ordered = [*chosen, *(key for key in known if key not in chosen)]
        return [
            {
                "key": key,
                "title": pgettext("metric", known[key].title),
                "meaning": pgettext("metric", known[key].meaning),
                "on": key in chosen,
            }
            for key in ordered
        ]

    def view(self) -> View:
        data = self.cleaned_data
        return View(
            title=data["title"],
            groups=list(data["groups"]),
            queues=list(data["queues"]),
            lines=list(data["lines"]),
            managers=list(data["managers"]),
            tiles=self.chosen("tiles"),
            columns=self.chosen("columns"),
            people=list(data["people"]),
            for_supervisors=data["for_supervisors"],
        )


def _initial(profile: Profile | None) -> dict[str, Any]:
    if profile is None:
        return {}
    links = ("groups", "queues", "lines", "managers", "people")
    return {
        "title": profile.title,
        "for_supervisors": profile.for_supervisors,
        **{name: [row.pk for row in getattr(profile, name).all()] for name in links},
    }
