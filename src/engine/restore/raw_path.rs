//! Paths in files that only this computer reads: as text where they are text, else in hexadecimal.

use crate::engine::hex::{from_hex, to_hex};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Kept<T> {
    Text(T),
    Raw { hex: String },
}

pub(super) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    let kept = match path.to_str() {
        Some(text) => Kept::Text(text),
        None => Kept::Raw {
            hex: to_hex(&bytes_of(path)),
        },
    };
    kept.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    match Kept::<String>::deserialize(deserializer)? {
        Kept::Text(text) => Ok(PathBuf::from(text)),
        Kept::Raw { hex } => {
            let path = from_hex(&hex).and_then(path_of);
            path.ok_or_else(|| D::Error::custom("a path is damaged"))
        }
    }
}

#[cfg(unix)]
fn bytes_of(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes().to_vec()
}

#[cfg(unix)]
#[expect(
    clippy::unnecessary_wraps,
    reason = "on Windows not all bytes are a path"
)]
fn path_of(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    Some(PathBuf::from(OsString::from_vec(bytes)))
}

#[cfg(windows)]
fn bytes_of(path: &Path) -> Vec<u8> {
    use std::os::windows::ffi::OsStrExt as _;
    path.as_os_str()
        .encode_wide()
        .flat_map(u16::to_le_bytes)
        .collect()
}

#[cfg(windows)]
fn path_of(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::windows::ffi::OsStringExt as _;
    let (pairs, rest) = bytes.as_chunks::<2>();
    let wide: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    rest.is_empty()
        .then(|| PathBuf::from(OsString::from_wide(&wide)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder(#[serde(with = "super")] PathBuf);

    #[test]
    fn a_path_reads_back_and_stays_readable() {
        let plain = Holder(PathBuf::from("Käse/a b"));
        let json = serde_json::to_string(&plain).expect("written");
        assert_eq!(json, r#""Käse/a b""#);
        assert_eq!(serde_json::from_str::<Holder>(&json).expect("read"), plain);
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_no_text_reads_back() {
        let odd = Holder(path_of(b"a\xff/b".to_vec()).expect("a path"));
        let json = serde_json::to_string(&odd).expect("written");
        assert_eq!(serde_json::from_str::<Holder>(&json).expect("read"), odd);
        assert!(serde_json::from_str::<Holder>(r#"{"hex":"6"}"#).is_err());
    }
}
