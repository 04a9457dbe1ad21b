//! Passwords: which are taken, and how they are kept, by argon2id.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use super::{Name, token};

/// How many characters a password has at least; NIST SP 800-63B asks for no more where they are hashed slowly.
const SHORTEST: usize = 12;

/// How many bytes it has at most: nobody types more.
const LONGEST_BYTES: usize = 1024;

/// How many are hashed at a time, each in 19 MiB: more than that would not be sooner done, and whoever sends very many
/// should not get all memory there is.
static AT_ONCE: Semaphore = Semaphore::const_new(4);

/// What is compared with where there is no account, so that it takes as long: a hash that no password has.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// It could be guessed.
    #[error("the password is too short; it takes 12 characters or more, like four words")]
    TooShort,
    /// Nobody types that.
    #[error("the password is too long; it may have 1,024 bytes")]
    TooLong,
    /// It would be the first guess.
    #[error("the password is the name; choose one that nobody can guess from it")]
    IsName,
}

/// Whether a new password is good enough for an account of this name.
///
/// # Errors
///
/// [`PasswordFault`] if it is not.
pub(super) fn check(password: &str, name: &Name) -> Result<(), PasswordFault> {
    if password.chars().count() < SHORTEST {
        return Err(PasswordFault::TooShort);
    }
    if password.len() > LONGEST_BYTES {
        return Err(PasswordFault::TooLong);
    }
    if super::name::id(password) == name.id {
        return Err(PasswordFault::IsName);
    }
    Ok(())
}

/// What is kept of a password: a text that says how it was made, salt included.
pub(super) async fn hash(password: &str) -> Result<String, String> {
    let password = password.to_owned();
    slowly(move || {
        let salt = token::random::<16>().map_err(|it| it.to_string())?;
        let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
        hash.map(|it| it.to_string()).map_err(|it| it.to_string())
    })
    .await?
}

/// Whether a password is the one that this was kept of; where nothing was, it is not, which takes as long.
pub(super) async fn is_right(password: &str, kept: Option<&str>) -> Result<bool, String> {
    if password.len() > LONGEST_BYTES {
        return Ok(false);
    }
    let password = password.to_owned();
    let kept = kept.unwrap_or(NOBODYS).to_owned();
    slowly(move || {
        let kept = PasswordHash::new(&kept).map_err(|it| it.to_string())?;
        Ok(Argon2::default().verify_password(password.as_bytes(), &kept).is_ok())
    })
    .await?
}

/// Does what takes long where nobody else has to wait for it.
async fn slowly<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    let permit = AT_ONCE.acquire().await.map_err(|it| it.to_string())?;
    let done = tokio::task::spawn_blocking(move || {
        // It ends when the work does, also where nobody waits for it any more.
        let _permit = permit;
        work()
    });
    done.await.map_err(|it| it.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> Name {
        Name::read("Ada.Lovelace").unwrap()
    }

    #[test]
    fn a_password_is_long_enough_not_too_long_and_not_the_name() {
        assert_eq!(check("elevenchars", &ada()), Err(PasswordFault::TooShort));
        // Characters are counted, not bytes.
        assert_eq!(check("öööööööööö", &ada()), Err(PasswordFault::TooShort));
        assert_eq!(check("twelve chars", &ada()), Ok(()));
        assert_eq!(check(&"x".repeat(1024), &ada()), Ok(()));
        assert_eq!(check(&"x".repeat(1025), &ada()), Err(PasswordFault::TooLong));
        assert_eq!(check(" ada.LOVELACE", &ada()), Err(PasswordFault::IsName));
    }

    #[tokio::test]
    async fn what_is_kept_knows_its_password_and_no_other() {
        let kept = hash("correct horse battery").await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(is_right("correct horse battery", Some(&kept)).await.unwrap());
        assert!(!is_right("Correct horse battery", Some(&kept)).await.unwrap());
        assert_ne!(kept, hash("correct horse battery").await.unwrap());
    }

    #[tokio::test]
    async fn nobodys_password_is_made_like_everybodys_and_never_right() {
        let made = |it: &str| it.rsplitn(3, '$').last().unwrap().to_owned();
        assert_eq!(made(NOBODYS), made(&hash("correct horse battery").await.unwrap()));
        let lengths = |it: &str| it.split('$').map(str::len).collect::<Vec<_>>();
        assert_eq!(lengths(NOBODYS), lengths(&hash("correct horse battery").await.unwrap()));
        for password in ["", "\0", "correct horse battery"] {
            assert!(!is_right(password, None).await.unwrap());
        }
    }
}
