//! `Unreadable`: why the content of an entry cannot be read, though nothing about it is damaged.

use serde::{Deserialize, Serialize};
use std::fmt;
use zip::CompressionMethod;

/// Why the content of an entry cannot be read by this program, by what the directory says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unreadable {
    /// Only a password opens it.
    Encrypted,
    /// It is compressed in a way that this program does not know: the number of the method (APPNOTE
    /// 4.4.5).
    Method(u16),
}

/// The method that stands for encryption by AES.
const AES: u16 = 99;

impl Unreadable {
    /// `None` where nothing stands in the way.
    #[expect(deprecated, reason = "no constant names what is not known")]
    pub(super) fn of(method: CompressionMethod, is_encrypted: bool) -> Option<Self> {
        match method {
            _ if is_encrypted => Some(Self::Encrypted),
            CompressionMethod::STORE
            | CompressionMethod::DEFLATE
            | CompressionMethod::DEFLATE64 => None,
            other => Some(Self::of_number(other.to_u16())),
        }
    }

    pub(super) fn of_number(method: u16) -> Self {
        match method {
            AES => Self::Encrypted,
            other => Self::Method(other),
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Method(number) = self else {
            return out.write_str("it is encrypted");
        };
        let name = match number {
            1 => "Shrink",
            2..=5 => "Reduce",
            6 | 10 => "Implode",
            12 => "bzip2",
            14 => "LZMA",
            20 | 93 => "Zstandard",
            94 => "MP3",
            95 => "XZ",
            96 => "JPEG",
            97 => "WavPack",
            98 => "PPMd",
            other => {
                return write!(
                    out,
                    "it is compressed by method {other}, which zipkeep does not read"
                );
            }
        };
        write!(
            out,
            "it is compressed with {name}, a method that zipkeep does not read"
        )
    }
}
