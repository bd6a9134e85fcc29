"""The artifact: one archive a release, the same bytes from the same commit, published once."""

from lyceum_ops.artifact.build import ARCHIVE, MANIFEST, Artifact, build, sha256
from lyceum_ops.artifact.publish import publish

__all__ = ["ARCHIVE", "MANIFEST", "Artifact", "build", "publish", "sha256"]
