"""What an occasion keeps of each contact it passed over: the reason, and the day it ends."""

from django.db import migrations


def _rewrite(apps, change):
    rows = apps.get_model("surveys", "Occasion").objects.exclude(refused={})
    batch = []
    for row in rows.only("pk", "refused").iterator(chunk_size=1000):
        row.refused = {number: change(said) for number, said in row.refused.items()}
        batch.append(row)
        if len(batch) == 1000:
            rows.model.objects.bulk_update(batch, ["refused"])
            batch = []
    rows.model.objects.bulk_update(batch, ["refused"])


def forwards(apps, schema_editor):
    _rewrite(apps, lambda said: {"reason": said, "free_on": None} if isinstance(said, str) else said)


def backwards(apps, schema_editor):
    _rewrite(apps, lambda said: said if isinstance(said, str) else said["reason"])


class Migration(migrations.Migration):
    dependencies = [("surveys", "0008_reminders_and_tests")]
    operations = [migrations.RunPython(forwards, backwards)]
