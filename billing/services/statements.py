"""A bank's file becomes payments, all of them or none: the same file, or the same transfer in two files, counts once.

What names an invoice, comes from its buyer and is exactly what is owed is matched at once; the rest waits for a person.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.domain import bank
from billing.domain.bank import BadStatement, Document, Problem, plain
from billing.models import BankStatement, Payment, PaymentState, Seller
from billing.selectors.suggestions import Why, fit
from billing.services import acts
from billing.services.acts import Who
from billing.services.errors import BadTerms
from billing.services.payments import attach, fingerprint, hold

_BY_HAND_WITHIN = timedelta(days=5)  # what a person enters and what the bank says may differ so much
_WORDS = {
    Problem.TOO_BIG: gettext_lazy("the file is too big"),
    Problem.NOT_A_STATEMENT: gettext_lazy("this is no file of the 1CClientBankExchange format"),
    Problem.NOT_UNDERSTOOD: gettext_lazy("this line is not understood"),
    Problem.CUT_OFF: gettext_lazy("the file is cut off: its last line КонецФайла is missing"),
    Problem.NOT_CLOSED: gettext_lazy("a section begins here and does not end"),
    Problem.NOT_OPENED: gettext_lazy("a section ends here that did not begin"),
    Problem.SAID_TWICE: gettext_lazy("this is said twice, differently"),
    Problem.MISSING: gettext_lazy("this document lacks"),
    Problem.BAD_DAY: gettext_lazy("this is no date like 31.12.2026"),
    Problem.BAD_AMOUNT: gettext_lazy("this is no amount like 1500.00"),
    Problem.AFTER_THE_END: gettext_lazy("something stands after the file's end"),
}


def import_statement(*, who: Who, file_name: str, data: bytes) -> BankStatement:
    """The statement with its counts; of a file that was here already the one made then. Raises BadTerms.

    ``known``: transfers another file had brought. Outgoing transfers are counted and not kept.
    """
    digest = hashlib.sha256(data).hexdigest()
    read = _read(data)
    sellers = _sellers(read)
    with transaction.atomic():
        _one_at_a_time()
        before = BankStatement.objects.filter(digest=digest).first()
        if before is not None:
            return before
        statement = BankStatement.objects.create(
            seller=next(iter(sellers.values())) if len(set(sellers.values())) == 1 else None,
            file_name=plain(file_name, 200) or "—", digest=digest, account=", ".join(sellers)[:20],
            begins_on=read.begins_on, ends_on=read.ends_on, documents=len(read.documents), imported_by=who.name,
        )  # fmt: skip
        incoming = [one for one in read.documents if one.payee_account in sellers]
        made = _kept(statement, incoming, sellers, who)
        statement.incoming, statement.known = len(incoming), len(incoming) - len(made)
        statement.matched = _match(who, made)
        statement.save(update_fields=["incoming", "known", "matched"])
        counts = {name: getattr(statement, name) for name in ("documents", "incoming", "matched", "known")}
        acts.record(who=who, verb="payment.import", what=statement.file_name, details=counts)
    return statement


def _read(data: bytes) -> bank.Statement:
    try:
        return bank.read(data)
    except BadStatement as error:
        said = _WORDS[error.problem] + (f": {error.what}" if error.what else "")
        raise BadTerms(
            _("Line %(line)d: %(what)s. Nothing was taken in.") % {"line": error.line, "what": said}
        ) from error


def _sellers(read: bank.Statement) -> dict[str, Seller]:
    """Whose accounts the file is about. Raises BadTerms for strangers': a wrong file would look like debts paid."""
    if not read.accounts:
        raise BadTerms(_("The file does not say whose account it is of (РасчСчет). Nothing was taken in."))
    found = {row.account: row for row in Seller.objects.filter(account__in=read.accounts)}
    strangers = [account for account in read.accounts if account not in found]
    if strangers:
        raise BadTerms(
            _(
                "No seller has the account %(account)s. Enter it in the settings, or take the other bank's file."
            )
            % {"account": strangers[0]}
        )
    return found


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('billing.statement'))")


def _marked(documents: list[Document]) -> Iterator[tuple[Document, str]]:
    """Each with its fingerprint. Where the bank says neither number nor account, equal ones are told apart by order."""
    seen: Counter[str] = Counter()
    for one in documents:
        parts = [one.dated.isoformat(), one.number.lstrip("0"), f"{one.amount:.2f}", one.payer_account]
        if not one.number or not one.payer_account:
            parts += [one.payer_inn, one.purpose]
            mark = fingerprint(*parts)
            seen[mark] += 1
            parts.append(str(seen[mark]))
        yield one, fingerprint(*parts)


def _kept(
    statement: BankStatement, documents: list[Document], sellers: dict[str, Seller], who: Who
) -> list[tuple[Payment, Seller]]:
    """The transfers no file has brought before, and whose bank each came to."""
    marked = {mark: document for document, mark in _marked(documents)}
    known = set(Payment.objects.filter(fingerprint__in=marked).values_list("fingerprint", flat=True))
    fresh = {mark: document for mark, document in marked.items() if mark not in known}
    rows = Payment.objects.bulk_create(
        _payment(statement, document, mark, sellers, who) for mark, document in fresh.items()
    )
    return [
        (row, sellers[document.payee_account]) for row, document in zip(rows, fresh.values(), strict=True)
    ]


def _payment(
    statement: BankStatement, document: Document, mark: str, sellers: dict[str, Seller], who: Who
) -> Payment:
    own = document.payer_account in sellers
    return Payment(
        statement=statement, amount=document.amount, paid_on=document.paid_on, document=document.number,
        payer_name=document.payer_name, payer_inn=document.payer_inn, payer_account=document.payer_account,
        purpose=document.purpose, fingerprint=mark, made_by=who.name,
        state=PaymentState.IGNORED if own else PaymentState.UNMATCHED, why=Why.OWN if own else "",
    )  # fmt: skip


def _match(who: Who, made: list[tuple[Payment, Seller]]) -> int:
    """How many found their invoice. Companies are held in one order: another import may want the same ones."""
    waiting = [
        (payment, seller, fit(payment, seller))
        for payment, seller in made
        if payment.state == PaymentState.UNMATCHED
    ]
    found = {one.invoice.company for _payment, _seller, one in waiting if one.invoice is not None}
    for company in sorted(found, key=lambda company: company.pk):
        hold(company)
    left = []
    for payment, seller, before in waiting:
        # What names no invoice of its payer's names none now; of the others money may have moved meanwhile.
        now = before if before.why in (Why.NO_NUMBER, Why.OTHER_INN) else fit(payment, seller)
        if now.invoice is not None and now.invoice.company in found and not _is_by_hand(payment):
            attach(who=who, payment=payment, company=now.invoice.company, first=now.invoice, how="statement")
        else:
            payment.why = Why.BY_HAND if now.invoice is not None else now.why or ""
            left.append(payment)
    Payment.objects.bulk_update(left, ["why"], batch_size=500)
    return len(waiting) - len(left)


def _is_by_hand(payment: Payment) -> bool:
    """Whether a person has entered what looks like the same money: counted twice, it would pay two months."""
    alike = Payment.objects.filter(
        Q(document=payment.document) | Q(document=payment.document.lstrip("0")) | Q(document=""),
        statement=None, state=PaymentState.MATCHED, amount=payment.amount,
        company__account__inn=payment.payer_inn,
        paid_on__range=(payment.paid_on - _BY_HAND_WITHIN, payment.paid_on + _BY_HAND_WITHIN),
    )  # fmt: skip
    return alike.exists()
