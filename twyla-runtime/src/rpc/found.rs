//! What a resolver has told of services: one caller at a time asks it, and all have what it says.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use reqwest::Url;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::place::{self, Known, Resolve};
use super::timer;

/// After how long a resolver is asked again, and where it had no answer.
const RESOLVED: Duration = Duration::from_secs(5);
const FAILED: Duration = Duration::from_secs(1);

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The services that were asked for.
#[derive(Default)]
pub(crate) struct Found(RwLock<HashMap<&'static str, Arc<Service>>>);

/// One of them.
#[derive(Default)]
struct Service {
    told: RwLock<Told>,
    /// Held by whoever asks.
    asking: Mutex<()>,
}

#[derive(Default)]
struct Told {
    known: Option<Arc<Known>>,
    /// Since when it isn't known where the service is, and why.
    failed: Option<(Instant, String)>,
}

impl Told {
    fn fresh(&self) -> Option<Arc<Known>> {
        self.known.as_ref().filter(|known| known.until.is_some_and(|until| Instant::now() < until)).cloned()
    }
}

impl Found {
    /// Where a service is, if that was told not long ago.
    pub(crate) fn fresh(&self, service: &str) -> Option<Arc<Known>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(service)?.told().fresh()
    }

    /// Where a service is. While that is asked, and where it can't be known, what was known before still counts.
    ///
    /// # Errors
    /// Why that isn't known, and never was.
    pub(crate) async fn of(&self, name: &'static str, resolver: &dyn Resolve) -> Result<Arc<Known>, String> {
        let service = self.0.write().unwrap_or_else(PoisonError::into_inner).entry(name).or_default().clone();
        let begun = Instant::now();
        let before = service.told().known.clone();
        let _asking = match (service.asking.try_lock(), &before) {
            (Ok(asking), _) => asking,
            (Err(_), Some(before)) => return Ok(before.clone()),
            (Err(_), None) => service.asking.lock().await,
        };
        {
            // whoever has asked meanwhile has done so for this one too
            let told = service.told();
            if let Some(known) = told.fresh() {
                return Ok(known);
            }
            if let Some((_, why)) = told.failed.as_ref().filter(|(at, _)| *at >= begun) {
                return Err(why.clone());
            }
        }
        let unknown = |why: &str| format!("where `{name}` lives is not known: {why}");
        let urls = match timer::within(PATIENCE, pin!(resolver.resolve(name))).await {
            Ok(Ok(urls)) => addresses(name, &urls),
            Ok(Err(error)) => Err(unknown(&error.to_string())),
            Err(timer::Late) => Err(unknown(&format!("its resolver has not answered within {PATIENCE:?}"))),
        };
        let known = match (urls, before) {
            (Ok(urls), before) => {
                let until = Some(Instant::now() + RESOLVED);
                before.map_or_else(
                    || Known::new(urls.clone(), until, Arc::default()),
                    |it| it.renewed(urls.clone(), until),
                )
            }
            (Err(why), Some(before)) => {
                tracing::warn!(service = name, error = why, "the addresses from before are called");
                before.renewed(before.urls(), Some(Instant::now() + FAILED))
            }
            (Err(why), None) => {
                service.tell().failed = Some((Instant::now(), why.clone()));
                return Err(why);
            }
        };
        let known = Arc::new(known);
        *service.tell() = Told { known: Some(known.clone()), failed: None };
        Ok(known)
    }
}

impl Service {
    fn told(&self) -> RwLockReadGuard<'_, Told> {
        self.told.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) -> RwLockWriteGuard<'_, Told> {
        self.told.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a resolver says, as addresses.
fn addresses(service: &str, told: &[String]) -> Result<Vec<Url>, String> {
    if told.is_empty() {
        return Err(format!("`{service}` has no address"));
    }
    let urls = told.iter().map(|text| place::base(text)).collect::<Result<_, String>>();
    urls.map_err(|error| format!("an address of `{service}` {error}"))
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::future::{Future, pending};
    use std::pin::Pin;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Semaphore;
    use tokio::time::{advance, timeout};

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

    #[tokio::test(start_paused = true)]
    async fn what_was_known_before_counts_until_it_is_known_anew() {
        let says = Says::new(&[Ok("http://a"), Err("no"), Ok("http://b")]);
        let found = Found::default();
        assert!(found.fresh("desk").is_none());
        assert_eq!(url(found.of("desk", &*says).await), "http://a/");
        assert_eq!(url(found.fresh("desk").ok_or_else(String::new)), "http://a/");
        advance(RESOLVED).await;
        assert!(found.fresh("desk").is_none());
        // an error is no reason to forget it, nor to ask with each call
        assert_eq!(url(found.of("desk", &*says).await), "http://a/");
        assert_eq!((url(found.fresh("desk").ok_or_else(String::new)).as_str(), says.asked()), ("http://a/", 2));
        advance(FAILED).await;
        assert_eq!(url(found.of("desk", &*says).await), "http://b/");
        advance(RESOLVED).await;
        // nor is silence
        assert_eq!(url(found.of("desk", &*says).await), "http://b/");
        assert_eq!((url(found.fresh("desk").ok_or_else(String::new)).as_str(), says.asked()), ("http://b/", 4));
    }

    #[tokio::test(start_paused = true)]
    async fn one_asks_for_all() {
        for (said, wanted) in [(&[Ok("http://a")], "http://a/"), (&[Err("no")], "where `desk` lives is not known: no")]
        {
            let (says, found) = (Says::new(said), Arc::new(Found::default()));
            let held = says.permits.acquire_many(100).await.unwrap();
            let calls: Vec<_> = (0..10)
                .map(|_| {
                    let (says, found) = (says.clone(), found.clone());
                    tokio::spawn(async move { url(found.of("desk", &*says).await) })
                })
                .collect();
            // all of them wait by now
            advance(Duration::from_millis(1)).await;
            drop(held);
            for call in calls {
                assert_eq!(call.await.unwrap(), wanted);
            }
            assert_eq!(says.asked(), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_where_addresses_are_known() {
        let (says, found) = (Says::new(&[Ok("http://a")]), Arc::new(Found::default()));
        assert_eq!(url(found.of("desk", &*says).await), "http://a/");
        advance(RESOLVED).await;
        let asking = {
            let (says, found) = (says.clone(), found.clone());
            tokio::spawn(async move { url(found.of("desk", &*says).await) })
        };
        while says.asked() < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(timeout(Duration::ZERO, found.of("desk", &*says)).await.map(url).unwrap(), "http://a/");
        assert_eq!(asking.await.unwrap(), "http://a/");
    }

    #[tokio::test(start_paused = true)]
    async fn silence_has_an_end() {
        let (says, found) = (Says::new(&[]), Found::default());
        let said = url(found.of("desk", &*says).await);
        assert_eq!(said, "where `desk` lives is not known: its resolver has not answered within 2s");
    }
}
