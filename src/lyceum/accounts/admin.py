"""Accounts as administrators see them. Passwords are set with `create_user` or by their owners, never read here."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest

from lyceum.accounts.models import User

if TYPE_CHECKING:
    UserAdminBase = admin.ModelAdmin[User]
else:
    UserAdminBase = admin.ModelAdmin


@admin.register(User)
class UserAdmin(UserAdminBase):
    list_display = ("email", "display_name", "role", "is_active", "date_joined")
    list_filter = ("role", "is_active")
    search_fields = ("email", "display_name")
    fields = ("email", "display_name", "role", "is_active", "last_login", "date_joined")
    readonly_fields = ("last_login", "date_joined")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # an account without a password helps nobody: `manage.py create_user` makes one with
