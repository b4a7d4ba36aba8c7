//! Bytes from and to either side, whichever it is: the client's line or the server's socket.

use super::head::LONGEST_HEAD_BYTES;
use super::wire::{Chunk, WireWriter};
use bytes::{Bytes, BytesMut};
use std::io;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;

const READ_BYTES: usize = 64 << 10;

/// Bytes that come in.
#[derive(Debug)]
pub(super) struct Inflow {
    rest: Bytes,
    from: Origin,
}

#[derive(Debug)]
enum Origin {
    Line(mpsc::Receiver<Chunk>),
    Socket(OwnedReadHalf),
}

/// Bytes that go out.
#[derive(Debug)]
pub(super) enum Outflow {
    Line(WireWriter),
    Socket(OwnedWriteHalf),
}

impl Inflow {
    pub(super) fn of_line(chunks: mpsc::Receiver<Chunk>) -> Self {
        Self {
            rest: Bytes::new(),
            from: Origin::Line(chunks),
        }
    }

    pub(super) fn of_socket(socket: OwnedReadHalf) -> Self {
        Self {
            rest: Bytes::new(),
            from: Origin::Socket(socket),
        }
    }

    /// What comes next; nothing at the end.
    pub(super) async fn next(&mut self) -> io::Result<Bytes> {
        if !self.rest.is_empty() {
            return Ok(std::mem::take(&mut self.rest));
        }
        match &mut self.from {
            Origin::Line(chunks) => match chunks.recv().await {
                Some(chunk) => Ok(chunk.arrived().await),
                None => Ok(Bytes::new()),
            },
            Origin::Socket(socket) => {
                let mut buffer = BytesMut::with_capacity(READ_BYTES);
                socket.read_buf(&mut buffer).await?;
                Ok(buffer.freeze())
            }
        }
    }

    /// Puts back what was too much.
    pub(super) fn unread(&mut self, bytes: Bytes) {
        self.rest = bytes;
    }

    /// Everything up to the empty line, or `None` where the other side ended in good order.
    pub(super) async fn head(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut head = Vec::new();
        while head.len() < LONGEST_HEAD_BYTES {
            let piece = self.next().await?;
            if piece.is_empty() {
                let end = io::ErrorKind::UnexpectedEof.into();
                return if head.is_empty() { Ok(None) } else { Err(end) };
            }
            let seen = head.len().saturating_sub(3);
            head.extend_from_slice(&piece);
            if let Some(at) = head[seen..].windows(4).position(|end| end == b"\r\n\r\n") {
                let behind = head.split_off(seen + at + 4);
                self.unread(Bytes::from(behind));
                return Ok(Some(head));
            }
        }
        Err(io::ErrorKind::InvalidData.into())
    }

    /// Whether a kept connection is still open and has brought nothing unasked.
    pub(super) fn is_idle(&self) -> bool {
        let is_open = match &self.from {
            Origin::Line(_) => true,
            Origin::Socket(socket) => socket
                .try_read(&mut [0])
                .is_err_and(|problem| problem.kind() == io::ErrorKind::WouldBlock),
        };
        self.rest.is_empty() && is_open
    }
}

impl Outflow {
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Line(line) => line.write(bytes).await,
            Self::Socket(socket) => socket.write_all(bytes).await,
        }
    }
}
