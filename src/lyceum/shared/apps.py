"""Registration of the shared files app."""

from django.apps import AppConfig


class SharedConfig(AppConfig):
    name = "lyceum.shared"
    label = "shared"
