"""EFS: the way back from a file system policy."""

from __future__ import annotations

from typing import Any

from moto.efs.models import efs_backends

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import ApiError, Call

efs = Service("elasticfilesystem")


@efs.stub("DeleteFileSystemPolicy", because="moto puts and shows a file system's policy and cannot delete it")
def delete_policy(call: Call) -> dict[str, Any]:
    wanted = call.parameters["FileSystemId"]
    found = efs_backends[ACCOUNT][call.region].file_systems_by_id.get(wanted)
    if found is None:
        raise ApiError("FileSystemNotFound", f"File system '{wanted}' does not exist.", 404)
    found.file_system_policy = None
    return {}
