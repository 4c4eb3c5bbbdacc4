"""The app of companies, their hosts and their PBXs: the public schema's own."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = _("Companies")

    def ready(self) -> None:
        from auditlog.registry import auditlog

        from tenants.models import Company, Domain, Pbx

        for model in (Company, Domain):
            auditlog.register(model)
        auditlog.register(Pbx, exclude_fields=["secret_encrypted"], m2m_fields={"companies"})
