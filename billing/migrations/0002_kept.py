"""What must not change is kept from changing by the database itself: whoever asks, by whatever way."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from django.db import migrations

# Functions name the schema: a company's scope has its own first in the search path.
KEEP = """
CREATE FUNCTION public.billing_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END $$;

-- Plans and rates --------------------------------------------------------------------------------
CREATE FUNCTION public.billing_dated_goes_unused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.starts_on <= current_date THEN
        RAISE EXCEPTION 'What has been in force stays.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER plan_version_stays BEFORE UPDATE ON public.billing_planversion
    FOR EACH ROW EXECUTE FUNCTION public.billing_refuse('A plan version never changes: make a new one.');
CREATE TRIGGER plan_version_kept BEFORE DELETE ON public.billing_planversion
    FOR EACH ROW EXECUTE FUNCTION public.billing_dated_goes_unused();
CREATE TRIGGER vat_rate_stays BEFORE UPDATE ON public.billing_vatrate
    FOR EACH ROW EXECUTE FUNCTION public.billing_refuse('A VAT rate never changes: make a new one.');
CREATE TRIGGER vat_rate_kept BEFORE DELETE ON public.billing_vatrate
    FOR EACH ROW EXECUTE FUNCTION public.billing_dated_goes_unused();

-- Subscriptions ----------------------------------------------------------------------------------
CREATE FUNCTION public.billing_subscription_kept() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE billed date;
BEGIN
    -- Two who write for one company wait for each other here; the lock goes with the transaction.
    PERFORM pg_advisory_xact_lock(hashtext('billing.subscription'), NEW.company_id::int);
    IF TG_OP = 'UPDATE' THEN
        IF NEW.company_id <> OLD.company_id OR NEW.seller_id <> OLD.seller_id
            OR NEW.time_zone <> OLD.time_zone OR NEW.starts_on <> OLD.starts_on THEN
            RAISE EXCEPTION 'Company, seller, time zone and start of a subscription are frozen.'
                USING ERRCODE = 'restrict_violation';
        END IF;
        SELECT max(period_end) INTO billed FROM public.billing_invoice
            WHERE subscription_id = OLD.id AND state IN ('finalised', 'paid');
        IF NEW.ends_on IS DISTINCT FROM OLD.ends_on AND billed > least(NEW.ends_on, OLD.ends_on) THEN
            RAISE EXCEPTION 'Days until % are invoiced.', billed USING ERRCODE = 'restrict_violation';
        END IF;
    END IF;
    IF EXISTS (
        SELECT FROM public.billing_subscription s WHERE s.company_id = NEW.company_id AND s.id <> NEW.id
            AND daterange(s.starts_on, s.ends_on) && daterange(NEW.starts_on, NEW.ends_on)
    ) THEN
        RAISE EXCEPTION 'The company has a subscription on some of these days.'
            USING ERRCODE = 'exclusion_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER subscription_kept BEFORE INSERT OR UPDATE ON public.billing_subscription
    FOR EACH ROW EXECUTE FUNCTION public.billing_subscription_kept();
CREATE TRIGGER subscription_stays BEFORE DELETE ON public.billing_subscription
    FOR EACH ROW EXECUTE FUNCTION public.billing_refuse('A subscription ends, it is not deleted.');

CREATE FUNCTION public.billing_phase_kept() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_subscription bigint := CASE WHEN TG_OP = 'DELETE' THEN OLD.subscription_id ELSE NEW.subscription_id END;
    billed date;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('billing.phase'), of_subscription::int);
    SELECT max(period_end) INTO billed FROM public.billing_invoice
        WHERE subscription_id = of_subscription AND state IN ('finalised', 'paid');
    IF TG_OP IN ('UPDATE', 'DELETE') AND billed > OLD.starts_on THEN
        -- Of a plan that is invoiced nothing changes but an end after the last invoiced day.
        IF TG_OP = 'DELETE' OR NEW.subscription_id <> OLD.subscription_id OR NEW.version_id <> OLD.version_id
            OR NEW.starts_on <> OLD.starts_on OR NEW.agreed_price IS DISTINCT FROM OLD.agreed_price
            OR (NEW.ends_on IS DISTINCT FROM OLD.ends_on AND billed > least(NEW.ends_on, OLD.ends_on)) THEN
            RAISE EXCEPTION 'Days until % are invoiced.', billed USING ERRCODE = 'restrict_violation';
        END IF;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF (TG_OP = 'INSERT' OR NEW.starts_on <> OLD.starts_on) AND billed > NEW.starts_on THEN
        RAISE EXCEPTION 'Days until % are invoiced.', billed USING ERRCODE = 'restrict_violation';
    END IF;
    IF EXISTS (
        SELECT FROM public.billing_phase p WHERE p.subscription_id = NEW.subscription_id AND p.id <> NEW.id
            AND daterange(p.starts_on, p.ends_on) && daterange(NEW.starts_on, NEW.ends_on)
    ) THEN
        RAISE EXCEPTION 'The subscription has a plan on some of these days.'
            USING ERRCODE = 'exclusion_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER phase_kept BEFORE INSERT OR UPDATE OR DELETE ON public.billing_phase
    FOR EACH ROW EXECUTE FUNCTION public.billing_phase_kept();

-- Invoices ---------------------------------------------------------------------------------------
CREATE FUNCTION public.billing_invoice_kept() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last integer;
    sums record;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.state NOT IN ('draft', 'needs_approval') THEN
            RAISE EXCEPTION 'An issued invoice is never deleted.' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN OLD;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state NOT IN ('draft', 'needs_approval') OR NEW.number IS NOT NULL THEN
            RAISE EXCEPTION 'An invoice begins as a draft.' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state IN ('draft', 'needs_approval') THEN
        IF NEW.state IN ('draft', 'needs_approval') THEN
            IF NEW.number IS NOT NULL THEN
                RAISE EXCEPTION 'A draft has no number.' USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END IF;
        IF NEW.state <> 'finalised' OR OLD.state <> 'draft' THEN
            RAISE EXCEPTION 'From % an invoice does not become %.', OLD.state, NEW.state
                USING ERRCODE = 'restrict_violation';
        END IF;
        -- One number after another: whoever finalises holds this lock until the transaction ends.
        PERFORM pg_advisory_xact_lock(hashtext('billing.invoice'), (NEW.seller_id * 10000 + NEW.year)::int);
        SELECT coalesce(max(number), 0) INTO last FROM public.billing_invoice
            WHERE seller_id = NEW.seller_id AND year = NEW.year;
        IF NEW.number IS DISTINCT FROM last + 1 THEN
            RAISE EXCEPTION 'The next number is %, not %.', last + 1, NEW.number
                USING ERRCODE = 'restrict_violation';
        END IF;
        SELECT coalesce(sum(amount), 0) AS total, coalesce(sum(vat), 0) AS vat,
               coalesce(bool_or(amount IS NULL), false) AS unpriced
            INTO sums FROM public.billing_invoiceline WHERE invoice_id = NEW.id;
        IF sums.unpriced OR sums.total <> NEW.total OR sums.vat <> NEW.vat THEN
            RAISE EXCEPTION 'The lines do not add up to the total.' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF NOT (NEW.state = OLD.state OR (OLD.state, NEW.state) IN
            (('finalised', 'paid'), ('paid', 'finalised'), ('finalised', 'void'))) THEN
        RAISE EXCEPTION 'From % an invoice does not become %.', OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation';
    END IF;
    -- All the rest of an issued invoice stays, except that a run may be tidied away.
    IF (to_jsonb(NEW) - '{state,paid_at,voided_at,void_reason,run_id}'::text[])
        <> (to_jsonb(OLD) - '{state,paid_at,voided_at,void_reason,run_id}'::text[])
        OR (NEW.run_id IS NOT NULL AND NEW.run_id IS DISTINCT FROM OLD.run_id)
        OR (OLD.state = 'void' AND NEW.void_reason <> OLD.void_reason) THEN
        RAISE EXCEPTION 'An issued invoice does not change.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoice_kept BEFORE INSERT OR UPDATE OR DELETE ON public.billing_invoice
    FOR EACH ROW EXECUTE FUNCTION public.billing_invoice_kept();

CREATE FUNCTION public.billing_part_kept() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    found text;
    ids bigint[] := CASE TG_OP WHEN 'INSERT' THEN ARRAY[NEW.invoice_id] WHEN 'DELETE' THEN ARRAY[OLD.invoice_id]
                    ELSE ARRAY[OLD.invoice_id, NEW.invoice_id] END;
BEGIN
    -- Locked, so that a finalisation at this very moment waits or is waited for.
    FOR found IN SELECT state FROM public.billing_invoice WHERE id = ANY(ids) FOR SHARE LOOP
        IF found NOT IN ('draft', 'needs_approval') THEN
            RAISE EXCEPTION 'What an issued invoice says does not change.' USING ERRCODE = 'restrict_violation';
        END IF;
    END LOOP;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoice_line_kept BEFORE INSERT OR UPDATE OR DELETE ON public.billing_invoiceline
    FOR EACH ROW EXECUTE FUNCTION public.billing_part_kept();
CREATE TRIGGER usage_record_kept BEFORE INSERT OR UPDATE OR DELETE ON public.billing_usagerecord
    FOR EACH ROW EXECUTE FUNCTION public.billing_part_kept();

CREATE FUNCTION public.billing_credit_kept() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last integer;
    owner record;
    credited numeric;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('billing.credit'), (NEW.seller_id * 10000 + NEW.year)::int);
    SELECT coalesce(max(number), 0) INTO last FROM public.billing_creditnote
        WHERE seller_id = NEW.seller_id AND year = NEW.year;
    IF NEW.number IS DISTINCT FROM last + 1 THEN
        RAISE EXCEPTION 'The next number is %, not %.', last + 1, NEW.number USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT state, total, company_id, seller_id INTO owner FROM public.billing_invoice
        WHERE id = NEW.invoice_id FOR UPDATE;
    IF owner.state NOT IN ('finalised', 'paid') OR owner.company_id <> NEW.company_id
        OR owner.seller_id <> NEW.seller_id THEN
        RAISE EXCEPTION 'Only an issued invoice of this company is credited.' USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT coalesce(sum(amount), 0) INTO credited FROM public.billing_creditnote WHERE invoice_id = NEW.invoice_id;
    IF credited + NEW.amount > owner.total THEN
        RAISE EXCEPTION 'More than the invoice was for is not given back.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER credit_note_kept BEFORE INSERT ON public.billing_creditnote
    FOR EACH ROW EXECUTE FUNCTION public.billing_credit_kept();
CREATE TRIGGER credit_note_stays BEFORE UPDATE OR DELETE ON public.billing_creditnote
    FOR EACH ROW EXECUTE FUNCTION public.billing_refuse('A credit note does not change.');

-- Payments ---------------------------------------------------------------------------------------
CREATE FUNCTION public.billing_payment_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - '{company_id,state,why}'::text[]) <> (to_jsonb(OLD) - '{company_id,state,why}'::text[]) THEN
        RAISE EXCEPTION 'What the bank told does not change.' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.company_id IS DISTINCT FROM OLD.company_id
        AND EXISTS (SELECT FROM public.billing_allocation WHERE payment_id = OLD.id) THEN
        RAISE EXCEPTION 'This payment pays invoices: take it off them first.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payment_kept BEFORE UPDATE ON public.billing_payment
    FOR EACH ROW EXECUTE FUNCTION public.billing_payment_kept();
CREATE TRIGGER payment_stays BEFORE DELETE ON public.billing_payment
    FOR EACH ROW EXECUTE FUNCTION public.billing_refuse('A payment is never deleted.');

CREATE FUNCTION public.billing_allocation_kept() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    money record;
    owed record;
    used numeric;
BEGIN
    SELECT amount, company_id, state INTO money FROM public.billing_payment WHERE id = NEW.payment_id FOR UPDATE;
    SELECT total, company_id, state INTO owed FROM public.billing_invoice WHERE id = NEW.invoice_id FOR UPDATE;
    IF money.company_id IS DISTINCT FROM owed.company_id OR money.state <> 'matched' THEN
        RAISE EXCEPTION 'A payment pays invoices of its own company.' USING ERRCODE = 'restrict_violation';
    END IF;
    IF owed.state NOT IN ('finalised', 'paid') THEN
        RAISE EXCEPTION 'Only an issued invoice is paid.' USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT coalesce(sum(amount), 0) INTO used FROM public.billing_allocation WHERE payment_id = NEW.payment_id;
    IF used + NEW.amount > money.amount THEN
        RAISE EXCEPTION 'The payment has no so much left.' USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT coalesce(sum(amount), 0) INTO used FROM public.billing_allocation WHERE invoice_id = NEW.invoice_id;
    used := used + coalesce(
        (SELECT sum(amount) FROM public.billing_creditnote WHERE invoice_id = NEW.invoice_id), 0);
    IF used + NEW.amount > owed.total THEN
        RAISE EXCEPTION 'The invoice is not owed so much.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER allocation_kept BEFORE INSERT ON public.billing_allocation
    FOR EACH ROW EXECUTE FUNCTION public.billing_allocation_kept();
CREATE TRIGGER allocation_stays BEFORE UPDATE ON public.billing_allocation
    FOR EACH ROW EXECUTE FUNCTION public.billing_refuse('Take the payment off and put it on again.');

-- The audit --------------------------------------------------------------------------------------
CREATE TRIGGER act_stays BEFORE UPDATE OR DELETE ON public.billing_act
    FOR EACH ROW EXECUTE FUNCTION public.billing_refuse('What was done stays written.');
"""
EMPTIED = "".join(
    f"CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON public.billing_{table} FOR EACH STATEMENT"
    " EXECUTE FUNCTION public.billing_refuse('Money''s rows are not emptied away.');\n"
    for table in (
        "planversion", "vatrate", "subscription", "phase", "invoice", "invoiceline", "usagerecord", "creditnote",
        "payment", "allocation", "act",
    )
)  # fmt: skip


def first_tariffs(apps, schema_editor):
    data = json.loads((Path(__file__).parents[1] / "data" / "tariffs.json").read_text("utf-8"))
    for rate in data["vat"]:
        apps.get_model("billing", "VatRate").objects.create(starts_on=date.fromisoformat(rate["from"]), percent=rate["percent"])
    for plan in data["plans"]:
        row = apps.get_model("billing", "Plan").objects.create(
            code=plan["code"], model=plan["model"], name_ru=plan["names"]["ru"], name_en=plan["names"]["en"]
        )
        for version in plan["versions"]:
            apps.get_model("billing", "PlanVersion").objects.create(
                plan=row, starts_on=date.fromisoformat(version["from"]), terms=version["terms"], made_by=""
            )


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_tables")]

    operations = [
        migrations.RunPython(first_tariffs, migrations.RunPython.noop, elidable=False),
        migrations.RunSQL(KEEP + EMPTIED, migrations.RunSQL.noop),
    ]
