//! SHA-256, as text.

use sha2::{Digest, Sha256};

/// The hash of some bytes, as 64 letters.
pub fn of(bytes: &[u8]) -> String {
    text(&Sha256::digest(bytes))
}

/// Bytes as letters.
pub fn text(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from(LETTERS[usize::from(half)]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_written_as_everybody_writes_it() {
        assert_eq!(of(b"abc")[..16], *"ba7816bf8f01cfea");
        assert_eq!(text(&[0, 15, 255]), "000fff");
    }
}
