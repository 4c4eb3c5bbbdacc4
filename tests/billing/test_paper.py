"""What the papers say, read back from the PDF, and how they look when printed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO

import pypdfium2
import pytest
from pypdf import PdfReader

from billing.domain.crediting import RateShare, divided
from billing.models import Account, Seller
from billing.services import paper
from billing.services.acts import Who
from billing.services.credits import credit
from billing.services.invoices import finalise, void
from billing.services.words_ru import in_words
from tenants.models import Company
from tests.factories.money import account, subscribe
from tests.factories.papers import draft, unpriced

WHO = Who("Бухгалтер", "platform")
JULY = date(2026, 7, 4)


def said(pdf: bytes) -> str:
    """The text of all pages, its spaces made plain."""
    pages = [page.extract_text() for page in PdfReader(BytesIO(pdf)).pages]
    return " ".join(" ".join(pages).replace("\u00a0", " ").split())


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "Ноль рублей 00 копеек"),
        ("1", "Один рубль 00 копеек"),
        ("2.02", "Два рубля 02 копейки"),
        ("5.05", "Пять рублей 05 копеек"),
        ("11.11", "Одиннадцать рублей 11 копеек"),
        ("21.21", "Двадцать один рубль 21 копейка"),
        ("112.12", "Сто двенадцать рублей 12 копеек"),
        ("1000", "Одна тысяча рублей 00 копеек"),
        ("1250.50", "Одна тысяча двести пятьдесят рублей 50 копеек"),
        ("2002", "Две тысячи два рубля 00 копеек"),
        ("5000000.01", "Пять миллионов рублей 01 копейка"),
    ],
)
def test_an_amount_in_words_has_the_right_forms(amount: str, words: str) -> None:
    assert in_words(Decimal(amount)) == words


def test_nothing_below_zero_is_said_in_words() -> None:
    with pytest.raises(ValueError, match="negative"):
        in_words(Decimal("-0.01"))


@pytest.mark.django_db
def test_an_invoice_says_all_a_payer_needs(alpha: Company) -> None:
    row = finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)
    text = said(paper.invoice_pdf(row))
    for part in (
        "Счёт на оплату № СЧ-2026/000001 от 04.07.2026", "ООО «Связь», ИНН 7736050003, КПП 773601001",
        "ООО «Альфа», ИНН 7707083893, КПП 770701001", "БИК 044525225", "40702810900000000001",
        "30101810400000000225", "с 01.06.2026 по 30.06.2026", "Одновременные звонки: 1–5", "1 500,00",
        "В том числе НДС 22 %: 270,49", "Всего к оплате: 1 500,00", "Одна тысяча пятьсот рублей 00 копеек",
        "Оплатить не позднее 14.07.2026", "Иванов И. И.", "Петрова А. А.", "Лист 1 из 1",
    ):  # fmt: skip
        assert part in text
    assert "ЧЕРНОВИК" not in text


@pytest.mark.django_db
def test_an_act_is_dated_by_the_last_day_of_its_month(alpha: Company) -> None:
    text = said(paper.act_pdf(finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)))
    assert "Акт об оказании услуг № СЧ-2026/000001 от 30.06.2026" in text
    assert "Основание Счёт на оплату № СЧ-2026/000001 от 04.07.2026" in text
    assert "Исполнитель" in text
    assert "Заказчик" in text
    assert "претензий по объёму, качеству и срокам оказания услуг не имеет" in text


@pytest.mark.django_db
def test_several_rates_and_none_are_each_on_a_line(alpha: Company) -> None:
    rows = [("1500.00", "22"), ("300.00", "20"), ("100.00", "")]
    text = said(paper.invoice_pdf(finalise(who=WHO, invoice=draft(subscribe(alpha), rows=rows), today=JULY)))
    for part in (
        "НДС 22 %: 270,49",
        "НДС 20 %: 50,00",
        "Без НДС на сумму 100,00",
        "Всего к оплате: 1 900,00",
    ):
        assert part in text


@pytest.mark.django_db
def test_a_seller_without_vat_says_so(alpha: Company) -> None:
    row = finalise(who=WHO, invoice=draft(subscribe(alpha), rows=[("1500.00", "")]), today=JULY)
    text = said(paper.invoice_pdf(row))
    assert "Без налога (НДС)" in text
    assert "В том числе" not in text


@pytest.mark.django_db
def test_a_draft_has_no_number_and_says_that_it_is_one(alpha: Company) -> None:
    of = subscribe(alpha)
    for row in (draft(of), unpriced(of, date(2026, 5, 1))):
        for pdf in (paper.invoice_pdf(row), paper.act_pdf(row)):
            text = said(pdf)
            assert "ЧЕРНОВИК" in text
            assert "СЧ-" not in text
            assert "Оплатить не позднее" not in text


@pytest.mark.django_db
def test_a_voided_invoice_is_marked_and_stays_readable(alpha: Company) -> None:
    row = finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)
    text = said(paper.invoice_pdf(void(who=WHO, invoice=row, reason="Ошибка")))
    assert "АННУЛИРОВАН" in text
    assert "СЧ-2026/000001" in text


@pytest.mark.django_db
def test_a_credit_note_says_before_less_and_after(alpha: Company) -> None:
    row = finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)
    first = credit(who=WHO, invoice=row, amount=Decimal("500.00"), reason="Перерыв 12 июня", today=JULY)
    credit(who=WHO, invoice=row, amount=Decimal("1000.00"), reason="Ещё", today=JULY)
    text = said(paper.credit_pdf(first))
    for part in (
        "Корректировочный документ № КС-2026/000001 от 04.07.2026", "к счёту на оплату № СЧ-2026/000001",
        "Перерыв 12 июня", "до изменения 22 % 1 229,51 270,49 1 500,00", "Уменьшение 22 % 409,84 90,16 500,00",
        "после изменения 22 % 819,67 180,33 1 000,00", "Пятьсот рублей 00 копеек",
    ):  # fmt: skip
        assert part in text


@pytest.mark.django_db
def test_an_old_paper_is_the_same_to_the_byte_whatever_changes_since(alpha: Company) -> None:
    row = finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)
    note = credit(who=WHO, invoice=row, amount=Decimal("500.00"), reason="Перерыв", today=JULY)
    before = (paper.act_pdf(row), paper.credit_pdf(note))
    account(alpha, legal_name="ООО «Переименовано»")
    Seller.objects.update(legal_name="АО «Иначе»", bik="000000000")
    assert (paper.act_pdf(row), paper.credit_pdf(note)) == before


@pytest.mark.django_db
def test_long_names_wrap_many_lines_go_on_with_their_head_and_nothing_is_markup(alpha: Company) -> None:
    hostile = '<img src="file:///etc/passwd"><script>x</script>' + "Щ" * 130
    of = subscribe(alpha)
    account(alpha, legal_name=hostile)
    row = draft(of, rows=[("10.00", "22")] * 40, title=("Очень длинное наименование " * 3 + "Ы" * 150))
    reader = PdfReader(BytesIO(paper.invoice_pdf(row)))
    assert len(reader.pages) > 2
    heads = ["Наименование" in page.extract_text() for page in reader.pages[:-1]]
    assert all(heads)
    text = "".join("".join(page.extract_text() for page in reader.pages).split())
    assert "".join(hostile.split()) in text
    for page in reader.pages:
        width = float(page.mediabox.width)
        seen: list[float] = []

        def place(
            _text: object, whole: list[float], own: list[float], *_: object, to: list[float] = seen
        ) -> None:
            if not whole[1]:  # the mark of a draft runs aslant
                to.append(whole[0] * own[4] + whole[4])

        page.extract_text(visitor_text=place)
        assert max(seen) < width - 20


@pytest.mark.django_db
def test_a_printed_invoice_is_no_blank_page(alpha: Company) -> None:
    row = finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)
    document = pypdfium2.PdfDocument(paper.invoice_pdf(row))
    try:
        page = document[0]
        bitmap = page.render(scale=1, grayscale=True)
        picture = bitmap.to_pil()
        dark = sum(picture.histogram()[:128])
        bitmap.close()
        page.close()
    finally:
        document.close()
    assert 0.005 < dark / (picture.width * picture.height) < 0.2


@pytest.mark.django_db
def test_further_profiles_are_counted_where_the_sum_divides(alpha: Company) -> None:
    row = draft(subscribe(alpha, "per_profile"), rows=[("1000.00", "22"), ("750.00", "22"), ("100.00", "22")])
    lines = list(row.lines.order_by("position"))
    for line in lines[1:]:
        line.kind, line.quantity, line.unit_price = "further_profiles", 3, Decimal("250.00")
        line.save()
    text = said(paper.invoice_pdf(row))
    assert "3 шт. 250,00 750,00" in text
    assert "1 усл. 100,00 100,00" in text


def test_money_given_back_divides_over_rates_to_the_kopeck() -> None:
    whole = [
        RateShare(Decimal(22), Decimal("0.02"), Decimal("0.00")),
        RateShare(Decimal(20), Decimal("0.01"), Decimal("0.00")),
    ]
    parts = divided(whole, Decimal("0.02"))
    assert sum(part.amount for part in parts) == Decimal("0.02")
    with pytest.raises(ValueError, match="cannot be given back"):
        divided(whole, Decimal("0.04"))


@pytest.mark.django_db
def test_a_company_without_details_still_sees_its_draft(beta: Company) -> None:
    row = draft(subscribe(beta))
    Account.objects.filter(company=beta).delete()
    assert "Бета" in said(paper.invoice_pdf(row))
    assert row.drafted_at < datetime(2027, 1, 1, tzinfo=UTC)
