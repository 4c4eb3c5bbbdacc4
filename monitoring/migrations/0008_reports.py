import django.db.models.deletion
import monitoring.models.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("monitoring", "0007_rollups"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ScheduledReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=80, validators=[monitoring.models.text.one_visible_line], verbose_name='title')),
                ('page', models.CharField(choices=[('overview', 'Overview'), ('queues', 'Queues'), ('managers', 'Managers'), ('lines', 'Lines'), ('hours', 'By hour')], max_length=10, verbose_name='page')),
                ('query', models.CharField(blank=True, max_length=1000)),
                ('every', models.CharField(choices=[('day', 'every day, about yesterday'), ('week', 'every Monday, about last week'), ('month', 'on the first of the month, about last month')], default='week', max_length=6, verbose_name='how often')),
                ('at', models.TimeField(verbose_name='local time')),
                ('active', models.BooleanField(default=True)),
                ('stopped', models.CharField(blank=True, max_length=20)),
                ('made', models.DateTimeField(auto_now_add=True)),
                ('next_run', models.DateTimeField(blank=True, null=True)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'scheduled report',
                'verbose_name_plural': 'scheduled reports',
                'ordering': ['title', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='ReportRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first', models.DateField()),
                ('last', models.DateField()),
                ('asked', models.BooleanField(default=False)),
                ('began', models.DateTimeField()),
                ('beat', models.DateTimeField()),
                ('done', models.DateTimeField(blank=True, null=True)),
                ('report', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='monitoring.scheduledreport')),
            ],
            options={
                'ordering': ['-began', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='ReportRecipient',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email', models.EmailField(max_length=254)),
                ('language', models.CharField(max_length=8)),
                ('report', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='recipients', to='monitoring.scheduledreport')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='ReportDelivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email', models.EmailField(max_length=254)),
                ('state', models.CharField(choices=[('claimed', 'being sent'), ('sent', 'sent'), ('failed', 'not sent')], default='claimed', max_length=8)),
                ('at', models.DateTimeField()),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='monitoring.reportrun')),
            ],
            options={
                'ordering': ['pk'],
                'constraints': [models.UniqueConstraint(fields=('run', 'email'), name='report_letter_once')],
            },
        ),
        migrations.AddIndex(
            model_name='scheduledreport',
            index=models.Index(condition=models.Q(('next_run__isnull', False)), fields=['next_run'], name='report_due'),
        ),
        migrations.AddConstraint(
            model_name='reportrun',
            constraint=models.UniqueConstraint(condition=models.Q(('asked', False)), fields=('report', 'first', 'last'), name='report_period_once'),
        ),
        migrations.AddConstraint(
            model_name='reportrecipient',
            constraint=models.UniqueConstraint(fields=('report', 'email'), name='report_recipient_once'),
        ),
    ]
