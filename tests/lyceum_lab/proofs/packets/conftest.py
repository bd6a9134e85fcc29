"""The networks of the network's own tests, built of namespaces."""

from tests.lyceum_lab.proofs.network.conftest import development, model, production  # noqa: F401 - fixtures
