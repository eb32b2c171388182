# SPDX-License-Identifier: Apache-2.0
"""Real databases on loopback ports, with nothing in them, for the length of a test run.

They refuse to run as root: then they run as the user that the distribution made for them.
"""
import contextlib
import glob
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile

from .process import Child, eventually


class Unavailable(Exception):
    """This machine has none; the text says why."""


def _free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _as_user(name):
    """Command prefix to be user NAME, and the ids; nothing when we are nobody special ourselves."""
    if os.geteuid() != 0:
        return [], None
    try:
        user = pwd.getpwnam(name)
    except KeyError as e:
        raise Unavailable(f"there is no user {name}") from e
    return ["setpriv", f"--reuid={name}", f"--regid={user.pw_gid}", "--clear-groups"], user


@contextlib.contextmanager
def _folder(user):
    """Below /tmp itself: the database's user cannot look into the test's own folders."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gospan-test-db-", dir="/tmp"))
    try:
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(argv, cwd):
    done = subprocess.run(argv, cwd=cwd, capture_output=True, timeout=120)
    if done.returncode:
        raise Unavailable(f"{argv}: {done.stderr.decode(errors='replace')[-1000:]}")


def _wait_for(port, server):
    def answers():
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        return server.status is not None
    eventually(answers, 60)
    if server.status is not None:
        raise Unavailable(f"{server.argv}: {server.stderr.text()[-1000:]}")


@contextlib.contextmanager
def postgresql(*settings):
    """A PostgreSQL server's port: user postgres, no password, database postgres. SETTINGS are its
    configuration's: "log_statement=all"."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    if not found:
        raise Unavailable("PostgreSQL is not installed")
    programs = os.path.dirname(found[-1])
    prefix, user = _as_user("postgres")
    port = _free_port()
    with _folder(user) as folder:
        data = folder / "data"
        _run([*prefix, f"{programs}/initdb", "-D", data, "-A", "trust", "-U", "postgres",
              "--no-sync", "--locale=C"], folder)
        server = Child([f"{programs}/postgres", "-D", data, "-p", str(port), "-k", "", "-h",
                        "127.0.0.1", "-c", "fsync=off",
                        *(word for setting in settings for word in ("-c", setting))],
                       prefix=prefix, cwd=folder)
        server.keep()
        try:
            _wait_for(port, server)
            asks = [f"{programs}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
            eventually(lambda: subprocess.run(asks, timeout=10).returncode == 0, 60, 0.1)
            yield port
        finally:
            server.kill()


@contextlib.contextmanager
def mariadb(*options):
    """A MariaDB server's port: user root, no password, an empty database shop. OPTIONS are its own."""
    server_program, client = shutil.which("mariadbd"), shutil.which("mariadb")
    if not server_program or not shutil.which("mariadb-install-db") or not client:
        raise Unavailable("MariaDB is not installed")
    prefix, user = _as_user("mysql")
    port = _free_port()
    with _folder(user) as folder:
        data = folder / "data"
        _run([*prefix, "mariadb-install-db", "--no-defaults", f"--datadir={data}",
              "--auth-root-authentication-method=normal", "--skip-test-db"], folder)
        server = Child([server_program, "--no-defaults", f"--datadir={data}",
                        "--bind-address=127.0.0.1", f"--port={port}", f"--socket={folder}/sock",
                        "--innodb-flush-log-at-trx-commit=0", *options], prefix=prefix, cwd=folder)
        server.keep()
        try:
            _wait_for(port, server)
            _run([client, "--no-defaults", "-h", "127.0.0.1", "-P", str(port), "-u", "root", "-e",
                  "CREATE DATABASE shop"], folder)
            yield port
        finally:
            server.kill()
