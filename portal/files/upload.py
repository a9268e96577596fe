"""What arrives in a form stays in memory: no upload lies in a temporary folder in clear, and none fills the disk.

A file is read as far as the largest that is accepted and one byte more, so that the cleaner can say "too large"; a
request that goes on beyond all bounds is cut off.
"""

from __future__ import annotations

import io

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

from portal.files import quarantine

MOST = quarantine.MAX_BYTES + 1
# Two sides of a card or one video; whoever sends more is not filling in a form of ours.
MOST_IN_ALL = 3 * MOST


class InMemory(FileUploadHandler):
    """For FILE_UPLOAD_HANDLERS."""

    chunk_size = 64 * 1024
    received = 0

    def new_file(self, *args: object, **kwargs: object) -> None:
        super().new_file(*args, **kwargs)  # type: ignore[arg-type]
        self.held = io.BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.received += len(raw_data)
        if self.received > MOST_IN_ALL:
            raise StopUpload(connection_reset=True)
        self.held.write(raw_data[: max(0, MOST - self.held.tell())])

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        size = self.held.tell()
        self.held.seek(0)
        return InMemoryUploadedFile(
            self.held, self.field_name, self.file_name, self.content_type, size, self.charset, self.content_type_extra
        )
