//! How often it may be tried to sign in, and what is counted as the same who tries.

use std::{net::IpAddr, time::Duration};

use super::token;
use crate::store::Limit;

/// For one account from one address.
pub(super) const OF_PAIR: Limit = Limit {
    free: 5,
    first: Duration::from_secs(1),
    longest: Duration::from_mins(15),
    remembered: Duration::from_hours(24),
};

/// For one account from everywhere. It is high, and the wait short: whoever fails on purpose from many addresses slows its owner
/// down, and does not lock them out.
pub(super) const OF_ACCOUNT: Limit =
    Limit { free: 100, longest: Duration::from_mins(1), ..OF_PAIR };

/// For one address, behind which there may be many people.
pub(super) const OF_ADDRESS: Limit = Limit { free: 20, ..OF_PAIR };

/// What the attempts at an account are counted by. Not its name: people type passwords where names belong, and what is not
/// known is counted as well.
pub(super) fn account(id: &str) -> String {
    format!("account {}", token::hash(id))
}

/// What the attempts at an account from an address are counted by.
pub(super) fn pair(id: &str, address: &str) -> String {
    format!("pair {}", token::hash(&format!("{} {}", token::hash(id), network(address))))
}

/// What the attempts at the password of somebody who is signed in are counted by: strangers cannot use those up.
pub(super) fn password(id: &str) -> String {
    format!("password {}", token::hash(id))
}

/// What the attempts from an address are counted by.
pub(super) fn address(text: &str) -> String {
    format!("address {}", token::hash(&network(text)))
}

/// Whoever has one address of IPv6 has as many as they like that begin with the same half.
fn network(address: &str) -> String {
    match address.parse::<IpAddr>().map(|it| it.to_canonical()) {
        Ok(IpAddr::V4(it)) => it.to_string(),
        Ok(IpAddr::V6(it)) => {
            let [a, b, c, d, ..] = it.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_network_are_counted_together_and_others_are_not() {
        assert_eq!(network("2001:db8:0:1::1"), network("2001:db8::1:ffff:ffff:ffff:ffff"));
        assert_ne!(network("2001:db8:0:1::1"), network("2001:db8:0:2::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_eq!(network("a pipe"), "a pipe");
    }

    #[test]
    fn what_is_counted_does_not_say_what_was_typed() {
        assert!(!account("my password").contains("my password"));
        assert_ne!(account("192.0.2.1"), address("192.0.2.1"));
        assert_ne!(account("ada"), password("ada"));
        assert_eq!(pair("ada", "2001:db8::1"), pair("ada", "2001:db8::2"));
        assert_ne!(pair("ada", "192.0.2.1"), pair("ada", "192.0.2.2"));
        assert_ne!(pair("ada", "192.0.2.1"), pair("bob", "192.0.2.1"));
    }
}
