"""Questions about accounts."""

from lyceum.accounts.models import User


def display_name(user: User) -> str:
    """The name shown on the site: the chosen one, else the part of the email before the @, never the whole address."""
    return user.display_name or user.email.partition("@")[0]
