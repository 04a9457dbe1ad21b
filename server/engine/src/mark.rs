//! What is remembered of texts and documents of which there may be millions.

use sha2::{Digest, Sha256};

/// Half of the hash of some bytes: what two of millions do not share by chance.
pub fn mark(of: impl AsRef<[u8]>) -> u128 {
    let hash: [u8; 32] = Sha256::digest(of).into();
    hash.iter().take(16).fold(0, |all, it| (all << 8) | u128::from(*it))
}
