//! How much one sender and one site may send. A limiter is a fixed array of slots, one atomic
//! number each, picked by a hash: its memory is bounded whatever the flood, nothing ever needs
//! sweeping, and no address is kept. Two keys that meet in one slot share its budget; the hash is
//! keyed anew by every process, so nobody can aim.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed, StateStore};
use governor::{NotUntil, Quota, RateLimiter};

use crate::ingest::client::ClientIp;
use crate::limits::{
    ADDRESS_RATE, CARRIER_BURST, CARRIER_RATE, LIMIT_SLOTS, SITE_LIMIT_SLOTS, SITE_RATE,
};
use crate::tenant::SiteId;

/// Rates per second; 0 counts as 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitConfig {
    /// Requests of one address (IPv6: of one /64).
    pub address_rate: u32,
    /// Events of one (mobile carrier's address, site).
    pub carrier_rate: u32,
    pub carrier_burst: u32,
    /// Events of one site.
    pub site_rate: u32,
}

impl Default for LimitConfig {
    fn default() -> LimitConfig {
        LimitConfig {
            address_rate: ADDRESS_RATE,
            carrier_rate: CARRIER_RATE,
            carrier_burst: CARRIER_BURST,
            site_rate: SITE_RATE,
        }
    }
}

/// Over a limit; the whole seconds until the next may pass, at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limited {
    pub(super) retry_after_s: u32,
}

pub(super) struct Limits<C: Clock = DefaultClock> {
    hasher: RandomState,
    address: Limiter<C>,
    carrier: Limiter<C>,
    site: Limiter<C>,
}

impl Limits {
    pub(super) fn new(config: &LimitConfig) -> Limits {
        Limits::with_clock(config, DefaultClock::default())
    }
}

impl<C: Clock + Clone> Limits<C> {
    fn with_clock(config: &LimitConfig, clock: C) -> Limits<C> {
        let (address, site) = (config.address_rate, config.site_rate);
        Limits {
            hasher: RandomState::new(),
            address: Limiter::new((address, address), LIMIT_SLOTS, clock.clone()),
            carrier: Limiter::new(
                (config.carrier_rate, config.carrier_burst),
                LIMIT_SLOTS,
                clock.clone(),
            ),
            site: Limiter::new((site, site), SITE_LIMIT_SLOTS, clock),
        }
    }

    /// One request of an address that is nobody's gateway.
    pub(super) fn address(&self, client: &ClientIp) -> Result<(), Limited> {
        self.address.take(self.hasher.hash_one(network(client)))
    }

    /// One event from a mobile carrier's gateway to one site.
    pub(super) fn carrier(&self, client: &ClientIp, site: SiteId) -> Result<(), Limited> {
        self.carrier.take(self.hasher.hash_one((network(client), site)))
    }

    /// One event of a site.
    pub(super) fn site(&self, site: SiteId) -> Result<(), Limited> {
        // Site numbers are dense, so no two sites meet before there are as many as slots.
        self.site.take(u64::from(site.0))
    }
}

/// What one subscriber holds: an IPv4 address, or an IPv6 /64.
fn network(client: &ClientIp) -> u64 {
    match client.address() {
        IpAddr::V4(v4) => u64::from(v4.to_bits()),
        IpAddr::V6(v6) => (v6.to_bits() >> 64) as u64,
    }
}

struct Limiter<C: Clock>(RateLimiter<u64, Slots, C, NoOpMiddleware<C::Instant>>);

impl<C: Clock> Limiter<C> {
    fn new((rate, burst): (u32, u32), slots: usize, clock: C) -> Limiter<C> {
        let at_least_one = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(rate)).allow_burst(at_least_one(burst));
        Limiter(RateLimiter::new(quota, Slots::new(slots), clock))
    }

    fn take(&self, key: u64) -> Result<(), Limited> {
        self.0.check_key(&key).map_err(|refusal: NotUntil<C::Instant>| {
            let wait = refusal.wait_time_from(self.0.clock().now());
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            Limited { retry_after_s: u32::try_from(seconds).unwrap_or(u32::MAX).max(1) }
        })
    }
}

struct Slots(Box<[InMemoryState]>);

impl Slots {
    fn new(count: usize) -> Slots {
        assert!(count.is_power_of_two(), "slots are picked by a mask");
        Slots(std::iter::repeat_with(InMemoryState::default).take(count).collect())
    }
}

impl StateStore for Slots {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, key: &u64, decide: F) -> Result<T, E>
    where
        F: Fn(Option<governor::nanos::Nanos>) -> Result<(T, governor::nanos::Nanos), E>,
    {
        let slot = &self.0[*key as usize & (self.0.len() - 1)];
        slot.measure_and_replace(&NotKeyed::NonKey, decide)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;
    use http::HeaderMap;

    use super::{LimitConfig, Limited, Limits};
    use crate::ingest::client::ClientIp;
    use crate::tenant::SiteId;

    fn limits() -> (Limits<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Limits::with_clock(&LimitConfig::default(), clock.clone()), clock)
    }

    fn client(address: &str) -> ClientIp {
        let address: IpAddr = address.parse().unwrap();
        ClientIp::find(address, &HeaderMap::new(), &[])
    }

    fn passed(mut take: impl FnMut() -> Result<(), Limited>) -> u32 {
        (0..100_000).take_while(|_| take().is_ok()).count() as u32
    }

    #[test]
    fn an_address_has_its_rate_and_gets_it_back() {
        let (limits, clock) = limits();
        let (a, b) = (client("203.0.113.5"), client("203.0.113.6"));
        assert_eq!(passed(|| limits.address(&a)), 100);
        assert_eq!(limits.address(&a), Err(Limited { retry_after_s: 1 }));
        assert_eq!(passed(|| limits.address(&b)), 100);
        clock.advance(Duration::from_millis(500));
        assert_eq!(passed(|| limits.address(&a)), 50);
    }

    #[test]
    fn an_ipv6_subscriber_is_one_64() {
        let (limits, _clock) = limits();
        let (a, same, other) = ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1");
        assert_eq!(passed(|| limits.address(&client(a))), 100);
        assert!(limits.address(&client(same)).is_err());
        assert_eq!(passed(|| limits.address(&client(other))), 100);
    }

    #[test]
    fn a_carrier_gateway_has_a_budget_for_each_site() {
        let (limits, clock) = limits();
        let gateway = client("100.64.0.1");
        assert_eq!(passed(|| limits.carrier(&gateway, SiteId(1))), 2_000);
        assert_eq!(passed(|| limits.carrier(&gateway, SiteId(2))), 2_000);
        clock.advance(Duration::from_secs(1));
        assert_eq!(passed(|| limits.carrier(&gateway, SiteId(1))), 1_000);
    }

    #[test]
    fn a_site_has_a_rate_of_its_own() {
        let (limits, _clock) = limits();
        assert_eq!(passed(|| limits.site(SiteId(1))), 25_000);
        assert_eq!(passed(|| limits.site(SiteId(2))), 25_000);
    }

    #[test]
    fn the_wait_is_rounded_up_and_nothing_divides_by_zero() {
        let clock = FakeRelativeClock::default();
        let zero = LimitConfig { address_rate: 0, carrier_rate: 0, carrier_burst: 0, site_rate: 0 };
        let limits = Limits::with_clock(&zero, clock);
        assert_eq!(passed(|| limits.site(SiteId(1))), 1);
        assert_eq!(limits.site(SiteId(1)), Err(Limited { retry_after_s: 1 }));
    }

    #[test]
    fn a_flood_of_new_addresses_takes_no_memory_and_hurts_few() {
        let (limits, _clock) = limits();
        for n in 0..50_000u32 {
            let _ = limits.address(&ClientIp::find(n.to_be_bytes().into(), &HeaderMap::new(), &[]));
        }
        let visitor = client("203.0.113.5");
        // Its slot may have been touched, hardly ever drained.
        assert!(passed(|| limits.address(&visitor)) > 90);
    }
}
