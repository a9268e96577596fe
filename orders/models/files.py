"""What was read of the files and lists that others publish. NAVs have a table of their own (`NavRun`)."""

from __future__ import annotations

from django.db import models


class FileRun(models.Model):
    """A file or list of a day as it was read: its lines, what they changed, and which could not be used and why.

    The same file again on the same day is the same row, read once more; so is the same refusal.
    """

    class Pipeline(models.TextChoices):
        SCHEMES = "schemes", "Schemes (FP)"
        SHARES = "shares", "Listed shares (NSE)"
        CLOSES = "closes", "Closing prices (NSE)"
        CODES = "codes", "Codes of shares (5paisa)"

    pipeline = models.CharField("file", max_length=10, choices=Pipeline)
    # The day on which it was read, in India.
    read_on = models.DateField()
    # Of the bytes, or of the lines where they come in pages; empty when nothing came.
    fingerprint = models.CharField(max_length=64, blank=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)
    # The day that the file is about, where it is about one.
    about_on = models.DateField("day of the file", null=True, blank=True)
    lines = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    ignored = models.PositiveIntegerField(default=0)
    unreadable = models.PositiveIntegerField(default=0)
    # The first of the lines that cannot be used: [{"line": number, "text": ..., "why": ...}].
    bad_lines = models.JSONField(default=list)
    # Why nothing of it was used; empty when it was.
    refusal = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = "run of a file"
        verbose_name_plural = "runs of files"
        constraints = [
            models.UniqueConstraint(
                fields=["pipeline", "read_on", "fingerprint", "refusal"], name="a_file_of_a_day_is_one_run"
            ),
            models.CheckConstraint(
                condition=models.Q(lines__gte=models.F("ignored") + models.F("unreadable")),
                name="a_line_is_left_out_once",
            ),
        ]
        indexes = [models.Index(fields=["pipeline", "-last_at"], name="file_run_newest_first")]

    def __str__(self) -> str:
        return f"{self.get_pipeline_display()} of {self.read_on:%d %b %Y}"
