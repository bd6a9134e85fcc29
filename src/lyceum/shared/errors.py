"""What can go wrong with shared files, each with the sentence that a page shows."""


class SharedFileError(Exception):
    """
    SharedFileError
    ├── RefusedError             the file may not be shared as it is; nothing was kept
    │   ├── NameTakenError       the course has a file of this name
    │   └── NoRoomError          it is too large, or the course has no room left
    ├── FileMissingError         the tree does not hold the file that the database names
    └── StorageUnavailableError  the file system does not answer in time, or is not there
    """

    status = 500


class RefusedError(SharedFileError):
    status = 400


class NameTakenError(RefusedError):
    status = 409


class NoRoomError(RefusedError):
    status = 413


class FileMissingError(SharedFileError):
    status = 404


class StorageUnavailableError(SharedFileError):
    status = 503
