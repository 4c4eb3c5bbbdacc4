"""Sums of the past, and marks of what in them is stale. Statuses and lost calls mark by trigger, for rows of theirs
are written in several places and change long after; stored facts are marked by ``services.rollups``.
"""

import django.contrib.postgres.fields
from django.db import migrations, models

# Every half-hour of [begin, until) that has begun by now; an unknown end is now. Nobody is in one status for 400 days:
# a row that says so has a broken clock, and one INSERT must not write a million marks.
MARK = """
CREATE FUNCTION mark_stale(begin_at timestamptz, until_at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO monitoring_stale (grain, at)
  SELECT 'h', generate_series(
    date_bin('30 minutes', greatest(begin_at, least(coalesce(until_at, now()), now()) - interval '400 days'), 'epoch'),
    least(coalesce(until_at, now()), now()), interval '30 minutes');
END $$
"""
STATUS_MADE = """
CREATE FUNCTION stale_by_made_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO monitoring_stale (grain, at)
  SELECT DISTINCT 'h', h.at FROM made i CROSS JOIN LATERAL generate_series(
    date_bin('30 minutes', greatest(i.started, least(coalesce(i.ended, now()), now()) - interval '400 days'), 'epoch'),
    least(coalesce(i.ended, now()), now()), interval '30 minutes') h (at);
  RETURN NULL;
END $$
"""
STATUS_CHANGED = """
CREATE FUNCTION stale_by_changed_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.status_id, OLD.started, OLD.groups) IS DISTINCT FROM (NEW.status_id, NEW.started, NEW.groups) THEN
    PERFORM mark_stale(least(OLD.started, NEW.started),
                       greatest(coalesce(OLD.ended, now()), coalesce(NEW.ended, now())));
  ELSE
    PERFORM mark_stale(least(OLD.ended, NEW.ended), greatest(coalesce(OLD.ended, now()), coalesce(NEW.ended, now())));
  END IF;
  RETURN NULL;
END $$
"""
LOST = """
CREATE FUNCTION stale_by_lost_call() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO monitoring_stale (grain, at) VALUES ('h', date_bin('30 minutes', NEW.lost_at, 'epoch'));
  IF TG_OP = 'UPDATE' AND OLD.lost_at <> NEW.lost_at THEN
    INSERT INTO monitoring_stale (grain, at) VALUES ('h', date_bin('30 minutes', OLD.lost_at, 'epoch'));
  END IF;
  RETURN NULL;
END $$
"""
ON_MADE_STATUS = """
CREATE TRIGGER stale_made AFTER INSERT ON monitoring_statusinterval
  REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION stale_by_made_status()
"""
ON_CHANGED_STATUS = """
CREATE TRIGGER stale_changed AFTER UPDATE ON monitoring_statusinterval
  FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION stale_by_changed_status()
"""
# Where retention has removed the rows, the sums are all that is left: nothing may count them anew from nothing. A call
# is counted when it ends, so the day in which the removal stops is left alone too.
SETTLED = """
CREATE FUNCTION sums_outlive_rows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  removed timestamptz;
BEGIN
  IF (SELECT min(at) FROM made) < now() - interval '1 day' THEN
    SELECT max(before) + interval '1 day' INTO removed FROM monitoring_cleaning WHERE kind = 'calls';
    DELETE FROM monitoring_stale s USING made m WHERE s.id = m.id AND m.at < removed;
  END IF;
  RETURN NULL;
END $$
"""
ON_MARKED = """
CREATE TRIGGER outlived AFTER INSERT ON monitoring_stale
  REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION sums_outlive_rows()
"""


class Migration(migrations.Migration):

    dependencies = [("monitoring", "0006_journal")]

    operations = [
        migrations.CreateModel(
            name='Built',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('until', models.DateTimeField(null=True)),
                ('days_until', models.DateTimeField(null=True)),
                ('zone', models.CharField(blank=True, max_length=64)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='one_built')],
            },
        ),
        migrations.CreateModel(
            name='CallSums',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('grain', models.CharField(choices=[('h', 'Half Hour'), ('d', 'Day')], max_length=1)),
                ('at', models.DateTimeField()),
                ('groups', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), default=list, size=None)),
                ('line', models.CharField(blank=True, max_length=80)),
                ('calls_in', models.IntegerField()),
                ('calls_in_answered', models.IntegerField()),
                ('calls_in_lost', models.IntegerField()),
                ('calls_out', models.IntegerField()),
                ('calls_out_answered', models.IntegerField()),
                ('calls_internal', models.IntegerField()),
            ],
            options={
                'indexes': [models.Index(fields=['grain', 'at'], name='call_sums_by_time')],
            },
        ),
        migrations.CreateModel(
            name='LegSums',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('grain', models.CharField(choices=[('h', 'Half Hour'), ('d', 'Day')], max_length=1)),
                ('at', models.DateTimeField()),
                ('groups', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), default=list, size=None)),
                ('manager_id', models.IntegerField(null=True)),
                ('queue_id', models.IntegerField(null=True)),
                ('rung', models.IntegerField()),
                ('handled_in', models.IntegerField()),
                ('handled_out', models.IntegerField()),
                ('missed', models.IntegerField()),
                ('outgoing', models.IntegerField()),
                ('talk_in', models.FloatField()),
                ('talk_out', models.FloatField()),
                ('hold', models.FloatField()),
                ('wrap_up', models.FloatField()),
            ],
            options={
                'indexes': [models.Index(fields=['grain', 'at'], name='leg_sums_by_time')],
            },
        ),
        migrations.CreateModel(
            name='LostSums',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('grain', models.CharField(choices=[('h', 'Half Hour'), ('d', 'Day')], max_length=1)),
                ('at', models.DateTimeField()),
                ('groups', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), default=list, size=None)),
                ('queue_id', models.IntegerField(null=True)),
                ('line', models.CharField(blank=True, max_length=80)),
                ('lost_calls', models.IntegerField()),
                ('called_back', models.IntegerField()),
                ('called_back_in_time', models.IntegerField()),
                ('lost_closed_by_person', models.IntegerField()),
                ('lost_open', models.IntegerField()),
            ],
            options={
                'indexes': [models.Index(fields=['grain', 'at'], name='lost_sums_by_time')],
            },
        ),
        migrations.CreateModel(
            name='PeopleSums',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('grain', models.CharField(choices=[('h', 'Half Hour'), ('d', 'Day')], max_length=1)),
                ('at', models.DateTimeField()),
                ('groups', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), default=list, size=None)),
                ('manager_id', models.IntegerField()),
                ('what', models.CharField(max_length=24)),
                ('seconds', models.FloatField()),
            ],
            options={
                'indexes': [models.Index(fields=['grain', 'at'], name='people_sums_by_time')],
            },
        ),
        migrations.CreateModel(
            name='Stale',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('grain', models.CharField(choices=[('h', 'Half Hour'), ('d', 'Day')], default='h', max_length=1)),
                ('at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['grain', 'at'], name='stale_by_time')],
            },
        ),
        migrations.CreateModel(
            name='VisitSums',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('grain', models.CharField(choices=[('h', 'Half Hour'), ('d', 'Day')], max_length=1)),
                ('at', models.DateTimeField()),
                ('groups', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), default=list, size=None)),
                ('queue_id', models.IntegerField(null=True)),
                ('line', models.CharField(blank=True, max_length=80)),
                ('offered', models.IntegerField()),
                ('answered', models.IntegerField()),
                ('answered_within', models.IntegerField()),
                ('abandoned', models.IntegerField()),
                ('short_abandoned', models.IntegerField()),
                ('flow_out', models.IntegerField()),
                ('wait_answered', models.FloatField()),
                ('wait_abandoned', models.FloatField()),
                ('wait_answered_bars', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
                ('wait_abandoned_bars', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
            ],
            options={
                'indexes': [models.Index(fields=['grain', 'at'], name='visit_sums_by_time')],
            },
        ),
        migrations.RunSQL(
            [MARK, STATUS_MADE, STATUS_CHANGED, LOST, SETTLED, ON_MADE_STATUS, ON_CHANGED_STATUS, ON_MARKED],
            [
                "DROP TRIGGER outlived ON monitoring_stale",
                "DROP FUNCTION sums_outlive_rows",
                "DROP TRIGGER stale_made ON monitoring_statusinterval",
                "DROP TRIGGER stale_changed ON monitoring_statusinterval",
                "DROP FUNCTION stale_by_made_status, stale_by_changed_status, stale_by_lost_call",
                "DROP FUNCTION mark_stale",
            ],
        ),
    ]
