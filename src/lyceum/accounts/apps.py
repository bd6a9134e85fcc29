"""Registration of the accounts app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "lyceum.accounts"
    label = "accounts"
