"""Registration of the content app."""

from django.apps import AppConfig


class ContentConfig(AppConfig):
    name = "lyceum.content"
    label = "content"
