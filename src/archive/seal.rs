//! `Seal`: the comment at the end of our archives, a hash of everything from the manifest on.
//!
//! The manifest holds hashes of all bytes before it; the seal vouches for the manifest, the
//! directory and the end. Together a changed byte anywhere in what lives is found.

/// The comment of an archive of ours (APPNOTE 4.3.16, ".ZIP file comment").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    /// BLAKE3 from the manifest's local header to the end record, the comment itself left out.
    hash: blake3::Hash,
}

const PREFIX: &str = "zipkeep 1 blake3 ";

impl Seal {
    /// Length of its text.
    pub const TEXT_BYTES: usize = PREFIX.len() + 64;

    pub(super) fn of(hash: blake3::Hash) -> Self {
        Self { hash }
    }

    /// Reads the seal at the end of an archive; `None` where it has none.
    pub fn read(last: &[u8]) -> Option<Self> {
        let text = last.get(last.len().checked_sub(Self::TEXT_BYTES)?..)?;
        let hex = std::str::from_utf8(text).ok()?.strip_prefix(PREFIX)?;
        let hash = blake3::Hash::from_hex(hex).ok()?;
        // The same hash in capitals is not what was written.
        (hash.to_hex().as_str() == hex).then_some(Self { hash })
    }

    pub(super) fn to_text(self) -> String {
        format!("{PREFIX}{}", self.hash.to_hex())
    }

    /// Whether `hasher` has seen everything from the manifest's local header to the end record.
    pub fn fits(self, hasher: &blake3::Hasher) -> bool {
        self.hash == hasher.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_seal_is_read() {
        let seal = Seal::of(blake3::hash(b"tail"));
        let text = seal.to_text();
        assert_eq!(text.len(), Seal::TEXT_BYTES);
        assert_eq!(Seal::read(format!("bytes{text}").as_bytes()), Some(seal));
        for broken in [
            &text[1..],
            &text.to_uppercase(),
            "",
            &text.replace('1', "2"),
        ] {
            assert_eq!(Seal::read(broken.as_bytes()), None, "{broken}");
        }
    }
}
