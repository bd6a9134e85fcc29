"""What is known of a shared file. Its bytes are in the file tree (`lyceum.shared.storage`), under an id that nobody
chose: the name is only ever shown, and no path is built from it.

Who may share what is decided here and not in the tree, because only the database can refuse a second file of the same
name on two servers at once.
"""

import unicodedata
import uuid
from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from lyceum.courses.models import Course

LONGEST_NAME = 120


def clean_name(given: str) -> str:
    """The name as it is kept and shown. Raises ValidationError for one that could deceive or could not be saved.

    Invisible characters would let `exe.fdp` pass for a document; one spelling (NFC) keeps two that look the same from
    being two.
    """
    name = " ".join(unicodedata.normalize("NFC", given).split())
    if not name.strip(". "):
        raise ValidationError("The file needs a name.")
    if not name.isprintable() or "/" in name or "\\" in name:
        raise ValidationError("The file's name holds a slash or an invisible character. Rename it and try again.")
    if len(name) > LONGEST_NAME:
        raise ValidationError(f"The file's name may have {LONGEST_NAME} characters at most. Shorten it and try again.")
    return name


class SharedFile(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="shared_files")
    name = models.CharField(max_length=LONGEST_NAME)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    # The file stays when its owner's account goes.
    uploader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    uploaded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-uploaded_at", "name"]
        constraints: ClassVar = [
            # Small and capital letters are the same on the machines that most files come from.
            models.UniqueConstraint("course", Lower("name"), name="shared_file_name_is_unique_in_its_course"),
            models.CheckConstraint(condition=Q(size__gte=1), name="shared_file_is_not_empty"),
            models.CheckConstraint(condition=~Q(name=""), name="shared_file_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name
