//! The endpoints of services: addresses from the environment, the configuration, or a resolver.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Url;
use tokio::time::Instant;

use super::budget::Budget;
use super::env;

type Cause = Box<dyn Error + Send + Sync>;

/// Finds the addresses of services.
///
/// ```
/// use std::{error::Error, future::Future, pin::Pin};
/// use twyla_runtime::rpc::Resolve;
///
/// /// Every service has a name of its own in the cluster's DNS.
/// struct Cluster;
///
/// impl Resolve for Cluster {
///     fn resolve<'a>(&'a self, service: &'a str) -> Pin<Box<dyn Future<Output = Result<Vec<String>, Box<dyn Error + Send + Sync>>> + Send + 'a>> {
///         Box::pin(async move { Ok(vec![format!("http://{service}.default.svc:8080")]) })
///     }
/// }
/// ```
pub trait Resolve: Send + Sync + 'static {
    /// Returns the base URLs of a service, at least one. Calls append `/rpc/<method>` to them.
    ///
    /// The addresses are cached for five seconds; then one call resolves them again, and the others share its result.
    /// Meanwhile all calls use the previous addresses, unless those expired more than a minute ago. The resolver's deadline
    /// is two seconds. If it fails or takes longer, the previous addresses are used for another second; without previous
    /// addresses, the call is retried as if the service were unreachable.
    ///
    /// # Errors
    /// The reason is part of the caller's error.
    #[allow(clippy::type_complexity, reason = "a future behind a pointer, in full")]
    fn resolve<'a>(&'a self, service: &'a str)
    -> Pin<Box<dyn Future<Output = Result<Vec<String>, Cause>> + Send + 'a>>;
}

/// How long an unreachable address is tried only after the others: the time after the first failure, which doubles with each
/// further failure, and its maximum.
const DOWN: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(30)];

/// The addresses of one service.
pub(crate) struct Endpoints {
    pub(crate) addresses: Vec<Endpoint>,
    /// When the addresses expire; `None` for fixed addresses.
    pub(crate) until: Option<Instant>,
    pub(crate) budget: Arc<Budget>,
    next: AtomicUsize,
}

/// One address of a service.
pub(crate) struct Endpoint {
    /// The base URL, with a trailing `/`.
    base: Url,
    /// The number of consecutive failures to connect.
    failures: AtomicU32,
    /// When the address counts as reachable again, in milliseconds since `begun`; 0 if it is reachable.
    down_until: AtomicU64,
    begun: Instant,
}

impl Endpoints {
    pub(crate) fn new(urls: Vec<Url>, until: Option<Instant>, budget: Arc<Budget>) -> Self {
        let begun = Instant::now();
        let address = |base| Endpoint { base, failures: AtomicU32::new(0), down_until: AtomicU64::new(0), begun };
        Self { addresses: urls.into_iter().map(address).collect(), until, budget, next: AtomicUsize::new(0) }
    }

    /// Returns a copy with new addresses; an address that is in both keeps its state.
    pub(crate) fn renewed(&self, urls: Vec<Url>, until: Option<Instant>) -> Self {
        let next = Self::new(urls, until, self.budget.clone());
        for address in &next.addresses {
            if let Some(before) = self.addresses.iter().find(|before| before.base == address.base) {
                address.failures.store(before.failures.load(Ordering::Relaxed), Ordering::Relaxed);
                let elapsed = before.begun.elapsed();
                let left = Duration::from_millis(before.down_until.load(Ordering::Relaxed)).saturating_sub(elapsed);
                address.down_until.store(u64::try_from(left.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
        }
        next.next.store(self.next.load(Ordering::Relaxed), Ordering::Relaxed);
        next
    }

    /// Returns the base URLs.
    pub(crate) fn urls(&self) -> Vec<Url> {
        self.addresses.iter().map(|address| address.base.clone()).collect()
    }

    /// Returns the index of the next untried address, round-robin, with unreachable addresses last; `None` if `tried` has
    /// all of them.
    pub(crate) fn pick(&self, tried: &[usize]) -> Option<usize> {
        let count = self.addresses.len();
        if count == 1 {
            return tried.is_empty().then_some(0);
        }
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let left = || (0..count).map(|i| first.wrapping_add(i) % count).filter(|index| !tried.contains(index));
        left().find(|index| self.addresses.get(*index).is_some_and(Endpoint::is_up)).or_else(|| left().next())
    }
}

impl Endpoint {
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// Returns the URL of an RPC.
    pub(crate) fn url(&self, method: &str) -> Option<Url> {
        self.base.join(&format!("rpc/{method}")).ok()
    }

    fn is_up(&self) -> bool {
        let until = self.down_until.load(Ordering::Relaxed);
        until == 0 || self.begun.elapsed() >= Duration::from_millis(until)
    }

    /// Records whether the address was reachable.
    pub(crate) fn note(&self, reached: bool) {
        if reached {
            if self.failures.load(Ordering::Relaxed) > 0 {
                self.failures.store(0, Ordering::Relaxed);
                self.down_until.store(0, Ordering::Relaxed);
            }
            return;
        }
        if !self.is_up() {
            // another concurrent call already recorded this failure
            return;
        }
        let failures = self.failures.fetch_add(1, Ordering::Relaxed);
        let [first, most] = DOWN;
        let pause = first.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX)).min(most);
        let until = (self.begun.elapsed() + pause).as_millis();
        self.down_until.store(u64::try_from(until).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// Parses a base URL. The error has no subject: the caller puts the name of the variable or setting in front.
pub(crate) fn base(text: &str) -> Result<Url, String> {
    let should = "it should be a URL, for example http://booking:8080";
    // the value is hidden: it may have a password before the `@`
    let is = if text.contains('@') { "is a value with an `@`".to_owned() } else { format!("is {text:?}") };
    let mut url = Url::parse(text.trim()).map_err(|error| format!("{is} ({error}): {should}"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(format!("{is}, which is not an http or https URL: {should}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("has a user name or a password, which calls don't send: {should}"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("{is}, which has a query or a fragment: {should}"));
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

/// The configured addresses of services.
#[derive(Clone, Default)]
pub(crate) struct EndpointConfig {
    /// The fixed base URLs of each service; the key is its name in variables, as in `NAVITAIRE_API`.
    pub(crate) fixed: HashMap<String, Vec<Url>>,
    pub(crate) resolver: Option<Arc<dyn Resolve>>,
    /// The variables of services without an address, if the addresses are from the environment.
    pub(crate) unset: Option<env::UnsetVariables>,
}

impl fmt::Debug for EndpointConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown =
            self.fixed.iter().map(|(service, urls)| (service, urls.iter().map(Url::as_str).collect::<Vec<_>>()));
        f.debug_map().entries(shown).finish()
    }
}

impl EndpointConfig {
    /// Returns why a service has no address.
    pub(crate) fn missing(&self, service: &str) -> String {
        match &self.unset {
            Some(unset) => unset.missing(service),
            None => format!("no address is configured for `{service}`: add one with `Config::address`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(count: usize) -> Endpoints {
        let urls = (0..count).map(|i| base(&format!("http://host{i}:1/x")).unwrap()).collect();
        Endpoints::new(urls, None, Arc::default())
    }

    #[test]
    fn addresses_take_turns_and_those_down_are_last() {
        let known = known(3);
        let firsts: Vec<_> = (0..4).map(|_| known.pick(&[]).unwrap()).collect();
        assert_eq!(firsts, [0, 1, 2, 0]);
        known.addresses[1].note(false);
        assert!((0..6).all(|_| known.pick(&[]) != Some(1)));
        assert_eq!(known.pick(&[0, 2]), Some(1));
        assert_eq!(known.pick(&[0, 1, 2]), None);
        known.addresses[1].note(true);
        assert!((0..3).any(|_| known.pick(&[]) == Some(1)));
    }

    #[test]
    fn concurrent_failures_count_once() {
        let known = known(1);
        let address = &known.addresses[0];
        (0..10).for_each(|_| address.note(false));
        assert_eq!(address.failures.load(Ordering::Relaxed), 1);
        let most = address.begun.elapsed() + DOWN[0];
        assert!(u128::from(address.down_until.load(Ordering::Relaxed)) <= most.as_millis());
    }

    #[test]
    fn a_base_may_have_a_path() {
        let url = |text: &str| {
            let known = Endpoints::new(vec![base(text).unwrap()], None, Arc::default());
            known.addresses[0].url("get_booking").unwrap().to_string()
        };
        assert_eq!(url("http://a:1"), "http://a:1/rpc/get_booking");
        assert_eq!(url("https://a/b"), "https://a/b/rpc/get_booking");
        assert_eq!(url("https://a/b/"), "https://a/b/rpc/get_booking");
        for secret in ["http://u:hunter2@a", "http://u:hunter2@a:80a", "amqp://u:hunter2@a", "http://u:hunter2@a?x"] {
            assert!(!base(secret).unwrap_err().contains("hunter2"), "{secret}");
        }
        for bad in ["", "a:8080", "http://u@a", "ftp://a", "http://", "http://a?x", "unix:/x"] {
            assert!(base(bad).unwrap_err().contains("it should be a URL"), "{bad}");
        }
    }
}
