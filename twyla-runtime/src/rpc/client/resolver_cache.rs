//! A cache of a resolver's answers. One lookup runs at a time, and all callers share its result.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use reqwest::Url;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::endpoints::{self, Endpoints, Resolve};

/// How long the addresses of a successful lookup are fresh, and how long a failed lookup isn't repeated.
const RESOLVED: Duration = Duration::from_secs(5);
const FAILED: Duration = Duration::from_secs(1);

/// The deadline of a lookup.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long stale addresses are used while a lookup runs.
const STALE: Duration = Duration::from_secs(60);

/// The services that were looked up.
#[derive(Default)]
pub(crate) struct ResolverCache(RwLock<HashMap<&'static str, Arc<CachedService>>>);

/// The cached resolution of one service.
#[derive(Default)]
struct CachedService {
    resolution: RwLock<Resolution>,
    /// Locked during a lookup.
    lookup: Arc<Mutex<()>>,
}

#[derive(Default)]
struct Resolution {
    endpoints: Option<Arc<Endpoints>>,
    /// The reason why there are no addresses.
    why: String,
}

impl Resolution {
    /// Returns the addresses unless they expired more than `stale` ago.
    fn endpoints(&self, stale: Duration) -> Option<Arc<Endpoints>> {
        let is_fresh =
            |endpoints: &&Arc<Endpoints>| endpoints.until.is_some_and(|until| Instant::now() < until + stale);
        self.endpoints.as_ref().filter(is_fresh).cloned()
    }
}

impl ResolverCache {
    /// Returns the addresses of a service if they are fresh.
    fn fresh(&self, service: &str) -> Option<Arc<Endpoints>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(service)?.resolution().endpoints(Duration::ZERO)
    }

    /// Returns the addresses of a service. Slightly stale addresses are used while a lookup runs, and older ones if it
    /// fails.
    ///
    /// # Errors
    /// The reason why the lookup failed, if there are no earlier addresses.
    ///
    /// # Cancel safety
    /// The lookup runs in a task of its own, so that other callers get its result even if this one is cancelled.
    pub(crate) async fn of(&self, name: &'static str, resolver: &Arc<dyn Resolve>) -> Result<Arc<Endpoints>, String> {
        if let Some(endpoints) = self.fresh(name) {
            return Ok(endpoints);
        }
        let service = self.0.write().unwrap_or_else(PoisonError::into_inner).entry(name).or_default().clone();
        if let Ok(lookup) = service.lookup.clone().try_lock_owned() {
            // another caller may have finished a lookup meanwhile
            if let Some(endpoints) = service.resolution().endpoints(Duration::ZERO) {
                return Ok(endpoints);
            }
            let (service, resolver) = (service.clone(), resolver.clone());
            tokio::spawn(async move {
                service.look_up(name, &*resolver).await;
                drop(lookup);
            });
        }
        if let Some(endpoints) = service.resolution().endpoints(STALE) {
            return Ok(endpoints);
        }
        drop(service.lookup.lock().await);
        let resolution = service.resolution();
        match &resolution.endpoints {
            Some(endpoints) => Ok(endpoints.clone()),
            None if resolution.why.is_empty() => Err(unknown(name, "the resolver panicked")),
            None => Err(resolution.why.clone()),
        }
    }
}

impl CachedService {
    fn resolution(&self) -> RwLockReadGuard<'_, Resolution> {
        self.resolution.read().unwrap_or_else(PoisonError::into_inner)
    }

    async fn look_up(&self, name: &str, resolver: &dyn Resolve) {
        let urls = match timeout(PATIENCE, resolver.resolve(name)).await {
            Ok(Ok(urls)) => addresses(name, &urls),
            Ok(Err(error)) => Err(unknown(name, &error.to_string())),
            Err(_) => Err(unknown(name, &format!("the resolver did not answer within {PATIENCE:?}"))),
        };
        let before = self.resolution().endpoints.clone();
        let in_a_while = |pause| Some(Instant::now() + pause);
        let resolution = match (urls, before) {
            (Ok(urls), Some(before)) => Ok(before.renewed(urls, in_a_while(RESOLVED))),
            (Ok(urls), None) => Ok(Endpoints::new(urls, in_a_while(RESOLVED), Arc::default())),
            (Err(why), Some(before)) => {
                tracing::warn!(service = name, error = why, "the resolver failed: the previous addresses are used");
                Ok(before.renewed(before.urls(), in_a_while(FAILED)))
            }
            (Err(why), None) => Err(why),
        };
        *self.resolution.write().unwrap_or_else(PoisonError::into_inner) = match resolution {
            Ok(endpoints) => Resolution { endpoints: Some(endpoints.into()), why: String::new() },
            Err(why) => Resolution { endpoints: None, why },
        };
    }
}

fn unknown(service: &str, why: &str) -> String {
    format!("the address of `{service}` is not known: {why}")
}

/// Parses the URLs that a resolver returned.
fn addresses(service: &str, urls: &[String]) -> Result<Vec<Url>, String> {
    if urls.is_empty() {
        return Err(format!("`{service}` has no address"));
    }
    let urls = urls.iter().map(|text| endpoints::base(text)).collect::<Result<_, String>>();
    urls.map_err(|error| format!("an address of `{service}` {error}"))
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::future::{Future, pending};
    use std::pin::Pin;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Semaphore;
    use tokio::time::{advance, sleep};

    use super::*;

    /// Returns the scripted answers one after another; never resolves if there are none.
    struct ScriptedResolver {
        answers: &'static [Result<&'static str, &'static str>],
        asked: AtomicU32,
        /// One permit per answer.
        permits: Semaphore,
    }

    impl ScriptedResolver {
        fn new(answers: &'static [Result<&'static str, &'static str>]) -> Arc<Self> {
            Arc::new(Self { answers, asked: AtomicU32::new(0), permits: Semaphore::new(100) })
        }

        fn asked(&self) -> u32 {
            self.asked.load(Ordering::SeqCst)
        }
    }

    type Answer<'a> = Pin<Box<dyn Future<Output = Result<Vec<String>, Box<dyn Error + Send + Sync>>> + Send + 'a>>;

    impl Resolve for ScriptedResolver {
        fn resolve<'a>(&'a self, _: &'a str) -> Answer<'a> {
            let asked = self.asked.fetch_add(1, Ordering::SeqCst) as usize;
            Box::pin(async move {
                self.permits.acquire().await?.forget();
                match self.answers.get(asked) {
                    Some(Ok(url)) => Ok(vec![(*url).to_owned()]),
                    Some(Err(why)) => Err((*why).into()),
                    None => pending().await,
                }
            })
        }
    }

    fn url(endpoints: Result<Arc<Endpoints>, String>) -> String {
        endpoints
            .map_or_else(|why| why, |endpoints| endpoints.urls().first().map(ToString::to_string).unwrap_or_default())
    }

    fn fresh(cache: &ResolverCache) -> String {
        url(cache.fresh("desk").ok_or_else(String::new))
    }

    /// Waits for the running lookup.
    async fn settled(cache: &ResolverCache) -> String {
        while cache.fresh("desk").is_none() {
            sleep(Duration::from_millis(1)).await;
        }
        fresh(cache)
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_answer_counts_until_the_next_succeeds() {
        let scripted = ScriptedResolver::new(&[Ok("http://a"), Err("no"), Ok("http://b")]);
        let (resolver, cache): (Arc<dyn Resolve>, _) = (scripted.clone(), ResolverCache::default());
        assert!(cache.fresh("desk").is_none());
        assert_eq!(url(cache.of("desk", &resolver).await), "http://a/");
        assert_eq!(fresh(&cache), "http://a/");
        advance(RESOLVED).await;
        assert!(cache.fresh("desk").is_none());
        // after an error the old addresses are used, and not every call causes a lookup
        assert_eq!(url(cache.of("desk", &resolver).await), "http://a/");
        assert_eq!((settled(&cache).await.as_str(), scripted.asked()), ("http://a/", 2));
        advance(FAILED).await;
        assert_eq!(url(cache.of("desk", &resolver).await), "http://a/");
        assert_eq!((settled(&cache).await.as_str(), scripted.asked()), ("http://b/", 3));
        advance(RESOLVED).await;
        // no call waits for a resolver that doesn't answer, and not every call causes a lookup
        for _ in 0..10 {
            assert_eq!(timeout(Duration::ZERO, cache.of("desk", &resolver)).await.map(url).unwrap(), "http://b/");
        }
        assert_eq!((settled(&cache).await.as_str(), scripted.asked()), ("http://b/", 4));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stale_answer_is_looked_up_before_it_is_used() {
        let scripted = ScriptedResolver::new(&[Ok("http://a"), Ok("http://b"), Err("no")]);
        let (resolver, cache): (Arc<dyn Resolve>, _) = (scripted.clone(), ResolverCache::default());
        for endpoints in ["http://a/", "http://b/", "http://b/"] {
            assert_eq!(url(cache.of("desk", &resolver).await), endpoints);
            advance(RESOLVED + STALE).await;
        }
        assert_eq!(scripted.asked(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn one_asks_for_all() {
        for (answers, wanted) in
            [(&[Ok("http://a")], "http://a/"), (&[Err("no")], "the address of `desk` is not known: no")]
        {
            let (scripted, cache) = (ScriptedResolver::new(answers), Arc::new(ResolverCache::default()));
            let held = scripted.permits.acquire_many(100).await.unwrap();
            let call = || {
                let (resolver, cache): (Arc<dyn Resolve>, _) = (scripted.clone(), cache.clone());
                tokio::spawn(async move { url(cache.of("desk", &resolver).await) })
            };
            let gives_up = call();
            let calls: Vec<_> = (0..10).map(|_| call()).collect();
            // all callers wait by now; the first caller's task runs the lookup
            advance(Duration::from_millis(1)).await;
            gives_up.abort();
            assert!(gives_up.await.is_err());
            drop(held);
            for call in calls {
                assert_eq!(call.await.unwrap(), wanted);
            }
            assert_eq!(scripted.asked(), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn silence_has_an_end() {
        let (resolver, cache): (Arc<dyn Resolve>, _) = (ScriptedResolver::new(&[]), ResolverCache::default());
        let begun = Instant::now();
        let answers = url(cache.of("desk", &resolver).await);
        assert!(begun.elapsed() < PATIENCE * 2, "{:?}", begun.elapsed());
        assert_eq!(answers, "the address of `desk` is not known: the resolver did not answer within 2s");
    }
}
