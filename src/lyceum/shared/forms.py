"""The one field with which a file is shared."""

from django import forms
from django.conf import settings

from lyceum.shared.models import LONGEST_NAME


class ShareForm(forms.Form):
    file = forms.FileField(
        label="A file to share",
        # Of the names that browsers send; what is kept is checked by the service.
        max_length=2 * LONGEST_NAME,
        help_text=(
            f"{settings.SHARED_FILE_MAX_BYTES // (1024 * 1024)} MB at most. "
            "Everyone in this course can download it and sees your name beside it."
        ),
    )
