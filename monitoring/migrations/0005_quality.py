import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("monitoring", "0004_facts")]

    operations = [
        migrations.CreateModel(
            name="BlindWindow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("pbx", models.CharField(max_length=20)),
                ("began", models.DateTimeField()),
                ("ended", models.DateTimeField(null=True)),
                ("cause", models.CharField(max_length=20)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "still blind"),
                            ("waiting", "being filled"),
                            ("reconciled", "filled"),
                            ("unfilled", "cannot be filled"),
                        ],
                        default="open",
                        max_length=12,
                    ),
                ),
                ("skew", models.FloatField(default=0.0)),
                ("booted", models.DateTimeField(null=True)),
                ("found", models.PositiveIntegerField(default=0)),
                ("added", models.PositiveIntegerField(default=0)),
                ("corrected", models.PositiveIntegerField(default=0)),
                ("tried", models.DateTimeField(null=True)),
                ("details", models.JSONField(default=dict)),
            ],
            options={"ordering": ["-began", "-pk"]},
        ),
        migrations.CreateModel(
            name="Correction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(choices=[("added", "added"), ("corrected", "corrected")], max_length=10),
                ),
                ("changes", models.JSONField(default=dict)),
                (
                    "call",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="corrections",
                        to="monitoring.call",
                    ),
                ),
                (
                    "window",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="corrections",
                        to="monitoring.blindwindow",
                    ),
                ),
            ],
            options={"ordering": ["window", "pk"]},
        ),
        migrations.AddIndex(
            model_name="blindwindow",
            index=models.Index(
                condition=models.Q(("state__in", ["open", "waiting"])), fields=["began"], name="window_unsettled"
            ),
        ),
        migrations.AddConstraint(
            model_name="blindwindow",
            constraint=models.UniqueConstraint(fields=("pbx", "began"), name="window_once"),
        ),
        migrations.AddConstraint(
            model_name="blindwindow",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended__isnull", True)), fields=("pbx",), name="one_open_window"
            ),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.UniqueConstraint(fields=("window", "call"), name="corrected_once_a_window"),
        ),
    ]
