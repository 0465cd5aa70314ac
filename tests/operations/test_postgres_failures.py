"""A server that is away, refuses or is full: one plain sentence each, and never a password in it."""

import socket
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest

from cspmap.operations import Operations, OperationsError
from cspmap.operations import postgres as postgres_module

from . import conftest
from .conftest import PASSWORD, NewUrl, Server, start_server
from .made import OCTANS

pytest.importorskip("psycopg", reason="psycopg is not installed: the tests on PostgreSQL were not run")


def refuse(act: Callable[[], object], *, secret: str = PASSWORD) -> str:
    """The one sentence; neither it nor what a log would keep of its causes tells the password."""
    with pytest.raises(OperationsError) as caught:
        act()
    sentence = str(caught.value)
    assert "\n" not in sentence
    error: BaseException | None = caught.value
    while error is not None:
        assert secret not in f"{error!r} {error}"
        assert secret.replace(" ", "%20") not in f"{error!r} {error}"
        error = error.__cause__ or error.__context__
    return sentence


@pytest.mark.parametrize(("needed", "outcome"), [("1", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_machine_without_a_server_fails_only_where_one_is_needed(
    monkeypatch: pytest.MonkeyPatch, needed: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setattr(conftest, "_find_programs", lambda: None)
    monkeypatch.setenv(conftest.NEEDED, needed)
    with pytest.raises(outcome, match="no PostgreSQL server on this machine"), start_server():
        pass


def test_nothing_listens_there() -> None:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        sentence = refuse(
            lambda: Operations.open(f"postgresql://ann:hunter2@127.0.0.1:{port}/cspmap"), secret="hunter2"
        )
    assert sentence == (
        "The operations database cspmap on 127.0.0.1 cannot be reached (Connection refused); look at the address, the "
        "network and the server."
    )


def test_what_listens_there_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"postgresql://ann:hunter2@127.0.0.1:{silent.getsockname()[1]}/cspmap?connect_timeout=2"
        sentence = refuse(lambda: Operations.open(url), secret="hunter2")
    assert sentence.startswith("The operations database cspmap on 127.0.0.1 cannot be reached (")
    assert "timeout" in sentence


def test_no_such_host() -> None:
    url = "postgresql://ann:hunter2@no-such-host.invalid/cspmap"
    sentence = refuse(lambda: Operations.open(url), secret="hunter2")
    assert sentence.startswith("The operations database cspmap on no-such-host.invalid cannot be reached (")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:hunter2@db@host/cspmap",
        "postgresql://ann:hun/ter2hunter2@host/cspmap",
        "postgresql://ann@host/cspmap?password=hunter2&hunter2",
        "postgresql://ann@host/cspmap?passwort=hunter2",
        "postgresql://ann:hunter2%zz@host/cspmap",
        "postgresql://[hunter2/cspmap",
    ],
)
def test_address_that_cannot_be_read(url: str) -> None:
    assert refuse(lambda: Operations.open(url), secret="hunter2") == (
        "The address of the operations database cannot be read; write postgresql://USER:PASSWORD@HOST/NAME, with %40 "
        "for an @ and %2F for a slash in any of them."
    )


def test_what_the_address_leaves_out_comes_from_the_environment(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("HOST", "127.0.0.1"), ("PORT", server.port), ("USER", "postgres"), ("PASSWORD", PASSWORD)):
        monkeypatch.setenv(f"PG{name}", str(value))
    assert Operations.open("postgresql://").list_operations() == ()
    monkeypatch.setenv("PGDATABASE", "nowhere")
    assert refuse(lambda: Operations.open("postgresql://")).startswith(
        'The operations database nowhere on 127.0.0.1 cannot be reached (database "nowhere" does not exist)'
    )


def test_wrong_password(server: Server) -> None:
    sentence = refuse(lambda: Operations.open(server.url(password="hunter2")), secret="hunter2")
    assert sentence == (
        "The operations database postgres on 127.0.0.1 cannot be reached (password authentication failed for user "
        '"postgres"); look at the address, the network and the server.'
    )


def test_no_such_database(server: Server) -> None:
    assert refuse(lambda: Operations.open(server.url(database="nowhere"))) == (
        'The operations database nowhere on 127.0.0.1 cannot be reached (database "nowhere" does not exist); look at '
        "the address, the network and the server."
    )


def test_user_without_rights(server: Server, new_url: NewUrl) -> None:
    url = new_url("postgresql")
    schema = url.rpartition("%3D")[2]
    server.run(f"CREATE ROLE guest_{schema} LOGIN PASSWORD '{PASSWORD}'")
    server.run(f"GRANT USAGE ON SCHEMA {schema} TO guest_{schema}")
    guest = url.replace("postgres:", f"guest_{schema}:")
    said = (
        "The operations database postgres on 127.0.0.1 may not be used so by this user; ask whoever looks after the "
        "server for the right to create tables and to read and write them."
    )
    assert refuse(lambda: Operations.open(guest)) == said
    saved = Operations.open(url).save_operation(OCTANS, who="Ann")
    server.run(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO guest_{schema}")
    reader = Operations.open(guest)
    assert reader.list_operations() == (saved,)
    assert refuse(lambda: reader.save_operation(replace(saved, notes=""), who="Ben")) == said


def test_server_that_may_only_be_read(new_url: NewUrl) -> None:
    url = new_url("postgresql")
    saved = Operations.open(url).save_operation(OCTANS, who="Ann")

    operations = Operations.open(f"{url}%20-cdefault_transaction_read_only%3Don")
    assert operations.list_operations() == (saved,)
    assert refuse(lambda: operations.save_operation(replace(saved, notes=""), who="Ben")) == (
        "The operations database postgres on 127.0.0.1 may only be read; name the server that is written to."
    )


def test_server_whose_disk_is_full() -> None:
    import psycopg

    database = postgres_module.PostgresDatabase("postgresql://db/cspmap")
    assert str(database._name_error(psycopg.errors.DiskFull("could not extend file"))) == (
        "The operations database cspmap on db cannot be written, as the server's disk is full; ask whoever looks after "
        "it to free space."
    )


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert refuse(lambda: Operations.open("postgresql://db/cspmap")) == (
        "The operations database is on PostgreSQL, which needs one more package; install it with: pip install "
        "'cspmap[postgres]'."
    )


def test_writer_that_does_not_end(new_url: NewUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    operations = Operations.open(new_url("postgresql"))
    monkeypatch.setattr(postgres_module, "_BEGIN_WRITING", postgres_module._BEGIN_WRITING.replace("20s", "50ms"))
    with operations._database.transact(write=True):
        assert refuse(lambda: operations.save_operation(OCTANS, who="Ann")) == (
            "The operations database postgres on 127.0.0.1 has been busy with another change for long; try again in a "
            "moment."
        )
        assert operations.list_operations() == (), "readers do not wait for it"
    operations.save_operation(OCTANS, who="Ann")


def test_server_that_stops_and_comes_back() -> None:
    with start_server() as server:
        operations = Operations.open(server.url())
        saved = operations.save_operation(OCTANS, who="Ann")
        server.control("stop", "-m", "immediate")
        assert "cannot be reached (Connection refused)" in refuse(operations.list_operations)
        assert "cannot be reached" in refuse(lambda: operations.save_operation(OCTANS, who="Ann"))
        server.control("start")
        assert operations.list_operations() == (saved,)


def test_server_that_goes_away_in_the_middle(server: Server, new_url: NewUrl) -> None:
    """As when it is restarted, or the network breaks: nothing of the change is kept."""
    operations = Operations.open(new_url("postgresql"))

    def save() -> None:
        with operations._database.transact(write=True) as run:
            run("INSERT INTO cspmap_records VALUES ('operation', ?, 1, '', 'Ann', 0, '{}')", OCTANS.id)
            (pid,) = run("SELECT pg_backend_pid()")[0]
            server.run(f"SELECT pg_terminate_backend({pid})")
            run("SELECT 1")

    assert "cannot be reached (terminating connection due to administrator command)" in refuse(save)
    assert operations.list_operations() == ()


def test_user_with_too_many_connections(server: Server) -> None:
    server.run(f"CREATE ROLE ann LOGIN CONNECTION LIMIT 0 PASSWORD '{PASSWORD}'")
    assert refuse(lambda: Operations.open(server.url().replace("postgres:", "ann:"))) == (
        'The operations database postgres on 127.0.0.1 cannot be reached (too many connections for role "ann"); look '
        "at the address, the network and the server."
    )


def test_database_in_another_encoding_keeps_any_text(server: Server) -> None:
    server.run("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    operations = Operations.open(server.url(database="latin"))
    saved = operations.save_operation(OCTANS, who="Zoë")
    assert operations.read_operation(OCTANS.id) == saved
    assert operations.read_history(OCTANS.id)[0].who == "Zoë"
    assert refuse(lambda: operations.save_operation(replace(saved, notes=""), who="李")).startswith(
        "The operations database latin on 127.0.0.1 refused ("
    )


def test_schemas_keep_partnerships_apart(new_url: NewUrl) -> None:
    luton, beds = Operations.open(new_url("postgresql")), Operations.open(new_url("postgresql"))
    luton.save_operation(OCTANS, who="Ann")
    assert beds.list_operations() == ()
