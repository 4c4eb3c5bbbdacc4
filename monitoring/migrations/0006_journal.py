"""Notes, marks, saved filters and exports; a new company begins with marks it can work with at once."""

import django.db.models.deletion
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
        migrations.RunPython(add_first_marks, migrations.RunPython.noop),
    ]
