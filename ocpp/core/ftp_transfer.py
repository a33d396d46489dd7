"""Files over FTP and FTPS. Blocking; runs in the thread of a `Transfer`."""

import ftplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import SplitResult, unquote

from ocpp.core.file_transfer import CHUNK_BYTES, Sink, Source, file_name, names_file, path_of
from ocpp.core.transfer import FAILURE, Transfer, TransferError, watched

MAX_TALK = 64 * 1024
"""Characters that a server may say on the control connection; a talkative one greets with some hundred."""


class _Ftp(ftplib.FTP):
    """A control connection, and its data connections, that belong to a transfer."""

    transfer: Transfer
    heard = 0

    def connect(
        self, host: str = "", port: int = 0, timeout: float = 0, source_address: tuple[str, int] | None = None
    ) -> str:
        """See `ftplib.FTP.connect`."""
        self.host, self.port = host, port
        self.sock = self.transfer.connect(host, port)
        self.af = self.sock.family
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        return self.welcome

    def getline(self) -> str:
        """See `ftplib.FTP.getline`. Raises TransferError when the server does not come to an end."""
        line: str = super().getline()
        self.heard += len(line)
        if self.heard > MAX_TALK:
            raise TransferError(FAILURE, f"the server says more than {MAX_TALK} characters")
        return line

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """See `ftplib.FTP.ntransfercmd`; always passive, and to the server that was connected to."""
        connection = self.transfer.connect(*self.makepasv())
        try:
            answer = self.sendcmd(cmd)
            if answer[0] == "2":  # as servers do that mean the end of the last transfer
                answer = self.getresp()
            if answer[0] != "1":
                raise ftplib.error_reply(answer)
        except BaseException:
            connection.close()
            raise
        return connection, None


class _Ftps(ftplib.FTP_TLS, _Ftp):
    """The same with TLS."""


@contextmanager
def _session(url: SplitResult, transfer: Transfer, context: ssl.SSLContext | None) -> Iterator[ftplib.FTP]:
    if url.scheme == "ftps":
        ftp: _Ftp = _Ftps(context=watched(context if context is not None else ssl.create_default_context()))
    else:
        ftp = _Ftp()
    ftp.transfer = transfer
    try:
        ftp.connect(url.hostname or "", url.port or ftplib.FTP_PORT)
        ftp.login(unquote(url.username or "anonymous"), unquote(url.password or "anonymous@"))
        if isinstance(ftp, ftplib.FTP_TLS):
            ftp.prot_p()
        yield ftp
        ftp.quit()
    finally:
        ftp.close()


def download(url: SplitResult, sink: Sink, transfer: Transfer, context: ssl.SSLContext | None) -> None:
    """RETR the file."""
    with _session(url, transfer, context) as ftp:
        folder, _, name = unquote(path_of(url)).rpartition("/")
        _enter(ftp, folder)
        ftp.retrbinary(f"RETR {name}", sink.write, CHUNK_BYTES)


def upload(url: SplitResult, name: str, source: Source, transfer: Transfer, context: ssl.SSLContext | None) -> None:
    """STOR the file in the folder that the location is, or that its file is in. A folder that is not there is made."""
    with _session(url, transfer, context) as ftp:
        path = unquote(path_of(url))
        if names_file(url):
            _enter(ftp, path.rpartition("/")[0])
            _enter_if_folder(ftp, file_name(url))
        else:
            _enter(ftp, path, make=True)
        source.rewind()
        ftp.storbinary(f"STOR {name}", source, CHUNK_BYTES)


def _enter(ftp: ftplib.FTP, path: str, *, make: bool = False) -> None:
    """Go to a folder, from the one that a login leads to, or from the root where the path has two slashes (RFC 1738)."""
    folder = ("/" if path.startswith("//") else "") + path.strip("/")
    if not folder:
        return
    try:
        ftp.cwd(folder)
    except ftplib.error_perm:
        if not make:
            raise
        ftp.mkd(folder)
        ftp.cwd(folder)


def _enter_if_folder(ftp: ftplib.FTP, name: str) -> None:
    """A name with a dot may be a folder's all the same."""
    try:
        ftp.cwd(name)
    except ftplib.error_perm:
        return
