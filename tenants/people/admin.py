"""The platform's own staff, edited by staff. People of companies are not here: this host sees no company's schema."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from tenants.people.models import Role, User

# Rights follow from roles, a person has one e-mail, and seeds of codes are nobody's to look at.
admin.site.unregister([Group, EmailAddress, Authenticator])


class StaffForm(forms.ModelForm[User]):
    new_password = forms.CharField(
        label=_("New password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Leave it empty to keep the present one, or to let them choose by e-mail."),
    )

    class Meta:
        model = User
        fields = ["email", "name", "language", "is_active"]

    def clean_new_password(self) -> str:
        password: str = self.cleaned_data["new_password"]
        if password:
            validate_password(password, self.instance)
        return password

    def save(self, commit: bool = True) -> User:
        self.instance.role = Role.STAFF
        if self.cleaned_data["new_password"]:
            self.instance.set_password(self.cleaned_data["new_password"])
        elif self.instance.pk is None:
            self.instance.set_unusable_password()
        return super().save(commit)


@admin.register(User)
class StaffAdmin(admin.ModelAdmin[User]):
    """Staff is made inactive, never deleted: what they did keeps their name."""

    form = StaffForm
    list_display = ["email", "name", "is_active", "last_login"]
    search_fields = ["email", "name"]

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False
