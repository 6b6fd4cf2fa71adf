"""The embedded server's promises, with real servers, and clients that are processes of their own and really killed."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from service.embedded import EmbeddedServerError, embedded_server
from service.embedded.account import Account
from service.embedded.binaries import find_binaries
from service.embedded.cluster import postmaster
from service.embedded.locks import opened, try_exclusive
from tests.databases import UNSAFE_AND_FAST

CLIENT = """
import signal, sys
from pathlib import Path
from service.embedded import embedded_server

signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
# A test run in the background of a script hands down that Ctrl-C is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
with embedded_server(Path(sys.argv[1]), options={"fsync": "off"}) as server:
    print(server.dsn(), flush=True)
    sys.stdin.readline()
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="is about root")


class Client:
    """Another process that uses the server of a directory until it is told to leave."""

    def __init__(self, directory: Path, **popen: Any) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CLIENT, str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            **popen,
        )

    def dsn(self) -> str:
        """Waits for the server and gives its connection string."""
        assert self.process.stdout is not None
        line = str(self.process.stdout.readline()).strip()
        assert line, "the client did not get a server"
        return line

    def leave(self) -> int:
        self.process.communicate("\n", timeout=60)
        return int(self.process.returncode)

    def end(self, sign: signal.Signals) -> int:
        self.process.send_signal(sign)
        self.process.communicate(timeout=60)
        return int(self.process.returncode)


@pytest.fixture
def client() -> Iterator[Callable[..., Client]]:
    with contextlib.ExitStack() as clients:

        def start(directory: Path, **popen: Any) -> Client:
            client = Client(directory, **popen)
            clients.callback(client.end, signal.SIGTERM)
            return client

        yield start


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A directory for a server, with no server left behind whatever a test did."""
    directory = tmp_path / "server"
    yield directory
    if directory.exists():
        leave_none_behind(directory)


def leave_none_behind(directory: Path) -> None:
    if is_running(directory):
        with embedded_server(directory):
            pass


def is_running(directory: Path) -> bool:
    """Whether any process of the server lives."""
    with opened(directory / "running") as running:
        return not try_exclusive(running)


def ask(dsn: str, query: str) -> object:
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None


def execute(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement.encode())


def test_is_durable_and_closed_to_the_network_unless_told_otherwise(directory: Path) -> None:
    with embedded_server(directory) as server:
        settings = {
            name: ask(server.dsn(), f"show {name}")
            for name in ("fsync", "synchronous_commit", "full_page_writes", "listen_addresses", "timezone")
        }
    assert settings == {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "listen_addresses": "",
        "timezone": "UTC",
    }


def test_only_the_owner_can_reach_the_socket(directory: Path) -> None:
    with embedded_server(directory, options=UNSAFE_AND_FAST) as server:
        assert server.socket_directory.stat().st_mode & 0o777 == 0o700


def test_options_reach_the_server_whatever_is_in_them(directory: Path) -> None:
    awkward = """a 'b' "c" $HOME `id` \\ ;"""
    with embedded_server(directory, options={**UNSAFE_AND_FAST, "cluster_name": awkward}) as server:
        assert ask(server.dsn(), "show cluster_name") == awkward
        assert ask(server.dsn(), "show fsync") == "off"


def test_variables_meant_for_clients_do_not_change_the_server(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGDATA", "/nonexistent")
    with embedded_server(directory, options=UNSAFE_AND_FAST) as server:
        assert ask(server.dsn(), "show port") == "5432"


def test_stops_with_its_only_user_and_keeps_the_data(directory: Path) -> None:
    with embedded_server(directory) as server:
        execute(server.dsn(), "create table kept as select 42 as answer")
        assert is_running(directory)
    assert not is_running(directory)
    with embedded_server(directory) as server:
        assert ask(server.dsn(), "select answer from kept") == 42


def test_is_stopped_when_the_user_fails(directory: Path) -> None:
    with pytest.raises(ZeroDivisionError), embedded_server(directory, options=UNSAFE_AND_FAST):
        raise ZeroDivisionError
    assert not is_running(directory)


def test_two_users_in_one_process_share_a_server(directory: Path) -> None:
    with embedded_server(directory, options=UNSAFE_AND_FAST) as outer:
        with embedded_server(directory) as inner:
            assert inner.dsn() == outer.dsn()
        assert ask(outer.dsn(), "select 1") == 1
    assert not is_running(directory)


def test_processes_that_start_at_once_share_one_server_and_the_last_one_out_stops_it(
    directory: Path, client: Callable[..., Client]
) -> None:
    clients = [client(directory) for _ in range(6)]
    started = {ask(each.dsn(), "select pg_postmaster_start_time()::text") for each in clients}
    assert len(started) == 1

    *others, last = clients
    assert [each.leave() for each in others] == [0] * 5
    assert is_running(directory)
    assert last.leave() == 0
    assert not is_running(directory)


@pytest.mark.parametrize("killed", ["the one that started it", "another"])
def test_a_killed_user_leaves_the_server_up_and_the_next_one_to_leave_stops_it(
    directory: Path, client: Callable[..., Client], killed: str
) -> None:
    first = client(directory)
    first.dsn()
    second = client(directory)
    second.dsn()
    victim, survivor = (first, second) if killed == "the one that started it" else (second, first)

    victim.end(signal.SIGKILL)
    assert is_running(directory)
    survivor.leave()
    assert not is_running(directory)


def test_a_server_whose_only_user_was_killed_is_used_and_stopped_by_a_later_one(
    directory: Path, client: Callable[..., Client]
) -> None:
    only = client(directory)
    before = ask(only.dsn(), "select pg_postmaster_start_time()::text")
    only.end(signal.SIGKILL)
    assert is_running(directory)

    with embedded_server(directory) as server:
        assert ask(server.dsn(), "select pg_postmaster_start_time()::text") == before
    assert not is_running(directory)


def test_a_user_that_ends_on_sigterm_stops_the_server(directory: Path, client: Callable[..., Client]) -> None:
    only = client(directory)
    only.dsn()
    assert only.end(signal.SIGTERM) == 143
    assert not is_running(directory)


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(directory: Path, client: Callable[..., Client]) -> None:
    starter = client(directory, start_new_session=True)
    starter.dsn()
    with embedded_server(directory) as server:
        os.killpg(starter.process.pid, signal.SIGINT)
        starter.process.wait(60)
        assert ask(server.dsn(), "select 1") == 1


def test_a_server_that_was_killed_is_started_again_and_recovers(directory: Path, client: Callable[..., Client]) -> None:
    with embedded_server(directory) as server:
        execute(server.dsn(), "create table kept as select 42 as answer")
        pid = postmaster(directory).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

        later = client(directory)
        assert ask(later.dsn(), "select answer from kept") == 42


def test_a_process_number_used_again_since_a_crash_does_not_prevent_the_start(directory: Path) -> None:
    with embedded_server(directory, options=UNSAFE_AND_FAST):
        written = (directory / "data" / "postmaster.pid").read_text()
    lines = [str(os.getpid()), *written.splitlines()[1:]]
    (directory / "data" / "postmaster.pid").write_text("\n".join(lines))

    with embedded_server(directory, options=UNSAFE_AND_FAST) as server:
        assert ask(server.dsn(), "select 1") == 1


def test_an_interrupted_initialisation_is_done_again(directory: Path) -> None:
    (directory / "data.new").mkdir(parents=True)
    (directory / "data.new" / "PG_VERSION").write_text("18")
    with embedded_server(directory, options=UNSAFE_AND_FAST) as server:
        assert ask(server.dsn(), "select 1") == 1


@pytest.mark.parametrize("name", ["with space", "a,b", "quotes ' and \"", "$HOME `id` \\", "Größe"])
def test_any_name_of_a_folder_will_do(tmp_path: Path, name: str) -> None:
    with embedded_server(tmp_path / name, options=UNSAFE_AND_FAST) as server:
        assert ask(server.dsn(), "show data_directory") == str(tmp_path / name / "data")
    assert not is_running(tmp_path / name)


def test_below_a_very_long_path_the_socket_has_a_short_folder_that_goes_with_the_server(tmp_path: Path) -> None:
    directory = tmp_path.joinpath(*(["long" * 10] * 5))
    with embedded_server(directory, options=UNSAFE_AND_FAST) as server:
        assert ask(server.dsn(), "select 1") == 1
        assert server.socket_directory.stat().st_mode & 0o777 == 0o700
    assert not server.socket_directory.exists()


def test_data_of_another_version_is_refused_with_the_way_out(directory: Path) -> None:
    with embedded_server(directory, options=UNSAFE_AND_FAST):
        pass
    (directory / "data" / "PG_VERSION").write_text("14\n")
    with pytest.raises(EmbeddedServerError, match=r"made by PostgreSQL 14.*pg_upgrade"), embedded_server(directory):
        pass


def test_a_start_that_fails_shows_the_servers_own_words(directory: Path) -> None:
    with (
        pytest.raises(EmbeddedServerError, match="no_such_setting"),
        embedded_server(directory, options={"no_such_setting": "1"}),
    ):
        pass
    assert not is_running(directory)
    with embedded_server(directory, options=UNSAFE_AND_FAST) as server:
        assert ask(server.dsn(), "select 1") == 1


def test_a_configured_folder_without_postgresql_is_an_error_that_names_it(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENURE_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(EmbeddedServerError, match=f"TENURE_POSTGRES_BIN={tmp_path}"), embedded_server(directory):
        pass


def test_a_directory_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedServerError, match="file/server"), embedded_server(tmp_path / "file" / "server"):
        pass


@as_root
def test_for_root_it_runs_as_nobody_where_nobody_can_reach_the_directory(open_folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    if not Account(nobody.pw_uid, nobody.pw_gid, switch=True).reaches(find_binaries().folder, open_folder):
        pytest.skip("other users cannot reach PostgreSQL's programs")
    with embedded_server(open_folder / "server", options=UNSAFE_AND_FAST):
        pid = postmaster(open_folder / "server").pid
        assert Path(f"/proc/{pid}").stat().st_uid == nobody.pw_uid


@as_root
def test_for_root_it_runs_below_a_closed_folder_and_opens_none(tmp_path: Path) -> None:
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    before = modes_up_from(closed)
    with embedded_server(closed / "project" / "server", options=UNSAFE_AND_FAST) as server:
        assert ask(server.dsn(), "select 1") == 1
        assert modes_up_from(closed) == before
    assert modes_up_from(closed) == before


@as_root
def test_for_root_it_runs_below_a_closed_folder_where_user_namespaces_are_forbidden(
    tmp_path: Path, client: Callable[..., Client]
) -> None:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is not installed")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "setpriv").symlink_to(setpriv)
    before = modes_up_from(tmp_path)
    without_unshare = client(tmp_path / "server", env={**os.environ, "PATH": str(programs)})

    assert ask(without_unshare.dsn(), "select 1") == 1
    assert (tmp_path / "server" / "data").stat().st_uid == pwd.getpwnam("nobody").pw_uid
    assert modes_up_from(tmp_path) == before
    without_unshare.leave()
    # And what one way has made, another takes over.
    with embedded_server(tmp_path / "server", options=UNSAFE_AND_FAST) as server:
        assert ask(server.dsn(), "select 1") == 1


@as_root
def test_an_ordinary_user_runs_it_as_himself(open_folder: Path, client: Callable[..., Client]) -> None:
    nobody = pwd.getpwnam("nobody")
    identity: dict[str, Any] = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": "/"}
    try:
        subprocess.run([sys.executable, "-c", "import service"], check=True, **identity)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("other users cannot reach this checkout or its Python")
    os.chown(open_folder, nobody.pw_uid, nobody.pw_gid)
    ordinary = client(open_folder / "server", **identity)

    assert ask(ordinary.dsn(), "select 1") == 1
    assert (open_folder / "server" / "data").stat().st_uid == nobody.pw_uid
    assert ordinary.leave() == 0
    assert not is_running(open_folder / "server")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter: pytest's own are closed."""
    # Its parent's sticky bit and mode 1777 let nobody reach it.
    folder = Path("/tmp", f"tenure-test-open-{os.getpid()}")
    folder.mkdir(mode=0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def modes_up_from(folder: Path) -> list[tuple[int, int, int]]:
    return [(each.stat().st_mode, each.stat().st_uid, each.stat().st_gid) for each in (folder, *folder.parents)]
