"""What the setting-up pages are made of: each kind of row, its columns, its form and its words, in one table.

A new kind of row is one more entry here; the pages themselves know none of them by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Prefetch, Q, QuerySet
from django.forms import BaseForm
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from monitoring.models.lines import Line
from monitoring.models.notes import Mark
from monitoring.models.people import Group, Manager
from monitoring.models.queues import Queue
from monitoring.models.statuses import Status
from monitoring.services import directory, people
from monitoring.views.manage import forms
from tenants.people.models import Role, User
from tenants.people.roles import Verb

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Column:
    """``show``: the cell's text for a row. ``kind``: text | number | tone (a status's kind) | colour."""

    title: Text
    show: Callable[[Any], Any]
    kind: str = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """``rows``: what the list is made from, archived rows included; ``live``: the filter for those in use."""

    slug: str
    title: Text
    add: Text
    lead: Text
    empty: Text
    verb: Verb
    icon: str
    rows: Callable[[], QuerySet[Any]]
    live: Q
    search: Sequence[str]
    columns: Sequence[Column]
    form: Callable[..., BaseForm]
    archive_question: Text = ""

    def found(self, text: str, *, archived: bool) -> QuerySet[Any]:
        """Rows in use (or archived) that hold every word of ``text`` somewhere."""
        rows = self.rows().exclude(self.live) if archived else self.rows().filter(self.live)
        for word in text.split()[:6]:
            holding = Q()
            for field in self.search:
                holding |= Q(**{f"{field}__icontains": word})
            rows = rows.filter(holding)
        return rows.distinct()

    def save(self, actor: User, form: Any) -> object:
        return directory.save(actor=actor, verb=self.verb, form=form)

    def archive(self, actor: User, row: Any) -> None:
        directory.archive(actor=actor, verb=self.verb, row=row)

    def restore(self, actor: User, row: Any) -> None:
        directory.restore(actor=actor, verb=self.verb, row=row)

    def is_live(self, row: Any) -> bool:
        return getattr(row, "archived_at", None) is None


class PeopleSection(Section):
    """People are accounts with a place, so they are written by ``services.people``."""

    def save(self, actor: User, form: Any) -> object:
        return people.save(actor=actor, user=form.instance, person=form.person())

    def archive(self, actor: User, row: Any) -> None:
        people.archive(actor=actor, user=row)

    def restore(self, actor: User, row: Any) -> None:
        people.restore(actor=actor, user=row)

    def is_live(self, row: Any) -> bool:
        return bool(row.is_active)


IN_USE = Q(archived_at__isnull=True)
_GROUPS = Prefetch("groups", queryset=Group.objects.live())


def _titles(rows: Any) -> str:
    return ", ".join(str(row.title) for row in rows.all())


def _people() -> QuerySet[User]:
    managers = Manager.objects.live().prefetch_related(_GROUPS)
    return User.objects.select_related("supervisor").prefetch_related(
        Prefetch("manager", queryset=managers), Prefetch("supervisor__groups", queryset=Group.objects.live())
    )


def _extension(user: User) -> str:
    manager = getattr(user, "manager", None)
    return manager.extension if manager is not None else ""


def _groups_of(user: User) -> str:
    place = getattr(user, "supervisor" if user.role == Role.SUPERVISOR else "manager", None)
    return _titles(place.groups) if place is not None else ""


def _goes_to(line: Line) -> str:
    if line.manager is not None:
        return line.manager.title
    return line.queue.title if line.queue is not None else ""


SECTIONS: dict[str, Section] = {
    section.slug: section
    for section in (
        PeopleSection(
            slug="people",
            title=_("People"),
            add=_("New person"),
            lead=_("Who signs in, what they do, and which phone is theirs."),
            empty=_("Enter the people who take calls; they choose a password by “Forgot your password?”."),
            verb=Verb.EDIT_PEOPLE,
            icon="people",
            rows=_people,
            live=Q(is_active=True),
            search=(
                "name",
                "email",
                "manager__extension",
                "manager__groups__title",
                "supervisor__groups__title",
            ),
            columns=(
                Column(_("Full name"), lambda user: user.name or user.email),
                Column(_("Role"), lambda user: user.get_role_display()),
                Column(_("Extension"), _extension, "number"),
                Column(_("Groups"), _groups_of),
                Column(_("E-mail"), lambda user: user.email),
            ),
            form=forms.PersonForm,
            archive_question=_(
                "Archive this person? They are signed out at once; their calls stay in the reports."
            ),
        ),
        Section(
            slug="groups",
            title=_("Groups"),
            add=_("New group"),
            lead=_("A supervisor sees the groups they head, and nothing else."),
            empty=_("Put people who work together into a group and give it a supervisor."),
            verb=Verb.EDIT_GROUPS,
            icon="people",
            rows=lambda: (
                Group.objects.annotate(
                    size=Count("managers", filter=Q(managers__archived_at__isnull=True), distinct=True)
                )
                .prefetch_related("supervisors__user", Prefetch("queues", queryset=Queue.objects.live()))
                .order_by("title", "pk")
            ),
            live=IN_USE,
            search=("title", "managers__title", "supervisors__user__name"),
            columns=(
                Column(_("Title"), lambda group: group.title),
                Column(_("Managers"), lambda group: group.size, "number"),
                Column(
                    _("Supervisors"), lambda group: ", ".join(str(head) for head in group.supervisors.all())
                ),
                Column(_("Queues"), lambda group: _titles(group.queues)),
            ),
            form=forms.GroupForm,
            archive_question=_("Archive this group? Its supervisors stop seeing its people."),
        ),
        Section(
            slug="queues",
            title=_("Queues"),
            add=_("New queue"),
            lead=_("Where callers wait, who answers them, and by which limits that is judged."),
            empty=_("Make a queue, choose the groups that serve it, and send a line's calls to it."),
            verb=Verb.EDIT_QUEUES,
            icon="queue",
            rows=lambda: Queue.objects.prefetch_related(_GROUPS),
            live=IN_USE,
            search=("title", "name", "extension", "groups__title"),
            columns=(
                Column(_("Title"), lambda queue: queue.title),
                Column(_("Number"), lambda queue: queue.extension, "number"),
                Column(_("Served by"), lambda queue: _titles(queue.groups)),
                Column(_("Who is rung"), lambda queue: queue.get_strategy_display()),
                Column(_("Answer within, s"), lambda queue: queue.answer_within, "number"),
                Column(_("Short abandon, s"), lambda queue: queue.short_abandon, "number"),
            ),
            form=forms.QueueForm,
            archive_question=_(
                "Archive this queue? It leaves the live panel; its figures stay in the reports."
            ),
        ),
        Section(
            slug="lines",
            title=_("Lines"),
            add=_("New line"),
            lead=_("The numbers customers dial, and where their calls go first."),
            empty=_("Enter the numbers your customers dial and choose where their calls go."),
            verb=Verb.EDIT_LINES,
            icon="line",
            rows=lambda: Line.objects.select_related("queue", "manager").prefetch_related(_GROUPS),
            live=IN_USE,
            search=("number", "title", "queue__title", "manager__title"),
            columns=(
                Column(_("Number"), lambda line: line.number, "number"),
                Column(_("Title"), lambda line: line.title),
                Column(_("Kind"), lambda line: line.get_kind_display()),
                Column(_("Calls go to"), _goes_to),
                Column(_("Seen by"), lambda line: _titles(line.groups)),
            ),
            form=forms.LineForm,
            archive_question=_("Archive this line? The PBX no longer answers its calls."),
        ),
        Section(
            slug="statuses",
            title=_("Statuses"),
            add=_("New status"),
            lead=_("What managers say about themselves. Breaks and absences get no calls."),
            empty=_("Managers need at least one status in which they take calls."),
            verb=Verb.EDIT_STATUSES,
            icon="status",
            rows=lambda: Status.objects.all(),
            live=IN_USE,
            search=("label",),
            columns=(
                Column(_("Label"), lambda status: status.label),
                Column(_("What it does"), lambda status: (status.kind, status.get_kind_display()), "tone"),
                Column(_("Colour"), lambda status: (status.colour, status.get_colour_display()), "colour"),
                Column(_("By the phone's key"), lambda status: _("yes") if status.on_phone else ""),
            ),
            form=forms.StatusForm,
        ),
        Section(
            slug="marks",
            title=_("Marks"),
            add=_("New mark"),
            lead=_("Coloured labels that people put on calls with one click, and find them by."),
            empty=_("Without marks calls can only be found by what the PBX tells of them."),
            verb=Verb.EDIT_STATUSES,
            icon="flag",
            rows=lambda: Mark.objects.all(),
            live=IN_USE,
            search=("label",),
            columns=(
                Column(_("Label"), lambda mark: mark.label),
                Column(_("Colour"), lambda mark: (mark.colour, mark.get_colour_display()), "colour"),
            ),
            form=forms.MarkForm,
        ),
    )
}
