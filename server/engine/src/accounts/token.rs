//! What somebody proves with who they are: drawn at random, kept by them alone, known here by its hash.

use std::fmt::{self, Write};

use sha2::{Digest, Sha256};

/// How many random bytes: 192 bits, more than anybody can try.
const SIZE_BYTES: usize = 24;

/// A secret that was just made, and is told once.
#[derive(Clone)]
pub struct Token(String);

/// The operating system gives no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no random numbers ({0}), without which nobody can sign in")]
pub struct NoChance(#[from] getrandom::Error);

impl Token {
    /// Draws one.
    ///
    /// # Errors
    ///
    /// [`NoChance`], on systems that are broken.
    pub(crate) fn draw() -> Result<Self, NoChance> {
        Ok(Self(hex(&random::<SIZE_BYTES>()?)))
    }

    /// The secret itself, in letters that fit into an address or a cookie.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// By which it is known here.
    pub(crate) fn hash(&self) -> String {
        hash(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// By which a secret is known here. There is no way back, and no need to be slow: nobody can guess a token.
pub(crate) fn hash(text: &str) -> String {
    hex(&Sha256::digest(text))
}

/// As many bytes as asked for from the operating system's generator.
pub(crate) fn random<const SIZE: usize>() -> Result<[u8; SIZE], NoChance> {
    let mut bytes = [0; SIZE];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, it| {
        // Writing to a text cannot fail.
        write!(text, "{it:02x}").ok();
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tokens_are_the_same_and_each_fits_into_an_address() {
        let (one, other) = (Token::draw().unwrap(), Token::draw().unwrap());
        assert_ne!(one.text(), other.text());
        assert_eq!(one.text().len(), 48);
        assert!(one.text().bytes().all(|it| it.is_ascii_alphanumeric()));
    }

    #[test]
    fn a_token_is_not_told_by_accident_and_not_found_in_its_hash() {
        let token = Token::draw().unwrap();
        assert_eq!(format!("{token:?}"), "Token(..)");
        assert_eq!(token.hash(), hash(token.text()));
        assert!(!token.hash().contains(token.text()));
    }

    #[test]
    fn a_hash_is_sha_256() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash("abc"), known);
    }
}
