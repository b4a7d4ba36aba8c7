//! Where the body of a message ends, seen as it passes by.

use super::head::Length;
use super::stream::Inflow;
use bytes::Bytes;
use std::io;

/// A body that is still coming. Pieces are raw: chunked framing stays in them.
#[derive(Debug)]
pub(super) enum Body {
    Bytes(u64),
    Chunked(Chunks),
    UntilClose,
}

impl Body {
    pub(super) fn new(length: Length) -> Self {
        match length {
            Length::Bytes(bytes) => Self::Bytes(bytes),
            Length::Chunked => Self::Chunked(Chunks::default()),
            Length::UntilClose => Self::UntilClose,
        }
    }

    /// The next piece, or `None` after the last. An early end is an error.
    pub(super) async fn piece(&mut self, from: &mut Inflow) -> io::Result<Option<Bytes>> {
        self.payload_piece(from, &mut |_| {}).await
    }

    /// Everything that is left, without framing.
    pub(super) async fn payload(&mut self, from: &mut Inflow) -> io::Result<Vec<u8>> {
        let mut payload = Vec::new();
        let is_chunked = matches!(self, Self::Chunked(_));
        loop {
            let mut framed = Vec::new();
            let piece = self
                .payload_piece(from, &mut |bytes| framed.extend_from_slice(bytes))
                .await?;
            match piece {
                None => return Ok(payload),
                Some(_) if is_chunked => payload.append(&mut framed),
                Some(piece) => payload.extend_from_slice(&piece),
            }
        }
    }

    async fn payload_piece(
        &mut self,
        from: &mut Inflow,
        on_chunk: &mut (impl FnMut(&[u8]) + Send),
    ) -> io::Result<Option<Bytes>> {
        let is_over = match self {
            Self::Bytes(left) => *left == 0,
            Self::Chunked(chunks) => chunks.is_over(),
            Self::UntilClose => false,
        };
        if is_over {
            return Ok(None);
        }
        let mut piece = from.next().await?;
        if piece.is_empty() {
            return match self {
                Self::UntilClose => Ok(None),
                _ => Err(io::ErrorKind::UnexpectedEof.into()),
            };
        }
        let length = match self {
            Self::Bytes(left) => {
                let length = usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(piece.len());
                *left -= length as u64;
                length
            }
            Self::Chunked(chunks) => chunks.scan(&piece, on_chunk)?,
            Self::UntilClose => piece.len(),
        };
        from.unread(piece.split_off(length));
        Ok(Some(piece))
    }
}

/// Follows the chunked coding.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// In a line with a size; the size so far, and whether its digits are over.
    Size {
        size: u64,
        digits_over: bool,
    },
    /// In a chunk, with so many bytes to come.
    Data(u64),
    /// At the line end behind a chunk.
    DataEnd,
    /// In the lines behind the last chunk; the length of this one so far.
    Trailer(usize),
    Over,
}

impl Default for Place {
    fn default() -> Self {
        Self::Size {
            size: 0,
            digits_over: false,
        }
    }
}

impl Chunks {
    fn is_over(&self) -> bool {
        matches!(self.place, Place::Over)
    }

    /// How many of these bytes belong to the body.
    fn scan(&mut self, bytes: &[u8], on_chunk: &mut impl FnMut(&[u8])) -> io::Result<usize> {
        let mut at = 0;
        while at < bytes.len() && !self.is_over() {
            if let Place::Data(left) = &mut self.place {
                let length = usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len() - at);
                on_chunk(&bytes[at..at + length]);
                at += length;
                *left -= length as u64;
                if *left == 0 {
                    self.place = Place::DataEnd;
                }
            } else {
                self.step(bytes[at])?;
                at += 1;
            }
        }
        Ok(at)
    }

    fn step(&mut self, byte: u8) -> io::Result<()> {
        match &mut self.place {
            Place::Size { size, .. } if byte == b'\n' => {
                self.place = match *size {
                    0 => Place::Trailer(0),
                    size => Place::Data(size),
                };
            }
            Place::Size { size, digits_over } => match char::from(byte).to_digit(16) {
                Some(digit) if !*digits_over => {
                    let more = size.checked_mul(16).map(|size| size + u64::from(digit));
                    *size = more.ok_or(io::ErrorKind::InvalidData)?;
                }
                _ => *digits_over = true,
            },
            Place::DataEnd if byte == b'\n' => self.place = Place::default(),
            Place::Trailer(length) => match byte {
                b'\n' if *length == 0 => self.place = Place::Over,
                b'\n' => *length = 0,
                b'\r' => {}
                _ => *length += 1,
            },
            Place::Data(_) | Place::DataEnd | Place::Over => {}
        }
        Ok(())
    }
}
