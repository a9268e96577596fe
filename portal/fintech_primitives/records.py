"""Transactions, files and file operations (document, "Transactions", "Files", "File Operations")."""

from __future__ import annotations

from portal.fintech_primitives.messages import records
from portal.fintech_primitives.session import Session, at
from portal.gateway.journal import About, Fenced
from portal.gateway.transport import File, Request


class Records(Session):
    """Calls about what registrars report and what was uploaded."""

    def list_transactions(self, query: records.TransactionQuery) -> list[records.Transaction]:
        """GET the transactions of folios, newest first, of a year at most."""
        return self._get(records.Transactions, "/transactions", query.params()).data

    def create_file(self, upload: records.Upload, about: Fenced) -> records.File:
        """POST a file. The journal keeps its kind and size, not its name and content."""
        file = File(upload.filename, upload.content_type, upload.content)
        fields = {"purpose": upload.purpose} if upload.purpose else {}
        request = Request("POST", "/files", files={"file": file}, fields=fields)
        return self._read_as(records.File, request, self.write(request, about))

    def fetch_file(self, file_id: str) -> records.File:
        """GET what is known of a file."""
        return self._get(records.File, at("/files/{}", file_id))

    def list_files(self) -> list[records.File]:
        """GET what is known of all files."""
        return self._get(records.Files, "/files").data

    def create_file_operation(self, operation: records.NewFileOperation, about: About) -> records.FileOperation:
        """POST work on an uploaded file; it goes on in the background."""
        return self._post(records.FileOperation, "/file_operations", operation, about)

    def fetch_file_operation(self, operation_id: str) -> records.FileOperation:
        """GET how far it is."""
        return self._get(records.FileOperation, at("/file_operations/{}", operation_id))
