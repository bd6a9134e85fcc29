"""A file tree of the test's own."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings
from tests.lyceum.conftest import signed_in

from lyceum.accounts.models import User
from lyceum.courses.models import Course
from lyceum.courses.services import enrol


@pytest.fixture
def tree(tmp_path: Path, settings: Settings) -> Path:
    settings.SHARED_FILES_DIR = tmp_path / "shared"
    settings.SHARED_FILES_DIR.mkdir()
    return Path(settings.SHARED_FILES_DIR)


@pytest.fixture
def fellow(stranger: User, course: Course) -> Client:
    """Another student of the course."""
    enrol(user=stranger, course=course)
    return signed_in(stranger)
