"""Changes to accounts made by an operator; visitors sign themselves up through allauth."""

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from lyceum.accounts.models import User


@transaction.atomic
def ensure_user(*, email: str, password: str, role: str, display_name: str = "") -> tuple[User, bool]:
    """The account with this email, made or brought to this password, role and name; True when it is new.

    An empty display_name leaves an existing one. Raises ValidationError for an email, role or password that will not
    do. The address counts as verified: an operator vouches for it.
    """
    email = email.strip().lower()
    user = User.objects.filter(email=email).first()
    created = user is None
    user = user or User(email=email)
    user.role = role
    user.display_name = display_name.strip() or user.display_name
    user.is_active = True
    validate_password(password, user)
    # An unchanged password keeps its hash: the sessions of its owner survive.
    if created or not user.check_password(password):
        user.set_password(password)
    user.full_clean()
    user.save()
    EmailAddress.objects.update_or_create(user=user, email=email, defaults={"verified": True, "primary": True})
    return user, created
