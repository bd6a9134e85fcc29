"""Development's network, as the proof of the network has it."""

from tests.lyceum_lab.proofs.network.conftest import development  # noqa: F401 - a fixture
