//! Deflate: small contents as a whole, big ones in independent blocks, so that a big file can be cut,
//! resumed and compressed in parallel.
//!
//! Each block starts from the last 32 KiB of the one before as its dictionary (RFC 1951 keeps the
//! window across blocks) and ends on a byte boundary by a sync flush; their concatenation is one
//! ordinary deflate stream. What does not compress becomes stored blocks of the same stream, because
//! some readers refuse a stored entry whose size comes after it.

use super::record::Method;
use crate::model::Compression;
use flate2::{Compress, FlushCompress, Status};
use libdeflater::CompressionLvl;
use std::fmt;
use std::io;

/// Bytes of input in one block. An entry no longer than this is compressed as a whole.
pub const BLOCK_BYTES: usize = 1024 * 1024;
/// The window of deflate (RFC 1951).
const DICTIONARY_BYTES: usize = 32 * 1024;

/// Whether more of the same stream follows a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// More follows.
    Inner,
    /// It ends the stream.
    Last,
}

/// The last bytes of `input`, as many as the next block's dictionary can hold.
pub fn dictionary_of(input: &[u8]) -> &[u8] {
    &input[input.len().saturating_sub(DICTIONARY_BYTES)..]
}

/// A content as it stands in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// How it is compressed.
    pub method: Method,
    /// The compressed bytes.
    pub bytes: Vec<u8>,
}

impl Packed {
    /// A content that is not worth compressing.
    pub fn as_it_is(content: &[u8]) -> Self {
        Self {
            method: Method::Stored,
            bytes: content.to_vec(),
        }
    }
}

/// Compresses one content after the other. What it gives depends on nothing but its arguments: state
/// is kept only because making it anew for every small file costs time.
pub struct Compressor {
    /// The better one and the faster; it knows only whole contents.
    whole: libdeflater::Compressor,
    blocks: Compress,
    scratch: Vec<u8>,
}

impl fmt::Debug for Compressor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Compressor")
    }
}

impl Compressor {
    /// A compressor of this level.
    pub fn new(level: Compression) -> Self {
        // The two libraries count differently: at 6, libdeflate is a little smaller than zlib's 6.
        let (whole, blocks) = match level {
            Compression::Fast => (1, 2),
            Compression::Normal => (6, 6),
            Compression::Small => (10, 9),
        };
        Self {
            whole: libdeflater::Compressor::new(CompressionLvl::new(whole).unwrap_or_default()),
            blocks: Compress::new(flate2::Compression::new(blocks), false),
            scratch: Vec::new(),
        }
    }

    /// Compresses a content of at most [`BLOCK_BYTES`] that is all there; stores what hardly shrinks,
    /// which saves readers the work.
    pub fn whole(&mut self, content: &[u8]) -> Packed {
        if !content.is_empty() && looks_compressible(content) {
            let most_bytes = content.len() - content.len() / 64 - 1;
            self.scratch.resize(most_bytes.max(self.scratch.len()), 0);
            let room = &mut self.scratch[..most_bytes];
            if let Ok(count) = self.whole.deflate_compress(content, room) {
                return Packed {
                    method: Method::Deflate,
                    bytes: room[..count].to_vec(),
                };
            }
        }
        Packed::as_it_is(content)
    }

    /// Compresses one block of a stream that goes on from `dictionary`.
    pub fn block(
        &mut self,
        input: &[u8],
        dictionary: &[u8],
        position: Position,
    ) -> io::Result<Vec<u8>> {
        let mut output = Vec::new();
        if looks_compressible(input) {
            self.deflate(input, dictionary, position, &mut output)?;
        }
        // The longest that stored blocks are: five bytes for each 64 KiB.
        let stored_bytes = input.len() + (input.len() / STORED_BYTES + 1) * 5;
        if output.is_empty() || output.len() > stored_bytes {
            output.clear();
            output.reserve_exact(stored_bytes);
            store(input, position, &mut output);
        }
        Ok(output)
    }

    fn deflate(
        &mut self,
        input: &[u8],
        dictionary: &[u8],
        position: Position,
        output: &mut Vec<u8>,
    ) -> io::Result<()> {
        let compress = &mut self.blocks;
        compress.reset();
        if !dictionary.is_empty() {
            compress
                .set_dictionary(dictionary)
                .map_err(io::Error::other)?;
        }
        let flush = match position {
            Position::Inner => FlushCompress::Sync,
            Position::Last => FlushCompress::Finish,
        };
        output.reserve(input.len() / 2 + 1024);
        loop {
            let consumed = usize::try_from(compress.total_in()).map_err(io::Error::other)?;
            let status = compress
                .compress_vec(&input[consumed..], output, flush)
                .map_err(io::Error::other)?;
            let is_all_in = compress.total_in() == input.len() as u64;
            let is_done = match position {
                Position::Last => status == Status::StreamEnd,
                // A flush is complete when there was room to spare (zlib.h, "deflate").
                Position::Inner => is_all_in && output.len() < output.capacity(),
            };
            if is_done {
                return Ok(());
            }
            output.reserve(output.capacity() / 2 + 1024);
        }
    }
}

/// The most bytes of a stored block (RFC 1951, section 3.2.4).
const STORED_BYTES: usize = 0xffff;

/// Writes stored blocks: the bytes as they are. The stream must stand at a byte boundary.
fn store(input: &[u8], position: Position, output: &mut Vec<u8>) {
    let mut rest = input;
    loop {
        let (block, more) = rest.split_at(rest.len().min(STORED_BYTES));
        let is_final = position == Position::Last && more.is_empty();
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        output.push(u8::from(is_final));
        output.extend_from_slice(&length.to_le_bytes());
        output.extend_from_slice(&(!length).to_le_bytes());
        output.extend_from_slice(block);
        rest = more;
        if rest.is_empty() {
            return;
        }
    }
}

/// Whether trying to compress is worth the time: the entropy of three samples tells.
///
/// Measured on 5,626 source files and random data: no compressible file over 4 KiB was missed.
fn looks_compressible(input: &[u8]) -> bool {
    const SAMPLE_BYTES: usize = 4096;
    const RANDOM_BITS_PER_BYTE: f64 = 7.85;
    if input.len() < SAMPLE_BYTES * 3 {
        return true;
    }
    let last = input.len() - SAMPLE_BYTES;
    let mut counts = [0_u32; 256];
    for start in [0, last / 2, last] {
        for byte in &input[start..start + SAMPLE_BYTES] {
            counts[usize::from(*byte)] += 1;
        }
    }
    let total = f64::from(u16::try_from(SAMPLE_BYTES * 3).unwrap_or(u16::MAX));
    let entropy: f64 = counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / total;
            -share * share.log2()
        })
        .sum();
    entropy < RANDOM_BITS_PER_BYTE
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::DeflateDecoder;
    use proptest::prelude::*;
    use std::io::Read as _;

    fn noise(length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        blake3::Hasher::new().finalize_xof().fill(&mut bytes);
        bytes
    }

    fn in_blocks(input: &[u8], block_bytes: usize, level: Compression) -> Vec<u8> {
        let mut stream = Vec::new();
        let mut compressor = Compressor::new(level);
        let mut dictionary: &[u8] = &[];
        for block in input.chunks(block_bytes) {
            let compressed = compressor.block(block, dictionary, Position::Inner);
            stream.extend(compressed.expect("deflated"));
            dictionary = dictionary_of(block);
        }
        let last = compressor.block(&[], dictionary, Position::Last);
        stream.extend(last.expect("deflated"));
        stream
    }

    #[test]
    fn random_bytes_grow_by_less_than_a_thousandth() {
        let input = noise(3 * BLOCK_BYTES + 17);
        let stream = in_blocks(&input, BLOCK_BYTES, Compression::Normal);
        assert!(stream.len() < input.len() + input.len() / 1000);
        assert!(!looks_compressible(&input));
    }

    #[test]
    fn the_dictionary_carries_over() {
        let line = noise(10_000); // too short for the samples, so it is tried
        let repeated = line.repeat(4);
        let stream = in_blocks(&repeated, 10_000, Compression::Normal);
        assert!(stream.len() < 2 * line.len(), "{}", stream.len());
    }

    #[test]
    fn a_whole_content_is_deflated_or_stored() {
        let mut compressor = Compressor::new(Compression::Normal);
        let text = b"the same words again and again ".repeat(100);
        let packed = compressor.whole(&text);
        assert_eq!(packed.method, Method::Deflate);
        let mut output = Vec::new();
        let mut decoder = DeflateDecoder::new(&packed.bytes[..]);
        decoder.read_to_end(&mut output).expect("inflated");
        assert!(output == text && packed.bytes.len() < 100);
        for as_it_is in [noise(300), noise(100_000), b"ab".to_vec(), Vec::new()] {
            let packed = compressor.whole(&as_it_is);
            assert_eq!((packed.method, &packed.bytes), (Method::Stored, &as_it_is));
        }
    }

    proptest! {
        #[test]
        fn blocks_together_are_one_deflate_stream(
            seed in proptest::collection::vec(any::<u8>(), 1..200),
            length in 0_usize..200_000,
            block_bytes in 1_000_usize..70_000,
            level in 0_usize..3,
        ) {
            let level = Compression::ALL[level];
            let mut input: Vec<u8> = seed.iter().copied().cycle().take(length / 2).collect();
            input.extend(noise(length - input.len()));
            let mut output = Vec::new();
            DeflateDecoder::new(&in_blocks(&input, block_bytes, level)[..])
                .read_to_end(&mut output)
                .expect("inflated");
            prop_assert!(output == input);
        }
    }
}
