"""The emulators of the emulator's own tests."""

from tests.lyceum_lab.emulator.conftest import start_emulator  # noqa: F401 - a fixture
