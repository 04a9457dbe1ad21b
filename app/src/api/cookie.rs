//! The cookie that carries a session's token.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};

/// How the cookie is called and when browsers send it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionCookie {
    /// Whether people reach this server by TLS: then no other host can set it, and it never travels in clear.
    pub secure: bool,
}

/// The longest that a browser keeps it; the server ends sessions by itself.
const LIFE: Duration = Duration::from_hours(7 * 24);

impl SessionCookie {
    /// The header that gives a browser this token.
    ///
    /// # Errors
    ///
    /// If the token is none of ours: it has characters that headers may not have.
    pub fn giving(self, token: &str) -> Result<HeaderValue, header::InvalidHeaderValue> {
        self.header(token, LIFE)
    }

    /// The header that takes it away.
    ///
    /// # Errors
    ///
    /// Never: it has nothing in it that could be wrong.
    pub fn taking(self) -> Result<HeaderValue, header::InvalidHeaderValue> {
        self.header("", Duration::ZERO)
    }

    /// The token that a request carries.
    pub fn token(self, headers: &HeaderMap) -> Option<&str> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
        let mut pairs =
            cookies.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
        pairs
            .find(|(name, _)| *name == self.name())
            .map(|(_, token)| token)
            .filter(|it| !it.is_empty())
    }

    const fn name(self) -> &'static str {
        // Browsers take the prefix only together with `Secure`.
        if self.secure { "__Host-fiftyone_migrate" } else { "fiftyone_migrate" }
    }

    fn header(
        self,
        token: &str,
        life: Duration,
    ) -> Result<HeaderValue, header::InvalidHeaderValue> {
        let secure = if self.secure { "; Secure" } else { "" };
        let text = format!(
            "{}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}",
            self.name(),
            life.as_secs()
        );
        HeaderValue::from_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carrying(cookies: &[&str]) -> HeaderMap {
        let cookies = cookies.iter().map(|it| (header::COOKIE, HeaderValue::from_str(it).unwrap()));
        cookies.collect()
    }

    #[test]
    fn a_token_that_was_given_is_found_among_others() {
        for secure in [false, true] {
            let cookie = SessionCookie { secure };
            let given = cookie.giving("abc-_1").unwrap();
            let pair = given.to_str().unwrap().split(';').next().unwrap().to_owned();
            let headers = carrying(&["a=b; c=d", &format!("x=y; {pair}; z=")]);
            assert_eq!(cookie.token(&headers), Some("abc-_1"));
        }
    }

    #[test]
    fn over_tls_it_belongs_to_this_host_alone() {
        let given = SessionCookie { secure: true }.giving("t").unwrap();
        let given = given.to_str().unwrap();
        assert!(given.starts_with("__Host-") && given.ends_with("; Secure"), "{given}");
        let headers = carrying(&["fiftyone_migrate=t"]);
        assert_eq!(SessionCookie { secure: true }.token(&headers), None);
    }

    #[test]
    fn no_script_can_read_it_and_no_other_site_can_post_with_it() {
        let given = SessionCookie { secure: false }.giving("t").unwrap();
        let given = given.to_str().unwrap();
        assert!(given.contains("; HttpOnly") && given.contains("; SameSite=Lax"), "{given}");
    }

    #[test]
    fn a_cookie_that_was_taken_away_is_no_token() {
        let taken = SessionCookie { secure: false }.taking().unwrap();
        assert!(taken.to_str().unwrap().contains("Max-Age=0"));
        assert_eq!(SessionCookie { secure: false }.token(&carrying(&["fiftyone_migrate="])), None);
    }
}
