"""What an admin may type about each kind of row, and what is refused before anything is stored.

Choices offer only rows in use; archived ones stay chosen where they were.
"""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.models.lines import Line
from monitoring.models.notes import Mark
from monitoring.models.people import Group, Manager, Supervisor
from monitoring.models.queues import Queue
from monitoring.models.statuses import Status
from monitoring.models.text import extension_shape, one_visible_line
from monitoring.services.people import Person, the_pbx
from tenants.people.models import Role, User
from tenants.scope import current_company

ROLES = [(role.value, role.label) for role in (Role.MANAGER, Role.SUPERVISOR, Role.ADMIN)]


class PersonForm(forms.Form):
    """One person: the account and the place in the company."""

    name = forms.CharField(label=gettext_lazy("Full name"), max_length=80, validators=[one_visible_line])
    email = forms.EmailField(label=gettext_lazy("E-mail"), max_length=190)
    role = forms.ChoiceField(
        label=gettext_lazy("Role"), choices=ROLES, widget=forms.RadioSelect, initial="manager"
    )
    extension = forms.CharField(
        label=gettext_lazy("Extension"),
        max_length=6,
        required=False,
        validators=[extension_shape],
        help_text=gettext_lazy("For managers: the number their phone has on the PBX."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    groups = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Groups"),
        queryset=Group.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("A manager works in them, a supervisor heads them."),
    )

    def __init__(self, *args: Any, instance: User | None = None, **kwargs: Any) -> None:
        self.instance = instance
        super().__init__(*args, **{**kwargs, "initial": _as_typed(instance) if instance else None})
        cast("forms.ModelMultipleChoiceField[Group]", self.fields["groups"]).queryset = Group.objects.live()

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).strip().lower()
        others = User.objects.filter(email=email)
        if self.instance is not None:
            others = others.exclude(pk=self.instance.pk)
        if others.exists():
            raise forms.ValidationError(_("This e-mail is taken."))
        return email

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("role") == Role.MANAGER:
            extension = data.get("extension", "")
            if not extension and "extension" not in self.errors:
                self.add_error("extension", _("A manager needs an extension."))
            taken = Manager.objects.live().filter(extension=extension)
            if self.instance is not None:
                taken = taken.exclude(user=self.instance)
            if extension and taken.exists():
                self.add_error("extension", _("%(name)s has this extension.") % {"name": taken[0].title})
            elif extension and Queue.objects.live().filter(extension=extension).exists():
                self.add_error("extension", _("A queue has this number."))
        return data

    def person(self) -> Person:
        data = self.cleaned_data
        return Person(
            name=data["name"],
            email=data["email"],
            role=Role(data["role"]),
            extension=data["extension"],
            groups=list(data["groups"]),
        )


def _as_typed(user: User) -> dict[str, Any]:
    manager = Manager.objects.filter(user=user).first()
    supervisor = Supervisor.objects.filter(user=user).first()
    if user.role == Role.SUPERVISOR:
        groups = list(supervisor.groups.all()) if supervisor else []
    else:
        groups = list(manager.groups.all()) if manager else []
    return {
        "name": user.name,
        "email": user.email,
        "role": user.role,
        "extension": manager.extension if manager else "",
        "groups": groups,
    }


class GroupForm(forms.ModelForm[Group]):
    managers = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Managers"),
        queryset=Manager.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    supervisors = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Supervisors"),
        queryset=Supervisor.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Group
        fields = ["title"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        heads = Supervisor.objects.filter(user__is_active=True).select_related("user")
        cast(
            "forms.ModelMultipleChoiceField[Manager]", self.fields["managers"]
        ).queryset = Manager.objects.live()
        cast("forms.ModelMultipleChoiceField[Supervisor]", self.fields["supervisors"]).queryset = heads
        if self.instance.pk:
            chosen = {
                "managers": self.instance.managers.all(),
                "supervisors": self.instance.supervisors.all(),
            }
            self.initial.update(chosen)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        _refuse_taken(self, "title", {"title": data.get("title")})
        return data

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc] # Django's documented hook, missing in the stubs
        self.instance.managers.set(self.cleaned_data["managers"])
        self.instance.supervisors.set(self.cleaned_data["supervisors"])


class QueueForm(forms.ModelForm[Queue]):
    class Meta:
        model = Queue
        fields = [
            "title", "name", "extension", "exit_key", "groups", "extra_members", "strategy", "ring_for",
            "answer_within", "short_abandon", "max_wait", "wrap_up", "via_local",
        ]  # fmt: skip
        widgets = {"groups": forms.CheckboxSelectMultiple, "extra_members": forms.CheckboxSelectMultiple}
        help_texts = {
            "name": gettext_lazy("Its name on the PBX; it cannot be changed later."),
            "answer_within": gettext_lazy("The service level counts calls answered within this time."),
            "short_abandon": gettext_lazy("Who hangs up sooner does not count as lost."),
            "wrap_up": gettext_lazy("For this long after a call no queue rings the person."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _only_live(self, "groups", Group.objects.all())
        _only_live(self, "extra_members", Manager.objects.all())
        if self.instance.pk:
            self.fields["name"].disabled = True

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if self.instance.pk is None:
            self.instance.pbx_id = the_pbx()
            self.instance.pbx_name = f"{current_company()}_{data.get('name', '')}"
        extension = data.get("extension")
        if extension and Manager.objects.live().filter(extension=extension).exists():
            self.add_error("extension", _("A manager has this number."))
        _refuse_taken(self, "name", {"pbx_name": self.instance.pbx_name})
        _refuse_taken(self, "extension", {"extension": extension, "pbx_id": self.instance.pbx_id})
        return data


class LineForm(forms.ModelForm[Line]):
    class Meta:
        model = Line
        fields = ["number", "title", "kind", "queue", "manager", "menu", "groups", "trunk"]
        widgets = {"groups": forms.CheckboxSelectMultiple}
        help_texts = {
            "number": gettext_lazy("As the operator sends it, for instance 74951230001."),
            "menu": gettext_lazy(
                "Callers choose a queue by key; who chooses nothing goes to the queue above."
            ),
            "trunk": gettext_lazy("The connection to the operator by which its calls arrive."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, rows in (("groups", Group.objects.all()), ("queue", Queue.objects.all()),
                           ("manager", Manager.objects.all())):  # fmt: skip
            _only_live(self, name, rows)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if self.instance.pk is None:
            self.instance.pbx_id = the_pbx()
        if bool(data.get("queue")) == bool(data.get("manager")):
            self.add_error("queue", _("Choose where its calls go: a queue, or one manager."))
        if data.get("menu") and not data.get("queue"):
            self.add_error("menu", _("A menu needs the queue for those who choose nothing."))
        _refuse_taken(self, "number", {"number": data.get("number")})
        return data


class StatusForm(forms.ModelForm[Status]):
    class Meta:
        model = Status
        fields = ["label", "kind", "colour", "position", "on_phone"]
        widgets = {"kind": forms.RadioSelect}
        help_texts = {
            "label": gettext_lazy("Managers see it, and the PBX gets it as the reason of the pause."),
            "on_phone": gettext_lazy("When a phone pauses without a reason we know, this status is taken."),
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        _refuse_taken(self, "label", {"label": data.get("label")})
        return data


class MarkForm(forms.ModelForm[Mark]):
    class Meta:
        model = Mark
        fields = ["label", "colour", "position"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        _refuse_taken(self, "label", {"label": data.get("label")})
        return data


def _only_live(form: forms.ModelForm[Any], name: str, rows: QuerySet[Any]) -> None:
    """Offer rows in use, and archived ones only where they are chosen already."""
    chosen = form.initial.get(name) or []
    keys = [getattr(row, "pk", row) for row in (chosen if isinstance(chosen, list) else [chosen])]
    field = cast("forms.ModelChoiceField[Any]", form.fields[name])
    field.queryset = rows.filter(Q(archived_at__isnull=True) | Q(pk__in=keys))


def _refuse_taken(form: forms.ModelForm[Any], field: str, values: dict[str, Any]) -> None:
    """Say beside the field what the database's own uniqueness would only say about the form as a whole."""
    rows = form.instance._meta.model._default_manager.filter(archived_at__isnull=True, **values)
    if field not in form.errors and all(values.values()) and rows.exclude(pk=form.instance.pk).exists():
        form.add_error(field, _("Taken already."))
