"""Bank statements: a file is handed in, and its page says what became of every transfer in it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from billing.domain.bank import MOST_BYTES
from billing.models import BankStatement, PaymentState, Seller
from billing.selectors import payments as selector
from billing.selectors.payments import PaymentsAsked
from billing.services.acts import who_is
from billing.services.errors import BillingError
from billing.services.statements import import_statement
from billing.views.platform.payments import WHY
from tenants.people.roles import Verb, demand, requires

PAGE = 50


class StatementForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File of the bank"),
        help_text=gettext_lazy(
            "Your bank's client or 1C exports it as “1CClientBankExchange”, usually kl_to_1c.txt. The same file twice "
            "does no harm."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".txt,text/plain"}),
    )

    def clean_file(self) -> UploadedFile[Any]:
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if file.size is None or file.size > MOST_BYTES:
            raise forms.ValidationError(
                _("The file is larger than %(most)d MB: take a shorter period.") % {"most": MOST_BYTES >> 20}
            )
        return file


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Verb.SEE_BILLING)
def listing(request: HttpRequest) -> HttpResponse:
    """Statements that came; a POST hands in another."""
    form = StatementForm()
    if request.method == "POST":
        demand(request, Verb.EDIT_BILLING)
        form = StatementForm(request.POST, request.FILES)
        if form.is_valid():
            taken = _take_in(request, form)
            if taken is not None:
                return redirect("billing_admin:statement", taken.pk)
    rows = BankStatement.objects.select_related("seller")
    context: dict[str, Any] = {
        "form": form,
        "page": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "has_seller": Seller.objects.exclude(account="").exists(),
        "view": "statements",
        "waiting": selector.waiting(),
    }
    return render(request, "billing/platform/statements.html", context, status=422 if form.errors else 200)


@require_safe
@requires(Verb.SEE_BILLING)
def one(request: HttpRequest, pk: int) -> HttpResponse:
    statement = get_object_or_404(BankStatement.objects.select_related("seller"), pk=pk)
    rows = selector.payments(PaymentsAsked(statement=pk))
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "statement": statement,
        "page": page,
        "rows": [(row, WHY.get(row.why, row.why)) for row in page.object_list],
        "waits": rows.filter(state=PaymentState.UNMATCHED).count(),
        "total": selector.sums(rows).total,
        "outgoing": statement.documents - statement.incoming,
        "view": "statements",
        "waiting": selector.waiting(),
    }
    return render(request, "billing/platform/statement.html", context)


def _take_in(request: HttpRequest, form: StatementForm) -> BankStatement | None:
    began = timezone.now()
    file: UploadedFile[Any] = form.cleaned_data["file"]
    try:
        taken = import_statement(who=who_is(request.user), file_name=file.name or "", data=file.read())
    except BillingError as error:
        form.add_error("file", str(error.message))
        return None
    if taken.imported_at < began:
        messages.info(request, _("This very file was handed in before: nothing was counted twice."))
    return taken
