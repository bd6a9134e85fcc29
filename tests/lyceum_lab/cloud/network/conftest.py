"""The emulator of the emulator's own tests, and the network of the network's."""

from tests.lyceum_lab.emulator.conftest import emulator, start_emulator  # noqa: F401 - fixtures
from tests.lyceum_lab.proofs.network.conftest import development  # noqa: F401 - a fixture
