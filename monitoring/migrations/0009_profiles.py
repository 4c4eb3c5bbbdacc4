import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import monitoring.models.text
from django.conf import settings
from django.db import migrations, models


KEEP_ACTIVITY = """
CREATE FUNCTION profile_activity_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'What a profile was on for is kept.' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.ended IS NOT NULL OR NEW.id <> OLD.id OR NEW.profile_id <> OLD.profile_id
        OR NEW.started <> OLD.started OR NEW.by_on_id IS DISTINCT FROM OLD.by_on_id
    THEN
        RAISE EXCEPTION 'What a profile was on for is not rewritten.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER profile_activity_stays BEFORE UPDATE OR DELETE ON monitoring_profileactivity
    FOR EACH ROW EXECUTE FUNCTION profile_activity_stays();
"""
LET_ACTIVITY_GO = """
DROP TRIGGER profile_activity_stays ON monitoring_profileactivity;
DROP FUNCTION profile_activity_stays();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0008_reports'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='norm',
            options={'ordering': ['metric', 'scope', 'scope_id'], 'verbose_name': 'norm', 'verbose_name_plural': 'norms'},
        ),
        migrations.AddField(
            model_name='norm',
            name='hold',
            field=models.PositiveIntegerField(default=60, validators=[django.core.validators.MaxValueValidator(86400)], verbose_name='or better for, s'),
        ),
        migrations.AddField(
            model_name='norm',
            name='margin',
            field=models.FloatField(blank=True, default=None, null=True, verbose_name='over when better by'),
        ),
        migrations.AddField(
            model_name='norm',
            name='scope',
            field=models.CharField(choices=[('company', 'company'), ('group', 'group'), ('queue', 'queue'), ('profile', 'monitoring profile')], default='company', max_length=8),
        ),
        migrations.AddField(
            model_name='norm',
            name='scope_id',
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='norm',
            name='metric',
            field=models.CharField(max_length=40, verbose_name='metric'),
        ),
        migrations.AddConstraint(
            model_name='norm',
            constraint=models.UniqueConstraint(fields=('metric', 'scope', 'scope_id'), name='norm_once'),
        ),
        migrations.AddConstraint(
            model_name='norm',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('scope', 'company'), ('scope_id', 0)), models.Q(models.Q(('scope', 'company'), _negated=True), ('scope_id__gt', 0)), _connector='OR'), name='norm_scope_whole'),
        ),
        migrations.CreateModel(
            name='Alert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('metric', models.CharField(max_length=40, verbose_name='metric')),
                ('scope', models.CharField(choices=[('company', 'company'), ('group', 'group'), ('queue', 'queue'), ('profile', 'monitoring profile')], max_length=8)),
                ('scope_id', models.PositiveBigIntegerField(default=0)),
                ('scope_title', models.CharField(blank=True, max_length=80)),
                ('groups', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), default=list, size=None)),
                ('level', models.CharField(choices=[('good', 'within the norm'), ('warn', 'warning'), ('alarm', 'alarm')], max_length=5, verbose_name='level')),
                ('worst_level', models.CharField(choices=[('good', 'within the norm'), ('warn', 'warning'), ('alarm', 'alarm')], max_length=5)),
                ('limit', models.FloatField(null=True)),
                ('value', models.FloatField(null=True)),
                ('worst', models.FloatField(null=True)),
                ('points', models.JSONField(default=list)),
                ('began', models.DateTimeField()),
                ('ended', models.DateTimeField(blank=True, null=True)),
                ('easing_since', models.DateTimeField(blank=True, null=True)),
                ('seen_at', models.DateTimeField(blank=True, null=True)),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('seen_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'alert',
                'verbose_name_plural': 'alerts',
                'ordering': ['-began', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='AlertLetter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('level', models.CharField(choices=[('good', 'within the norm'), ('warn', 'warning'), ('alarm', 'alarm')], max_length=5)),
                ('at', models.DateTimeField()),
                ('alert', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='letters', to='monitoring.alert')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'letter about an alert',
                'verbose_name_plural': 'letters about alerts',
            },
        ),
        migrations.CreateModel(
            name='AlertRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('letters', models.CharField(choices=[('never', 'never'), ('alarm', 'about alarms'), ('warn', 'about warnings and alarms')], default='never', max_length=5, verbose_name='letters')),
                ('quiet_from', models.TimeField(blank=True, null=True, verbose_name='quiet from')),
                ('quiet_until', models.TimeField(blank=True, null=True, verbose_name='until')),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'alert rule',
                'verbose_name_plural': 'alert rules',
            },
        ),
        migrations.CreateModel(
            name='AlertWatch',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('looked_at', models.DateTimeField(null=True)),
                ('blind_since', models.DateTimeField(null=True)),
                ('cause', models.CharField(blank=True, default='', max_length=20)),
            ],
            options={
                'verbose_name': 'watch over norms',
                'verbose_name_plural': 'watch over norms',
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='one_alert_watch')],
            },
        ),
        migrations.CreateModel(
            name='Profile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('archived_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('title', models.CharField(max_length=80, validators=[monitoring.models.text.one_visible_line], verbose_name='title')),
                ('tiles', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), default=list, size=None)),
                ('columns', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, size=None)),
                ('for_supervisors', models.BooleanField(default=False, verbose_name='every supervisor')),
                ('groups', models.ManyToManyField(blank=True, related_name='+', to='monitoring.group', verbose_name='groups')),
                ('lines', models.ManyToManyField(blank=True, related_name='+', to='monitoring.line', verbose_name='lines')),
                ('maker', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('managers', models.ManyToManyField(blank=True, related_name='+', to='monitoring.manager', verbose_name='managers')),
                ('people', models.ManyToManyField(blank=True, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='these people')),
                ('queues', models.ManyToManyField(blank=True, related_name='+', to='monitoring.queue', verbose_name='queues')),
            ],
            options={
                'verbose_name': 'monitoring profile',
                'verbose_name_plural': 'monitoring profiles',
                'ordering': ['title', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='ProfileActivity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('started', models.DateTimeField()),
                ('ended', models.DateTimeField(blank=True, null=True)),
                ('by_off', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('by_on', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('profile', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='activity', to='monitoring.profile')),
            ],
            options={
                'verbose_name': 'time a profile was on',
                'verbose_name_plural': 'times profiles were on',
                'ordering': ['started', 'pk'],
            },
        ),
        migrations.AddIndex(
            model_name='alert',
            index=models.Index(fields=['began'], name='alert_by_time'),
        ),
        migrations.AddConstraint(
            model_name='alert',
            constraint=models.UniqueConstraint(condition=models.Q(('ended__isnull', True)), fields=('metric', 'scope', 'scope_id'), name='alert_open_once'),
        ),
        migrations.AddConstraint(
            model_name='alertletter',
            constraint=models.UniqueConstraint(fields=('alert', 'level', 'user'), name='alert_letter_once'),
        ),
        migrations.AddIndex(
            model_name='profileactivity',
            index=models.Index(fields=['started'], name='profile_time'),
        ),
        migrations.AddConstraint(
            model_name='profileactivity',
            constraint=models.UniqueConstraint(condition=models.Q(('ended__isnull', True)), fields=('profile',), name='profile_on_once'),
        ),
        migrations.AddConstraint(
            model_name='profileactivity',
            constraint=models.CheckConstraint(condition=models.Q(('ended__isnull', True), ('ended__gt', models.F('started')), _connector='OR'), name='profile_time_forward'),
        ),
        migrations.RunSQL(KEEP_ACTIVITY, LET_ACTIVITY_GO),
    ]
