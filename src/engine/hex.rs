//! Bytes as text.

/// Bytes in lower-case hexadecimal.
pub(super) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes from hexadecimal; `None` when it is not.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn hexadecimal_reads_back(bytes in proptest::collection::vec(any::<u8>(), 0..40), text in ".{0,9}") {
            prop_assert_eq!(from_hex(&to_hex(&bytes)), Some(bytes));
            let _: Option<Vec<u8>> = from_hex(&text);
        }
    }
}
