import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import monitoring.models.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0008_reports'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
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
            ],
            options={
                'verbose_name': 'lost call',
                'verbose_name_plural': 'lost calls',
                'ordering': ['deadline', 'pk'],
            },
        ),
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
        migrations.AddField(
            model_name='lostcall',
            name='call',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='lost', to='monitoring.call'),
        ),
        migrations.AddField(
            model_name='lostcall',
            name='closed_by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='lostcall',
            name='closing_call',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='closes', to='monitoring.call'),
        ),
        migrations.AddField(
            model_name='lostcall',
            name='owner',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='lost_calls', to='monitoring.manager'),
        ),
        migrations.AddField(
            model_name='lostcall',
            name='queue',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='monitoring.queue'),
        ),
        migrations.AddIndex(
            model_name='lostcall',
            index=models.Index(fields=['customer', 'lost_at'], name='lost_by_customer'),
        ),
        migrations.AddIndex(
            model_name='lostcall',
            index=models.Index(fields=['lost_at'], name='lost_by_time'),
        ),
        migrations.AddIndex(
            model_name='lostcall',
            index=models.Index(condition=models.Q(('state', 'open'), ('tries__gt', 0)), fields=['deadline', 'id'], name='lost_open'),
        ),
    ]
