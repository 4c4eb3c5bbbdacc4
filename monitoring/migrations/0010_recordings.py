import django.contrib.postgres.fields
import django.db.models.deletion
import monitoring.models.text
from django.conf import settings
from django.db import migrations, models

# What every contact centre listens for; a company changes it to its own taste.
FIRST = [
    ("Начало разговора", [
        ("Поздоровался, назвал компанию и себя", "yes_no", 5, False),
        ("Выяснил, как обращаться к клиенту, и обращается так", "yes_no", 5, False),
    ]),
    ("Выяснение вопроса", [
        ("Слушает, не перебивает", "scale", 10, False),
        ("Задаёт уточняющие вопросы и повторяет, как понял", "scale", 10, False),
    ]),
    ("Решение", [
        ("Дал верные и полные сведения", "scale", 25, False),
        ("Решил вопрос или договорился о следующем шаге и сроке", "scale", 20, False),
        ("Не ставил на удержание без предупреждения", "yes_no", 5, False),
    ]),
    ("Речь и завершение", [
        ("Говорит вежливо, внятно, без слов-паразитов", "scale", 10, False),
        ("Подвёл итог, спросил, остались ли вопросы, попрощался", "yes_no", 10, False),
    ]),
    ("Недопустимое", [
        ("Не грубил, не разглашал чужих данных, не обещал невозможного", "yes_no", 0, True),
    ]),
]


def first_scorecard(apps, schema_editor):
    # The tables are the company's only: on public there are none.
    if schema_editor.connection.schema_name == "public":
        return
    number = 0
    sections = []
    for title, questions in FIRST:
        rows = []
        for text, kind, weight, critical in questions:
            number += 1
            rows.append({"id": f"q{number}", "text": text, "kind": kind, "weight": weight, "critical": critical})
        sections.append({"title": title, "questions": rows})
    card = apps.get_model("monitoring", "Scorecard").objects.create(title="Разговор с клиентом")
    apps.get_model("monitoring", "ScorecardVersion").objects.create(scorecard=card, number=1, content=sections)


class Migration(migrations.Migration):

    dependencies = [
        ("monitoring", "0009_profiles"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Recording',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('pbx', models.CharField(max_length=20)),
                ('source', models.CharField(max_length=200)),
                ('uniqueid', models.CharField(max_length=80)),
                ('state', models.CharField(choices=[('stored', 'stored'), ('storing', 'being stored'), ('orphan', 'belongs to no call'), ('broken', 'cannot be played'), ('gone', 'its file is gone')], default='storing', max_length=8)),
                ('reason', models.CharField(blank=True, default='', max_length=20)),
                ('file', models.CharField(max_length=120)),
                ('kind', models.CharField(default='audio/mpeg', max_length=40)),
                ('size', models.PositiveBigIntegerField(default=0)),
                ('sha256', models.CharField(blank=True, default='', max_length=64)),
                ('started', models.DateTimeField()),
                ('seconds', models.FloatField(default=0.0)),
                ('gap', models.FloatField(default=0.0)),
                ('channels', models.PositiveSmallIntegerField(default=2)),
                ('peaks', models.JSONField(default=list)),
                ('stored_at', models.DateTimeField(auto_now_add=True)),
                ('call', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='recordings', to='monitoring.call')),
            ],
            options={
                'verbose_name': 'recording',
                'verbose_name_plural': 'recordings',
                'ordering': ['started', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Review',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('author_name', models.CharField(max_length=120)),
                ('groups', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), default=list, size=None)),
                ('state', models.CharField(choices=[('draft', 'draft'), ('given', 'given'), ('appealed', 'appealed'), ('answered', 'appeal answered')], default='draft', max_length=8)),
                ('answers', models.JSONField(default=dict)),
                ('percent', models.FloatField(null=True)),
                ('failed', models.BooleanField(default=False)),
                ('summary', models.TextField(blank=True, default='', max_length=2000)),
                ('begun_at', models.DateTimeField(auto_now_add=True)),
                ('given_at', models.DateTimeField(null=True)),
                ('seen_at', models.DateTimeField(null=True)),
                ('appeal', models.TextField(blank=True, default='', max_length=2000)),
                ('appealed_at', models.DateTimeField(null=True)),
                ('verdict', models.TextField(blank=True, default='', max_length=2000)),
                ('verdict_at', models.DateTimeField(null=True)),
                ('verdict_by', models.CharField(blank=True, default='', max_length=120)),
                ('first_percent', models.FloatField(null=True)),
                ('author', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reviews', to='monitoring.call')),
                ('manager', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='monitoring.manager')),
                ('recording', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='reviews', to='monitoring.recording')),
            ],
            options={
                'verbose_name': 'review',
                'verbose_name_plural': 'reviews',
                'ordering': ['-begun_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='ReviewComment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('second', models.FloatField()),
                ('text', models.TextField(max_length=1000)),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('review', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='comments', to='monitoring.review')),
            ],
            options={
                'ordering': ['second', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Scorecard',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('archived_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('title', models.CharField(max_length=80, validators=[monitoring.models.text.one_visible_line], verbose_name='title')),
            ],
            options={
                'verbose_name': 'scorecard',
                'verbose_name_plural': 'scorecards',
                'ordering': ['title', 'pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('archived_at__isnull', True)), fields=('title',), name='scorecard_title_once', violation_error_message='There is a scorecard with this title already.')],
            },
        ),
        migrations.CreateModel(
            name='ScorecardVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('content', models.JSONField(default=list)),
                ('made_at', models.DateTimeField(auto_now_add=True)),
                ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('scorecard', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='monitoring.scorecard')),
            ],
            options={
                'ordering': ['scorecard', '-number'],
            },
        ),
        migrations.AddField(
            model_name='review',
            name='version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='monitoring.scorecardversion'),
        ),
        migrations.AddIndex(
            model_name='recording',
            index=models.Index(fields=['started'], name='recording_by_time'),
        ),
        migrations.AddIndex(
            model_name='recording',
            index=models.Index(condition=models.Q(('state', 'stored'), _negated=True), fields=['stored_at'], name='recording_unsettled'),
        ),
        migrations.AddConstraint(
            model_name='recording',
            constraint=models.UniqueConstraint(fields=('pbx', 'source'), name='recording_once'),
        ),
        migrations.AddConstraint(
            model_name='scorecardversion',
            constraint=models.UniqueConstraint(fields=('scorecard', 'number'), name='scorecard_version_once'),
        ),
        migrations.AddIndex(
            model_name='review',
            index=models.Index(fields=['given_at', 'manager'], name='review_by_day'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.UniqueConstraint(fields=('call', 'manager'), name='review_once'),
        ),
        migrations.RunPython(first_scorecard, migrations.RunPython.noop),
    ]
