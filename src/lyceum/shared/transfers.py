"""How many large transfers a server carries at once, and how long one may take.

A thread serves one request at a time, and a transfer holds its thread for as long as the other side takes to send or
to read. Without a limit four learners on a slow line would be the whole of a server with four threads.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler


class TooSlowError(Exception):
    """The sender took longer than an upload may take."""


class BusyError(Exception):
    """As many transfers are under way as the server carries."""


_slots = threading.BoundedSemaphore(settings.SHARED_TRANSFERS)


class Transfer:
    """One transfer's place. Raises BusyError when there is none; `end` gives it back, and may be called again."""

    def __init__(self) -> None:
        if not _slots.acquire(blocking=False):
            raise BusyError
        self._held = True
        self.deadline = time.monotonic() + settings.SHARED_TRANSFER_SECONDS

    @property
    def late(self) -> bool:
        return time.monotonic() > self.deadline

    def end(self) -> None:
        if self._held:
            self._held = False
            _slots.release()


@contextmanager
def transfer() -> Iterator[Transfer]:
    one = Transfer()
    try:
        yield one
    finally:
        one.end()


class DeadlineHandler(FileUploadHandler):
    """Ends an upload that trickles in. First in the list; it keeps nothing and hands every chunk on."""

    def __init__(self, transfer: Transfer) -> None:
        super().__init__()
        self._transfer = transfer

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if self._transfer.late:
            raise TooSlowError
        return raw_data

    def file_complete(self, file_size: int) -> Any:
        return None
