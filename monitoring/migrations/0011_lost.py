import django.contrib.postgres.fields
import django.db.models.deletion
import monitoring.models.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0010_recordings'),
    ]

    operations = [
        migrations.CreateModel(
            name='Cleaning',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('calls', 'calls and statuses'), ('recordings', 'recordings'), ('events', 'audit and events')], max_length=12)),
                ('before', models.DateTimeField()),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('running', 'running'), ('done', 'finished'), ('failed', 'failed')], default='running', max_length=8)),
                ('total', models.PositiveBigIntegerField(default=0)),
                ('done', models.PositiveBigIntegerField(default=0)),
                ('started', models.DateTimeField()),
                ('moved', models.DateTimeField()),
                ('ended', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['-started', '-pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'running')), fields=('kind',), name='one_cleaning_of_a_kind')],
            },
        ),
        migrations.CreateModel(
            name='Erasure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(db_index=True, max_length=64)),
                ('customer', models.CharField(blank=True, default='', max_length=32)),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('running', 'running'), ('done', 'finished'), ('failed', 'failed')], default='waiting', max_length=8)),
                ('asked', models.DateTimeField()),
                ('who', models.CharField(max_length=120)),
                ('until', models.DateTimeField()),
                ('total', models.PositiveIntegerField(default=0)),
                ('done', models.PositiveIntegerField(default=0)),
                ('removed', models.JSONField(default=dict)),
                ('ended', models.DateTimeField(null=True)),
                ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-asked', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='LostCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('call_key', models.CharField(max_length=120)),
                ('case_key', models.CharField(max_length=120)),
                ('tries', models.PositiveIntegerField(default=1)),
                ('customer', models.CharField(blank=True, default='', max_length=32)),
                ('number', models.CharField(blank=True, default='', max_length=80)),
                ('line', models.CharField(blank=True, default='', max_length=80)),
                ('groups', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), default=list, size=None)),
                ('lost_at', models.DateTimeField()),
                ('deadline', models.DateTimeField()),
                ('excuse', models.CharField(blank=True, choices=[('', 'none'), ('short', 'hung up at once'), ('withheld', 'number withheld')], default='', max_length=8)),
                ('state', models.CharField(choices=[('open', 'to call back'), ('called_back', 'called back'), ('answered_later', 'got through later'), ('closed', 'closed by a person'), ('not_needed', 'no call back needed')], default='open', max_length=16)),
                ('closed_at', models.DateTimeField(null=True)),
                ('in_time', models.BooleanField(default=None, null=True)),
                ('dismissed_at', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, choices=[('written', 'settled in writing'), ('unreachable', 'cannot be reached'), ('wrong', 'wrong number'), ('spam', 'advertising or spam'), ('other', 'something else')], default='', max_length=12)),
                ('note', models.CharField(blank=True, default='', max_length=200, validators=[monitoring.models.text.one_visible_line])),
                ('call', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='lost', to='monitoring.call')),
                ('closed_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('closing_call', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='closes', to='monitoring.call')),
                ('owner', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='lost_calls', to='monitoring.manager')),
                ('queue', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='monitoring.queue')),
            ],
            options={
                'verbose_name': 'lost call',
                'verbose_name_plural': 'lost calls',
                'ordering': ['deadline', 'pk'],
                'indexes': [models.Index(fields=['customer', 'lost_at'], name='lost_by_customer'), models.Index(fields=['lost_at'], name='lost_by_time'), models.Index(condition=models.Q(('state', 'open'), ('tries__gt', 0)), fields=['deadline', 'id'], name='lost_open')],
            },
        ),
        # What became of a lost caller changes long after: the sums of that half-hour are counted anew.
        migrations.RunSQL(
            "CREATE TRIGGER stale_lost AFTER INSERT OR UPDATE ON monitoring_lostcall "
            "FOR EACH ROW EXECUTE FUNCTION stale_by_lost_call()",
            "DROP TRIGGER stale_lost ON monitoring_lostcall",
        ),
    ]
