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
    ]
