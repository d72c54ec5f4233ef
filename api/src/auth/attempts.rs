//! How often somebody may try to sign in: so many times at once, and then once in a while, for ever.
//!
//! Nobody is locked out: a limit that was reached by somebody else passes by itself, within the interval.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    time::Duration,
};

use domain::digest::Digest;
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::NoOpMiddleware,
    state::keyed::DashMapStateStore,
};

/// How often one more attempt on an account becomes possible.
const ACCOUNT_INTERVAL: Duration = Duration::from_secs(60);
/// How often one more attempt from an address becomes possible.
const PEER_INTERVAL: Duration = Duration::from_secs(6);
/// Addresses and names that are remembered at once, of each.
const KEYS_MAX: usize = 100_000;

type Limiter<K, C> = RateLimiter<K, DashMapStateStore<K>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// What one client, or many, may try.
pub struct Attempts<C: Clock = DefaultClock> {
    names: Limiter<Digest, C>,
    peers: Limiter<IpAddr, C>,
    clock: C,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts to sign in; the next one is possible in {retry_after_seconds} s")]
pub struct TooOften {
    pub retry_after_seconds: u64,
}

impl Attempts {
    /// So many attempts at once on one account, and from one address.
    #[must_use]
    pub fn new(account_max: NonZeroU32, peer_max: NonZeroU32) -> Self {
        Self::with_clock(account_max, peer_max, DefaultClock::default())
    }
}

impl<C: Clock + Clone> Attempts<C> {
    fn with_clock(account_max: NonZeroU32, peer_max: NonZeroU32, clock: C) -> Self {
        Self {
            names: RateLimiter::dashmap_with_clock(quota(ACCOUNT_INTERVAL, account_max), clock.clone()),
            peers: RateLimiter::dashmap_with_clock(quota(PEER_INTERVAL, peer_max), clock.clone()),
            clock,
        }
    }

    /// Counts an attempt from an address.
    ///
    /// # Errors
    ///
    /// [`TooOften`] if there were too many; this one does not count then.
    pub fn by_peer(&self, peer: IpAddr) -> Result<(), TooOften> {
        self.count(&self.peers, &network(peer), PEER_INTERVAL)
    }

    /// Counts an attempt on an account by the keyed hash of its name, whether there is one or not.
    ///
    /// # Errors
    ///
    /// As [`Attempts::by_peer`].
    pub fn on_account(&self, name: Digest) -> Result<(), TooOften> {
        self.count(&self.names, &name, ACCOUNT_INTERVAL)
    }

    fn count<K: Clone + Eq + std::hash::Hash>(
        &self,
        limiter: &Limiter<K, C>,
        key: &K,
        interval: Duration,
    ) -> Result<(), TooOften> {
        if limiter.len() >= KEYS_MAX {
            limiter.retain_recent();
        }
        if limiter.len() >= KEYS_MAX {
            return Err(TooOften {
                retry_after_seconds: interval.as_secs(),
            });
        }
        limiter.check_key(key).map_err(|early| {
            let wait = early.wait_time_from(self.clock.now());
            // Whoever comes after so many whole seconds is not early again.
            let retry_after_seconds = wait.as_secs() + 1;
            TooOften { retry_after_seconds }
        })
    }
}

fn quota(interval: Duration, at_once: NonZeroU32) -> Quota {
    Quota::with_period(interval)
        .unwrap_or_else(|| Quota::per_minute(at_once))
        .allow_burst(at_once)
}

/// Who has one address of version 6 has all of its network.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn attempts() -> (Attempts<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let max = |count| NonZeroU32::new(count).unwrap();
        (Attempts::with_clock(max(2), max(3), clock.clone()), clock)
    }

    fn name(n: u8) -> Digest {
        Digest::from_bytes([n; 32])
    }

    #[test]
    fn after_so_many_attempts_the_next_is_possible_in_a_while_and_it_is_said_when() {
        let (attempts, clock) = attempts();
        assert_eq!(attempts.on_account(name(1)), Ok(()));
        assert_eq!(attempts.on_account(name(1)), Ok(()));
        let TooOften { retry_after_seconds } = attempts.on_account(name(1)).unwrap_err();
        assert!(retry_after_seconds <= 61, "{retry_after_seconds}");
        // Others are not touched by it.
        assert_eq!(attempts.on_account(name(2)), Ok(()));

        clock.advance(Duration::from_secs(retry_after_seconds));
        assert_eq!(attempts.on_account(name(1)), Ok(()));
    }

    #[test]
    fn whoever_goes_on_trying_does_not_put_the_next_attempt_off() {
        let (attempts, clock) = attempts();
        for _ in 0..1000 {
            let _ = attempts.on_account(name(1));
        }
        clock.advance(Duration::from_secs(61));
        assert_eq!(attempts.on_account(name(1)), Ok(()));
    }

    #[test]
    fn an_address_tries_so_many_times_whatever_the_names() {
        let (attempts, _) = attempts();
        let peer: IpAddr = "192.0.2.1".parse().unwrap();
        for _ in 0..3 {
            assert_eq!(attempts.by_peer(peer), Ok(()));
        }
        assert!(attempts.by_peer(peer).is_err());
        assert!(attempts.by_peer("::ffff:192.0.2.1".parse().unwrap()).is_err());
        assert_eq!(attempts.by_peer("192.0.2.2".parse().unwrap()), Ok(()));
    }

    #[test]
    fn a_network_of_version_6_counts_as_one_address() {
        let network_of = |address: &str| network(address.parse().unwrap());
        assert_eq!(network_of("2001:db8:1:2:3:4:5:6"), network_of("2001:db8:1:2::1"));
        assert_ne!(network_of("2001:db8:1:3::1"), network_of("2001:db8:1:2::1"));
    }
}
