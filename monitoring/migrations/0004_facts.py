import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

# What was stored before handling was booked apart from the leg's end counts at that end.
BOOK_AT_THE_END = "UPDATE monitoring_leg SET booked = ended WHERE booked IS NULL AND ended IS NOT NULL"


class Migration(migrations.Migration):

    dependencies = [("monitoring", "0003_history_columns")]

    operations = [
        migrations.CreateModel(
            name="AutoInterval",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("unregistered", "no phone registered"),
                            ("missing_calls", "does not answer"),
                            ("wrap_up", "wrap-up"),
                        ],
                        max_length=16,
                    ),
                ),
                ("started", models.DateTimeField()),
                ("ended", models.DateTimeField(null=True)),
                ("call_key", models.CharField(blank=True, default="", max_length=120)),
                (
                    "groups",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), default=list, size=None
                    ),
                ),
                (
                    "manager",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="automatic",
                        to="monitoring.manager",
                    ),
                ),
            ],
            options={"ordering": ["started", "pk"]},
        ),
        migrations.AddConstraint(
            model_name="autointerval",
            constraint=models.UniqueConstraint(fields=("manager", "kind", "started"), name="automatic_once"),
        ),
        migrations.AddConstraint(
            model_name="autointerval",
            constraint=models.CheckConstraint(
                condition=models.Q(("ended__isnull", True), ("ended__gte", models.F("started")), _connector="OR"),
                name="automatic_ends_after_start",
            ),
        ),
        migrations.AddIndex(
            model_name="autointerval",
            index=models.Index(fields=["started"], name="automatic_by_time"),
        ),
        migrations.AddIndex(
            model_name="autointerval",
            index=models.Index(
                condition=models.Q(("ended__isnull", True)), fields=["manager"], name="automatic_open"
            ),
        ),
        migrations.AddField(
            model_name="leg",
            name="wrap_up_seconds",
            field=models.FloatField(default=0.0),
        ),
        migrations.AddField(
            model_name="leg",
            name="booked",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunSQL(BOOK_AT_THE_END, migrations.RunSQL.noop),
        migrations.RemoveIndex(model_name="leg", name="leg_by_day"),
        migrations.AddIndex(
            model_name="leg",
            index=models.Index(fields=["booked", "manager_name"], name="leg_by_booking"),
        ),
        migrations.AddField(
            model_name="queue",
            name="wrap_up",
            field=models.PositiveSmallIntegerField(
                default=0,
                validators=[django.core.validators.MaxValueValidator(3600)],
                verbose_name="wrap-up after a call, s (0 = none)",
            ),
        ),
    ]
