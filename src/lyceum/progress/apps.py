"""Registers the app that keeps progress."""

from django.apps import AppConfig


class ProgressConfig(AppConfig):
    name = "lyceum.progress"
    label = "progress"
    default_auto_field = "django.db.models.BigAutoField"
