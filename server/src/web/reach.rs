//! How people reach this server: on this machine, or by an address of which somebody else keeps the certificate.

use std::str::FromStr;

use app::api::SessionCookie;
use axum::http::Uri;
use axum::http::uri::Authority;

/// By which names this server may be asked for, and whether what is said travels in clear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    public: Option<Authority>,
}

/// An address that people cannot be told to use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoReach {
    /// Not `https://host`.
    #[error("`{0}` is not an address such as `https://migrate.example.com`")]
    NotAnAddress(String),
    /// Passwords would travel in clear.
    #[error(
        "`{0}` is not `https:`, so that passwords would travel in clear; put a proxy with a certificate in front and \
         give its address"
    )]
    InClear(String),
}

impl Reach {
    /// Whether it can be reached from elsewhere at all.
    pub const fn is_public(&self) -> bool {
        self.public.is_some()
    }

    /// Whether a request that asks for this host asks for us.
    pub fn is_own(&self, host: &str) -> bool {
        let Ok(asked) = host.parse::<Authority>() else { return false };
        if self.public.as_ref() == Some(&asked) {
            return true;
        }
        let name = asked.host().trim_start_matches('[').trim_end_matches(']');
        name.eq_ignore_ascii_case("localhost")
            || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Whether a page of this origin is one of ours, which a request for this host was sent from.
    pub fn is_own_origin(&self, origin: &str, host: &str) -> bool {
        let Ok(origin) = origin.parse::<Uri>() else { return false };
        let secure = origin.scheme_str() == Some("https");
        let same = origin.authority().is_some_and(|it| it.as_str().eq_ignore_ascii_case(host));
        same && self.is_own(host) && secure == self.is_public_name(host)
    }

    /// Whether this is the origin of the pages at the address that people are told.
    pub fn is_public_origin(&self, origin: &str) -> bool {
        self.public.as_ref().is_some_and(|it| {
            origin
                .strip_prefix("https://")
                .is_some_and(|host| it.as_str().eq_ignore_ascii_case(host))
        })
    }

    /// The cookie for whoever comes by this host.
    pub fn cookie(&self, host: &str) -> SessionCookie {
        SessionCookie { secure: self.is_public_name(host) }
    }

    /// The address of a page, as people type it. `local`: where the server listens.
    pub fn link(&self, local: std::net::SocketAddr, path: &str) -> String {
        match &self.public {
            Some(host) => format!("https://{host}{path}"),
            None => format!("http://{local}{path}"),
        }
    }

    fn is_public_name(&self, host: &str) -> bool {
        self.public.as_ref().is_some_and(|it| it.as_str().eq_ignore_ascii_case(host))
    }
}

impl FromStr for Reach {
    type Err = NoReach;

    fn from_str(text: &str) -> Result<Self, NoReach> {
        let odd = || NoReach::NotAnAddress(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| odd())?;
        let host = uri.authority().filter(|it| !it.as_str().contains('@')).ok_or_else(odd)?;
        match uri.scheme_str() {
            Some("https") if matches!(uri.path(), "" | "/") && uri.query().is_none() => {
                Ok(Self { public: Some(host.clone()) })
            }
            Some("http") => Err(NoReach::InClear(text.to_owned())),
            _ => Err(odd()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_loopback_are_own_without_an_address() {
        let reach = Reach::default();
        for own in ["localhost", "LOCALHOST:8051", "127.0.0.1:8051", "127.0.0.1", "[::1]:8051"] {
            assert!(reach.is_own(own), "{own}");
        }
        for foreign in ["example.com", "localhost.example.com:8051", "192.168.1.4:8051", ""] {
            assert!(!reach.is_own(foreign), "{foreign}");
        }
    }

    #[test]
    fn an_address_is_a_name_of_its_own_and_goes_by_tls() {
        let reach: Reach = "https://migrate.example.com".parse().unwrap();
        assert!(reach.is_own("migrate.example.com") && !reach.is_own("example.com"));
        assert!(reach.cookie("migrate.example.com").secure);
        assert!(!reach.cookie("127.0.0.1:8051").secure);
        let local = "127.0.0.1:8051".parse().unwrap();
        assert_eq!(reach.link(local, "/a"), "https://migrate.example.com/a");
        assert_eq!(Reach::default().link(local, "/a"), "http://127.0.0.1:8051/a");
    }

    #[test]
    fn a_page_of_another_origin_is_none_of_ours() {
        let reach: Reach = "https://migrate.example.com".parse().unwrap();
        assert!(reach.is_own_origin("https://migrate.example.com", "migrate.example.com"));
        assert!(reach.is_own_origin("http://127.0.0.1:8051", "127.0.0.1:8051"));
        for (origin, host) in [
            ("http://migrate.example.com", "migrate.example.com"),
            ("https://evil.example", "migrate.example.com"),
            ("http://127.0.0.1:9999", "127.0.0.1:8051"),
            ("http://localhost:8051", "127.0.0.1:8051"),
            ("null", "127.0.0.1:8051"),
            ("https://evil.example", "evil.example"),
        ] {
            assert!(!reach.is_own_origin(origin, host), "{origin} for {host}");
        }
    }

    #[test]
    fn an_address_without_a_certificate_is_refused() {
        assert!(matches!("http://example.com".parse::<Reach>(), Err(NoReach::InClear(_))));
        for odd in ["example.com", "https://", "ftp://a", "https://a/b", "https://me@a", ""] {
            assert!(matches!(odd.parse::<Reach>(), Err(NoReach::NotAnAddress(_))), "{odd}");
        }
    }
}
