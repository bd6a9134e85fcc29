"""An account: the email that signs in, the name others see, and the one role that decides what its owner may do.

The role is the only source of rights: Django's flags (`is_staff`, `is_superuser`) are derived from it, so the two
cannot drift. Emails are stored in lower case, which a constraint holds, so that uniqueness does not depend on how an
address was typed.
"""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone


def check_display_name(name: str) -> None:
    """Raises ValidationError for line breaks, control characters and invisible ones, also those that turn the
    direction of the text around them (category Cf): with them one name can pass for another.
    """
    if not name.isprintable():
        raise ValidationError("The name holds a line break or an invisible character. Type it again by hand.")


class UserManager(BaseUserManager["User"]):
    def create_user(
        self, email: str, password: str | None = None, *, display_name: str = "", role: str = "student"
    ) -> "User":
        """Without a password the account exists but nobody can sign in to it."""
        user = self.model(email=email.strip().lower(), display_name=display_name.strip(), role=role)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: str) -> "User":
        return self.create_user(email, password, **{**fields, "role": User.Role.ADMINISTRATOR})

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):
    class Role(models.TextChoices):
        STUDENT = "student", "Student"
        INSTRUCTOR = "instructor", "Instructor"
        ADMINISTRATOR = "administrator", "Administrator"

    email = models.EmailField(unique=True, error_messages={"unique": "There is already an account with this email."})
    display_name = models.CharField(max_length=80, blank=True)
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.STUDENT)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering: ClassVar = ["email"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_is_lower_case"),
            models.CheckConstraint(
                condition=models.Q(role__in=["student", "instructor", "administrator"]), name="user_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or self.email

    def clean(self) -> None:
        super().clean()
        self.email = self.email.strip().lower()
        try:
            check_display_name(self.display_name)
        except ValidationError as error:
            raise ValidationError({"display_name": error}) from error

    @property
    def is_administrator(self) -> bool:
        return self.is_active and self.role == self.Role.ADMINISTRATOR

    @property
    def is_staff(self) -> bool:
        return self.is_administrator

    @property
    def is_superuser(self) -> bool:
        return self.is_administrator

    def has_perm(self, perm: str, obj: object | None = None) -> bool:
        return self.is_administrator

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_administrator
