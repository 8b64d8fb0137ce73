//! What a resolver has told of services: one caller at a time asks it, and all have what it says.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use reqwest::Url;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::endpoints::{self, Known, Resolve};
use crate::rpc::protocol::timer;

/// After how long a resolver is asked again, and where it had no answer.
const RESOLVED: Duration = Duration::from_secs(5);
const FAILED: Duration = Duration::from_secs(1);

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How much older addresses may be that are called while it is asked.
const STALE: Duration = Duration::from_secs(60);

/// The services that were asked for.
#[derive(Default)]
pub(crate) struct Found(RwLock<HashMap<&'static str, Arc<Service>>>);

/// One of them.
#[derive(Default)]
struct Service {
    told: RwLock<Told>,
    /// Held by whoever asks.
    asking: Arc<Mutex<()>>,
}

#[derive(Default)]
struct Told {
    known: Option<Arc<Known>>,
    /// Why it isn't known where the service is.
    why: String,
}

impl Told {
    /// The addresses, where they are no older than so long beyond their time.
    fn known(&self, stale: Duration) -> Option<Arc<Known>> {
        let is_young = |known: &&Arc<Known>| known.until.is_some_and(|until| Instant::now() < until + stale);
        self.known.as_ref().filter(is_young).cloned()
    }
}

impl Found {
    /// Where a service is, if that was told not long ago.
    pub(crate) fn fresh(&self, service: &str) -> Option<Arc<Known>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(service)?.told().known(Duration::ZERO)
    }

    /// Where a service is. While that is asked what was known a while ago still counts, and where it can't be known what
    /// ever was.
    ///
    /// # Errors
    /// Why that isn't known, and never was.
    ///
    /// # Cancel safety
    /// It is asked by a task of its own, so that whoever gives up takes the answer from nobody.
    pub(crate) async fn of(&self, name: &'static str, resolver: &Arc<dyn Resolve>) -> Result<Arc<Known>, String> {
        let service = self.0.write().unwrap_or_else(PoisonError::into_inner).entry(name).or_default().clone();
        if let Ok(asking) = service.asking.clone().try_lock_owned() {
            // somebody may just have asked
            if let Some(known) = service.told().known(Duration::ZERO) {
                return Ok(known);
            }
            let (service, resolver) = (service.clone(), resolver.clone());
            tokio::spawn(async move {
                service.ask(name, &*resolver).await;
                drop(asking);
            });
        }
        if let Some(known) = service.told().known(STALE) {
            return Ok(known);
        }
        drop(service.asking.lock().await);
        let told = service.told();
        match &told.known {
            Some(known) => Ok(known.clone()),
            None if told.why.is_empty() => Err(unknown(name, "its resolver has panicked")),
            None => Err(told.why.clone()),
        }
    }
}

impl Service {
    fn told(&self) -> RwLockReadGuard<'_, Told> {
        self.told.read().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, name: &str, resolver: &dyn Resolve) {
        let urls = match timer::within(PATIENCE, pin!(resolver.resolve(name))).await {
            Ok(Ok(urls)) => addresses(name, &urls),
            Ok(Err(error)) => Err(unknown(name, &error.to_string())),
            Err(timer::Late) => Err(unknown(name, &format!("its resolver has not answered within {PATIENCE:?}"))),
        };
        let before = self.told().known.clone();
        let in_a_while = |pause| Some(Instant::now() + pause);
        let told = match (urls, before) {
            (Ok(urls), Some(before)) => Ok(before.renewed(urls, in_a_while(RESOLVED))),
            (Ok(urls), None) => Ok(Known::new(urls, in_a_while(RESOLVED), Arc::default())),
            (Err(why), Some(before)) => {
                tracing::warn!(service = name, error = why, "the addresses from before are called");
                Ok(before.renewed(before.urls(), in_a_while(FAILED)))
            }
            (Err(why), None) => Err(why),
        };
        *self.told.write().unwrap_or_else(PoisonError::into_inner) = match told {
            Ok(known) => Told { known: Some(known.into()), why: String::new() },
            Err(why) => Told { known: None, why },
        };
    }
}

fn unknown(service: &str, why: &str) -> String {
    format!("where `{service}` lives is not known: {why}")
}

/// What a resolver says, as addresses.
fn addresses(service: &str, told: &[String]) -> Result<Vec<Url>, String> {
    if told.is_empty() {
        return Err(format!("`{service}` has no address"));
    }
    let urls = told.iter().map(|text| endpoints::base(text)).collect::<Result<_, String>>();
    urls.map_err(|error| format!("an address of `{service}` {error}"))
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::future::{Future, pending};
    use std::pin::Pin;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Semaphore;
    use tokio::time::{advance, sleep, timeout};

    use super::*;

    /// Says what it is told to, one after the other; nothing at all where that is empty.
    struct Says {
        said: &'static [Result<&'static str, &'static str>],
        asked: AtomicU32,
        /// Answers need one of these each.
        permits: Semaphore,
    }

    impl Says {
        fn new(said: &'static [Result<&'static str, &'static str>]) -> Arc<Self> {
            Arc::new(Self { said, asked: AtomicU32::new(0), permits: Semaphore::new(100) })
        }

        fn asked(&self) -> u32 {
            self.asked.load(Ordering::SeqCst)
        }
    }

    type Answer<'a> = Pin<Box<dyn Future<Output = Result<Vec<String>, Box<dyn Error + Send + Sync>>> + Send + 'a>>;

    impl Resolve for Says {
        fn resolve<'a>(&'a self, _: &'a str) -> Answer<'a> {
            let asked = self.asked.fetch_add(1, Ordering::SeqCst) as usize;
            Box::pin(async move {
                self.permits.acquire().await?.forget();
                match self.said.get(asked) {
                    Some(Ok(url)) => Ok(vec![(*url).to_owned()]),
                    Some(Err(why)) => Err((*why).into()),
                    None => pending().await,
                }
            })
        }
    }

    fn url(known: Result<Arc<Known>, String>) -> String {
        known.map_or_else(|why| why, |known| known.urls().first().map(ToString::to_string).unwrap_or_default())
    }

    fn fresh(found: &Found) -> String {
        url(found.fresh("desk").ok_or_else(String::new))
    }

    /// Waits until what was asked is answered.
    async fn settled(found: &Found) -> String {
        while found.fresh("desk").is_none() {
            sleep(Duration::from_millis(1)).await;
        }
        fresh(found)
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_known_before_counts_until_it_is_known_anew() {
        let says = Says::new(&[Ok("http://a"), Err("no"), Ok("http://b")]);
        let (resolver, found): (Arc<dyn Resolve>, _) = (says.clone(), Found::default());
        assert!(found.fresh("desk").is_none());
        assert_eq!(url(found.of("desk", &resolver).await), "http://a/");
        assert_eq!(fresh(&found), "http://a/");
        advance(RESOLVED).await;
        assert!(found.fresh("desk").is_none());
        // an error is no reason to forget it, nor to ask with each call
        assert_eq!(url(found.of("desk", &resolver).await), "http://a/");
        assert_eq!((settled(&found).await.as_str(), says.asked()), ("http://a/", 2));
        advance(FAILED).await;
        assert_eq!(url(found.of("desk", &resolver).await), "http://a/");
        assert_eq!((settled(&found).await.as_str(), says.asked()), ("http://b/", 3));
        advance(RESOLVED).await;
        // nor is silence, which nobody waits for
        for _ in 0..10 {
            assert_eq!(timeout(Duration::ZERO, found.of("desk", &resolver)).await.map(url).unwrap(), "http://b/");
        }
        assert_eq!((settled(&found).await.as_str(), says.asked()), ("http://b/", 4));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_known_long_ago_is_asked_for_first() {
        let says = Says::new(&[Ok("http://a"), Ok("http://b"), Err("no")]);
        let (resolver, found): (Arc<dyn Resolve>, _) = (says.clone(), Found::default());
        for known in ["http://a/", "http://b/", "http://b/"] {
            assert_eq!(url(found.of("desk", &resolver).await), known);
            advance(RESOLVED + STALE).await;
        }
        assert_eq!(says.asked(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn one_asks_for_all() {
        for (said, wanted) in [(&[Ok("http://a")], "http://a/"), (&[Err("no")], "where `desk` lives is not known: no")]
        {
            let (says, found) = (Says::new(said), Arc::new(Found::default()));
            let held = says.permits.acquire_many(100).await.unwrap();
            let call = || {
                let (resolver, found): (Arc<dyn Resolve>, _) = (says.clone(), found.clone());
                tokio::spawn(async move { url(found.of("desk", &resolver).await) })
            };
            let gives_up = call();
            let calls: Vec<_> = (0..10).map(|_| call()).collect();
            // all of them wait by now, and the one that was first doesn't wait for the answer
            advance(Duration::from_millis(1)).await;
            gives_up.abort();
            assert!(gives_up.await.is_err());
            drop(held);
            for call in calls {
                assert_eq!(call.await.unwrap(), wanted);
            }
            assert_eq!(says.asked(), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn silence_has_an_end() {
        let (resolver, found): (Arc<dyn Resolve>, _) = (Says::new(&[]), Found::default());
        let begun = Instant::now();
        let said = url(found.of("desk", &resolver).await);
        assert!(begun.elapsed() < PATIENCE * 2, "{:?}", begun.elapsed());
        assert_eq!(said, "where `desk` lives is not known: its resolver has not answered within 2s");
    }
}
