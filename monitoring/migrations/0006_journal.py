"""Notes, marks, saved filters and exports; a new company begins with marks it can work with at once."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
import monitoring.models.text
from django.conf import settings
from django.db import migrations, models

# label, colour
FIRST = [
    ("Важно", "red"),
    ("Жалоба", "orange"),
    ("Перезвонить", "amber"),
    ("Продажа", "green"),
    ("Для обучения", "violet"),
    ("Спам", "grey"),
]


def add_first_marks(apps, schema_editor):
    # The table is the company's only: on public there is none.
    if schema_editor.connection.schema_name == "public":
        return
    Mark = apps.get_model("monitoring", "Mark")
    if Mark.objects.exists():
        return
    Mark.objects.bulk_create(
        Mark(label=label, colour=colour, position=place * 10)
        for place, (label, colour) in enumerate(FIRST, start=1)
    )


class Migration(migrations.Migration):

    dependencies = [
        ("monitoring", "0005_quality"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Mark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('archived_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('label', models.CharField(max_length=40, validators=[monitoring.models.text.one_visible_line], verbose_name='label')),
                ('colour', models.CharField(choices=[('green', 'green'), ('amber', 'amber'), ('orange', 'orange'), ('red', 'red'), ('blue', 'blue'), ('violet', 'violet'), ('grey', 'grey')], default='grey', max_length=10, verbose_name='colour')),
                ('position', models.PositiveSmallIntegerField(default=100, verbose_name='place in the list')),
            ],
            options={
                'verbose_name': 'mark',
                'verbose_name_plural': 'marks',
                'ordering': ['position', 'pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('archived_at__isnull', True)), fields=('label',), name='mark_label_once', violation_error_message='There is a mark with this label already.')],
            },
        ),
        migrations.CreateModel(
            name='Note',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('who', models.CharField(max_length=120)),
                ('text', models.TextField(max_length=2000)),
                ('written', models.DateTimeField()),
                ('edited', models.DateTimeField(blank=True, null=True)),
                ('removed', models.DateTimeField(blank=True, null=True)),
                ('author', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notes', to='monitoring.call')),
            ],
            options={
                'ordering': ['written', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Export',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=40)),
                ('title', models.CharField(max_length=120)),
                ('form', models.CharField(choices=[('csv', 'CSV'), ('xlsx', 'Excel')], max_length=4)),
                ('language', models.CharField(max_length=8)),
                ('question', models.JSONField(default=dict)),
                ('state', models.CharField(choices=[('waiting', 'waiting for its turn'), ('running', 'being made'), ('ready', 'ready'), ('refused', 'refused'), ('failed', 'failed'), ('cancelled', 'cancelled')], default='waiting', max_length=10)),
                ('asked', models.DateTimeField()),
                ('beat', models.DateTimeField()),
                ('turn', models.PositiveSmallIntegerField(default=0)),
                ('done', models.PositiveIntegerField(default=0)),
                ('total', models.PositiveIntegerField(null=True)),
                ('size', models.PositiveBigIntegerField(default=0)),
                ('file', models.CharField(blank=True, max_length=120)),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('expires', models.DateTimeField()),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-asked', '-pk'],
                'indexes': [models.Index(fields=['owner', '-asked'], name='export_of_owner')],
            },
        ),
        migrations.CreateModel(
            name='CallMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='marks', to='monitoring.call')),
                ('mark', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='monitoring.mark')),
            ],
            options={
                'ordering': ['mark__position', 'mark_id'],
                'constraints': [models.UniqueConstraint(fields=('call', 'mark'), name='mark_once_a_call')],
            },
        ),
        migrations.CreateModel(
            name='SavedFilter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=60, validators=[monitoring.models.text.one_visible_line], verbose_name='title')),
                ('query', models.CharField(max_length=500)),
                ('shared', models.BooleanField(default=False, verbose_name="shared with the company's supervisors")),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['title', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('owner', 'title'), name='filter_title_once_each')],
            },
        ),
        migrations.AlterField(
            model_name='leg',
            name='manager',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='legs', to='monitoring.manager'),
        ),
        migrations.AlterField(
            model_name='queuevisit',
            name='queue',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='visits', to='monitoring.queue'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(fields=['line', 'started'], name='call_by_line'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=django.contrib.postgres.indexes.GinIndex(models.Func(django.db.models.functions.text.Substr('customer', 1, 4), django.db.models.functions.text.Substr('customer', 2, 4), django.db.models.functions.text.Substr('customer', 3, 4), django.db.models.functions.text.Substr('customer', 4, 4), django.db.models.functions.text.Substr('customer', 5, 4), django.db.models.functions.text.Substr('customer', 6, 4), django.db.models.functions.text.Substr('customer', 7, 4), django.db.models.functions.text.Substr('customer', 8, 4), django.db.models.functions.text.Substr('customer', 9, 4), django.db.models.functions.text.Substr('customer', 10, 4), django.db.models.functions.text.Substr('customer', 11, 4), django.db.models.functions.text.Substr('customer', 12, 4), output_field=django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None), template='(ARRAY[%(expressions)s])'), name='call_by_part_of_number'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(condition=models.Q(('wait_seconds__gte', 120)), fields=['wait_seconds'], name='call_long_wait'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(condition=models.Q(('talk_seconds__gte', 900)), fields=['talk_seconds'], name='call_long_talk'),
        ),
        migrations.AddIndex(
            model_name='leg',
            index=models.Index(fields=['manager', 'rang'], name='leg_of_manager'),
        ),
        migrations.AddIndex(
            model_name='queuevisit',
            index=models.Index(fields=['queue', 'joined'], name='visit_of_queue'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['kind', 'what'], name='audit_of_what'),
        ),
        migrations.RunPython(add_first_marks, migrations.RunPython.noop),
    ]
