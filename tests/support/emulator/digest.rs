//! Digests and their spellings.

use aws_lc_rs::{digest, hmac};
use md5::{Digest as _, Md5};
use std::fmt::Write as _;

pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

pub(crate) fn sha1(bytes: &[u8]) -> Vec<u8> {
    let sha1 = &digest::SHA1_FOR_LEGACY_USE_ONLY;
    digest::digest(sha1, bytes).as_ref().to_vec()
}

pub(crate) fn md5(bytes: &[u8]) -> Vec<u8> {
    Md5::digest(bytes).to_vec()
}

pub(crate) fn hmac_sha256(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, bytes).as_ref().to_vec()
}

/// A reflected CRC of `width_bits` bits that begins and ends with all ones.
pub(crate) fn crc(polynomial: u64, width_bits: u32, bytes: &[u8]) -> Vec<u8> {
    let all_ones = u64::MAX >> (64 - width_bits);
    let mut sum = all_ones;
    for byte in bytes {
        sum ^= u64::from(*byte);
        for _ in 0..8 {
            let is_odd = sum & 1 == 1;
            sum = (sum >> 1) ^ if is_odd { polynomial } else { 0 };
        }
    }
    let all = (sum ^ all_ones).to_be_bytes();
    all[8 - width_bits as usize / 8..].to_vec()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").ok();
    }
    text
}

pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || text.len() % 2 == 1 {
        return None;
    }
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let all = three.iter().chain([&0; 2]).take(3);
        let bits = all.fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        for at in 0..4 {
            let letter = BASE64[bits >> (18 - 6 * at) & 63];
            text.push(if at <= three.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    text
}
