"""A new company begins with a list of statuses it can work with at once; it renames and adds its own later."""

from django.db import migrations

# label, kind, colour, set by the phone's own pause key
FIRST = [
    ("Доступен", "available", "green", True),
    ("Перерыв", "break", "amber", True),
    ("Обед", "break", "orange", False),
    ("Обучение", "break", "blue", False),
    ("Совещание", "break", "violet", False),
    ("Отсутствую", "away", "grey", False),
]


def add_first_statuses(apps, schema_editor):
    # The table is the company's only: on public there is none.
    if schema_editor.connection.schema_name == "public":
        return
    Status = apps.get_model("monitoring", "Status")
    if Status.objects.exists():
        return
    Status.objects.bulk_create(
        Status(label=label, kind=kind, colour=colour, on_phone=on_phone, position=place * 10)
        for place, (label, kind, colour, on_phone) in enumerate(FIRST, start=1)
    )


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0001_tables")]

    operations = [migrations.RunPython(add_first_statuses, migrations.RunPython.noop)]
