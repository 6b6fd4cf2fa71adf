"""Under which account the server runs. PostgreSQL refuses to run as root."""

import os
import pwd
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

from service.embedded.errors import EmbeddedServerError


class Account(msgspec.Struct, frozen=True):
    """A way to start PostgreSQL's programs, and who owns the files they make (as seen from here)."""

    uid: int
    gid: int
    prefix: tuple[str, ...] = ()
    switch: bool = False

    def run(
        self,
        command: Sequence[str | Path],
        *,
        output: int | IO[bytes],
        timeout: float,
        environment: Mapping[str, str] | None = None,
        keep_open: Sequence[int] = (),
    ) -> "subprocess.CompletedProcess[bytes]":
        """Runs a command to its end, both output streams to `output`, in a session that Ctrl-C does not reach."""
        return subprocess.run(
            [*self.prefix, *command],
            check=False,
            cwd="/",
            env=environment,
            extra_groups=[] if self.switch else None,
            group=self.gid if self.switch else None,
            pass_fds=keep_open,
            start_new_session=True,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            timeout=timeout,
            user=self.uid if self.switch else None,
        )

    def reaches(self, binaries: Path, directory: Path) -> bool:
        """Tried, not computed from modes: access lists and container rules have their say as well."""
        script = 'cd "$1" && "$2" --version'
        try:
            trial = self.run(
                ["/bin/sh", "-c", script, "sh", directory, binaries / "postgres"],
                output=subprocess.DEVNULL,
                timeout=30,
            )
        except (OSError, subprocess.SubprocessError):
            return False
        return trial.returncode == 0


def server_account(binaries: Path, directory: Path) -> Account:
    """The account for a server with these programs and this directory; changes no permission anywhere.

    An ordinary user runs it as himself. Raises `EmbeddedServerError` where root has no way to.
    """
    if os.geteuid() != 0:
        return Account(uid=os.geteuid(), gid=os.getegid())
    for account in _accounts_for_root():
        if account.reaches(binaries, directory):
            return account
    raise EmbeddedServerError(
        f"PostgreSQL refuses to run as root, and the account 'nobody' cannot reach {directory} and {binaries}: "
        "run as an ordinary user, or use folders that others may enter, or set TENURE_DATABASE_URL to a server."
    )


def _accounts_for_root() -> Iterator[Account]:
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        # initdb insists on an account that has a name.
        return
    uid, gid = nobody.pw_uid, nobody.pw_gid
    yield Account(uid=uid, gid=gid, switch=True)
    # Below a closed folder (root's home): in a user namespace root is called nobody and still owns its files.
    namespace = ("unshare", "--user", f"--map-user={uid}", f"--map-group={gid}", "--")
    yield Account(uid=0, gid=0, prefix=namespace)
    # Containers forbid namespaces, but may let nobody keep root's right to pass closed folders. The last option lets
    # that right count in access(2) too, by which initdb looks for its companions.
    kept = ("--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override", "--securebits=+no_setuid_fixup")
    identity = (f"--reuid={uid}", f"--regid={gid}", "--clear-groups")
    yield Account(uid=uid, gid=gid, prefix=("setpriv", *identity, *kept, "--"))
