//! The client's connection as it comes out at the far end of the line.
//!
//! Two tasks move bytes between the socket and the line. What one connection has under way is
//! bounded, so a client that is not served stops sending, and does not hold up the others.

use super::exchange::After;
use super::line::Direction;
use super::stream::{Inflow, Outflow};
use bytes::{Bytes, BytesMut};
use std::io;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

/// More pieces than a window holds, so that only the window is a bound in practice.
const MOST_CHUNKS: usize = 4_096;

/// One client's connection.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) inflow: Inflow,
    pub(super) outflow: Outflow,
    reading: JoinHandle<()>,
    writing: JoinHandle<()>,
}

/// Bytes on the line, with their part of the connection's window.
#[derive(Debug)]
pub(super) struct Chunk {
    due: Instant,
    bytes: Bytes,
    room: OwnedSemaphorePermit,
}

impl Chunk {
    /// Waits until it has come the whole way.
    pub(super) async fn arrived(self) -> Bytes {
        wait_until(self.due).await;
        drop(self.room);
        self.bytes
    }
}

#[derive(Debug)]
enum Sent {
    Chunk(Chunk),
    Reset,
}

impl Wire {
    pub(super) fn open(client: TcpStream, up: &Arc<Direction>, down: &Arc<Direction>) -> Self {
        let (read_half, write_half) = client.into_split();
        let (to_proxy, chunks) = mpsc::channel(MOST_CHUNKS);
        let (to_client, sent) = mpsc::channel(MOST_CHUNKS);
        Self {
            inflow: Inflow::of_line(chunks),
            outflow: Outflow::Line(WireWriter {
                line: Arc::clone(down),
                room: Arc::new(Semaphore::new(down.window_bytes())),
                to_client,
            }),
            reading: tokio::spawn(read(read_half, Arc::clone(up), to_proxy)),
            writing: tokio::spawn(write(write_half, sent)),
        }
    }

    /// Ends the connection once all that was sent has arrived.
    pub(super) async fn end(self, after: After) {
        if let (After::Reset, Outflow::Line(line)) = (after, &self.outflow) {
            // A client that is gone needs no reset.
            line.to_client.send(Sent::Reset).await.ok();
        }
        drop(self.outflow);
        drop(self.inflow);
        // The socket closes with its last half; the reset must be set by then.
        self.reading.abort();
        self.reading.await.ok();
        self.writing.await.ok();
    }
}

/// The way back to the client.
#[derive(Debug)]
pub(super) struct WireWriter {
    line: Arc<Direction>,
    room: Arc<Semaphore>,
    to_client: mpsc::Sender<Sent>,
}

impl WireWriter {
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(self.line.piece_bytes()) {
            let room = take_room(&self.room, piece.len()).await?;
            let chunk = Chunk {
                due: self.line.take(piece.len()).await,
                bytes: Bytes::copy_from_slice(piece),
                room,
            };
            let sent = self.to_client.send(Sent::Chunk(chunk)).await;
            sent.map_err(|_| io::ErrorKind::BrokenPipe)?;
        }
        Ok(())
    }
}

async fn read(mut socket: OwnedReadHalf, line: Arc<Direction>, to_proxy: mpsc::Sender<Chunk>) {
    let room = Arc::new(Semaphore::new(line.window_bytes()));
    loop {
        let mut buffer = BytesMut::with_capacity(line.piece_bytes());
        match socket.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(length) => {
                let Ok(room) = take_room(&room, length).await else {
                    return;
                };
                let chunk = Chunk {
                    due: line.take(length).await,
                    bytes: buffer.freeze(),
                    room,
                };
                if to_proxy.send(chunk).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn write(mut socket: OwnedWriteHalf, mut sent: mpsc::Receiver<Sent>) {
    while let Some(next) = sent.recv().await {
        match next {
            Sent::Chunk(chunk) => {
                wait_until(chunk.due).await;
                if socket.write_all(&chunk.bytes).await.is_err() {
                    return;
                }
            }
            Sent::Reset => {
                // Without the linger, closing says RST; `forget` leaves out the orderly end.
                socket.as_ref().set_zero_linger().ok();
                socket.forget();
                return;
            }
        }
    }
}

async fn take_room(room: &Arc<Semaphore>, bytes: usize) -> io::Result<OwnedSemaphorePermit> {
    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
    let taken = Arc::clone(room).acquire_many_owned(bytes).await;
    taken.map_err(|_| io::ErrorKind::BrokenPipe.into())
}

async fn wait_until(due: Instant) {
    if due > Instant::now() {
        tokio::time::sleep_until(due.into()).await;
    }
}
