"""What triggers of 0002 left open: a stale snapshot, a plan turned into another, traces of a void or of money."""

from __future__ import annotations

from django.db import migrations

KEEP = """
-- A trigger looks with its transaction's snapshot, which may be old (REPEATABLE READ); a constraint does not.
-- The range of one number stands in for equality, which needs no extension.
ALTER TABLE public.billing_subscription ADD CONSTRAINT one_subscription_a_day EXCLUDE USING gist
    (int8range(company_id, company_id, '[]') WITH &&, daterange(starts_on, ends_on) WITH &&);
ALTER TABLE public.billing_phase ADD CONSTRAINT one_phase_a_day EXCLUDE USING gist
    (int8range(subscription_id, subscription_id, '[]') WITH &&, daterange(starts_on, ends_on) WITH &&);

-- Sums of other rows cannot be a constraint: who decides by them must see all there is by now.
CREATE FUNCTION public.billing_sees_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') = 'repeatable read' THEN
        RAISE EXCEPTION 'Money is not spent by an old snapshot: READ COMMITTED or SERIALIZABLE is wanted.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER allocation_sees_all BEFORE INSERT ON public.billing_allocation
    FOR EACH ROW EXECUTE FUNCTION public.billing_sees_all();
CREATE TRIGGER credit_note_sees_all BEFORE INSERT ON public.billing_creditnote
    FOR EACH ROW EXECUTE FUNCTION public.billing_sees_all();
CREATE TRIGGER invoice_sees_all BEFORE UPDATE ON public.billing_invoice
    FOR EACH ROW WHEN (OLD.state = 'draft' AND NEW.state = 'finalised') EXECUTE FUNCTION public.billing_sees_all();

-- Versions were written for their plan's model and are told by its code; its names are free.
CREATE FUNCTION public.billing_plan_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.model, NEW.code) IS DISTINCT FROM (OLD.id, OLD.model, OLD.code)
        AND EXISTS (SELECT FROM public.billing_planversion WHERE plan_id = OLD.id) THEN
        RAISE EXCEPTION 'A plan with prices keeps its model and its code.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER plan_kept BEFORE UPDATE ON public.billing_plan
    FOR EACH ROW EXECUTE FUNCTION public.billing_plan_kept();

CREATE FUNCTION public.billing_void_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.voided_at, NEW.void_reason, NEW.paid_at) IS DISTINCT FROM (OLD.voided_at, OLD.void_reason, OLD.paid_at) THEN
        RAISE EXCEPTION 'When and why an invoice was made void stays.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoice_void_kept BEFORE UPDATE ON public.billing_invoice
    FOR EACH ROW WHEN (OLD.state = 'void') EXECUTE FUNCTION public.billing_void_kept();

CREATE FUNCTION public.billing_payment_used() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM public.billing_allocation WHERE payment_id = OLD.id) THEN
        RAISE EXCEPTION 'This payment pays invoices: take it off them first.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payment_used BEFORE UPDATE ON public.billing_payment
    FOR EACH ROW WHEN (NEW.state <> 'matched') EXECUTE FUNCTION public.billing_payment_used();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_kept")]

    operations = [migrations.RunSQL(KEEP, migrations.RunSQL.noop)]
