"""The platform staff's pages for companies, their hosts and PBXs, on the public host only."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import secure_admin_login
from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from tenants.models import Company, Domain, Pbx
from tenants.secrets import SecretUnreadable

# One door for everybody: with the limits on guessing and the second factor that admin's own lacks.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign] # allauth's documented way
admin.site.site_header = _("Platform")
admin.site.site_title = _("Platform")
admin.site.index_title = _("Companies and PBXs")
admin.site.site_url = "/companies/"


class DomainInline(admin.TabularInline[Domain, Company]):
    model = Domain
    extra = 0


@admin.register(Company)
class CompanyAdmin(admin.ModelAdmin[Company]):
    """Companies are made on their own page, where the work can be watched, and closed rather than deleted."""

    list_display = ["name", "slug", "active", "time_zone", "created_at"]
    list_filter = ["active"]
    search_fields = ["name", "schema_name", "domains__domain"]
    readonly_fields = ["slug", "created_at"]
    fields = ["slug", "name", "time_zone", "language", "active", "created_at"]
    inlines = [DomainInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Company | None = None) -> bool:
        return False


class PbxForm(forms.ModelForm[Pbx]):
    """The secret is written, never shown: an empty field leaves the one that is there."""

    new_secret = forms.CharField(
        label=_("AMI secret"),
        required=False,
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Stored encrypted and never shown again. Leave it empty to keep the present one."),
    )

    class Meta:
        model = Pbx
        fields = ["name", "host", "port", "tls", "username", "managed", "simulated", "enabled", "companies"]

    def clean_new_secret(self) -> str:
        secret: str = self.cleaned_data["new_secret"]
        if any(not character.isprintable() for character in secret):
            raise forms.ValidationError(_("Invisible characters are not allowed here."))
        if not secret and not self.instance.secret_encrypted:
            raise forms.ValidationError(_("Enter the secret of the AMI account."))
        return secret

    def clean_companies(self) -> Any:
        """Whether they can share the PBX depends on what they have there, which is not the business of this app."""
        companies = self.cleaned_data["companies"]
        if self.instance.pk is not None:
            why_not = import_string(settings.PBX_SHARING_CHECK)(pbx=self.instance, companies=companies)
            if why_not:
                raise forms.ValidationError(why_not)
        return companies

    def save(self, commit: bool = True) -> Pbx:
        if self.cleaned_data["new_secret"]:
            self.instance.secret = self.cleaned_data["new_secret"]
        return super().save(commit)


@admin.register(Pbx)
class PbxAdmin(admin.ModelAdmin[Pbx]):
    form = PbxForm
    list_display = ["name", "host", "port", "managed", "simulated", "enabled", "secret_state"]
    list_filter = ["managed", "enabled"]
    search_fields = ["name", "host"]
    filter_horizontal = ["companies"]
    fields = [
        "name", ("host", "port", "tls"), ("username", "new_secret"), ("managed", "simulated", "enabled"), "companies",
    ]  # fmt: skip

    def has_delete_permission(self, request: HttpRequest, obj: Pbx | None = None) -> bool:
        return False  # calls of many companies point at it; it is switched off instead

    @admin.display(description=_("secret"))
    def secret_state(self, pbx: Pbx) -> Any:
        try:
            return _("entered") if pbx.secret else _("missing")
        except SecretUnreadable:
            return _("unreadable: enter it again")
