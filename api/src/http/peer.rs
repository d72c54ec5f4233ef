//! Who sent a request: the address at the other end, or the one that proxies pass on.

use std::net::IpAddr;

use axum::http::HeaderMap;

/// An address that a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

impl Peer {
    /// The client behind so many proxies that are trusted, each of which adds whom it was asked by to `X-Forwarded-For`.
    /// What stands before these was written by anybody, and is not believed.
    #[must_use]
    pub fn behind(self, proxies: usize, headers: &HeaderMap) -> Self {
        let Some(from_last) = proxies.checked_sub(1) else {
            return self;
        };
        let headers = headers.get_all("x-forwarded-for").iter();
        let addresses: Vec<_> = headers
            .filter_map(|header| header.to_str().ok())
            .flat_map(|header| header.split(','))
            .collect();
        let client = addresses.iter().rev().nth(from_last);
        client
            .and_then(|address| address.trim().parse().ok())
            .map_or(self, Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(forwarded: &[&str], proxies: usize) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        Peer([192, 0, 2, 9].into()).behind(proxies, &headers).0.to_string()
    }

    #[test]
    fn without_proxies_nobody_is_believed() {
        assert_eq!(client(&["198.51.100.1"], 0), "192.0.2.9");
    }

    #[test]
    fn each_proxy_says_who_asked_it_and_the_rest_is_made_up() {
        assert_eq!(client(&["203.0.113.7, 198.51.100.1"], 1), "198.51.100.1");
        assert_eq!(client(&["203.0.113.7", "198.51.100.1, 192.0.2.8"], 2), "198.51.100.1");
        assert_eq!(client(&["2001:db8::1"], 1), "2001:db8::1");
    }

    #[test]
    fn a_proxy_that_says_nothing_useful_is_itself_who_asks() {
        assert_eq!(client(&[], 1), "192.0.2.9");
        assert_eq!(client(&["unknown"], 1), "192.0.2.9");
        assert_eq!(client(&["198.51.100.1"], 2), "192.0.2.9");
    }
}
