"""What signing up asks for besides email and password."""

from typing import Any

from django import forms

from lyceum.accounts.models import User, check_display_name


class SignupForm(forms.Form):
    """allauth builds its own form on this one; the adapter stores the name together with the account."""

    display_name = forms.CharField(
        label="Your name",
        max_length=80,
        validators=[check_display_name],
        help_text="Shown to your instructors and fellow students.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )

    def signup(self, request: Any, user: User) -> None:
        """Part of allauth's interface; everything is saved by then."""
