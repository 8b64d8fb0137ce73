//! Calls over HTTP: sends attempts to a service's addresses in turn and reads answers into a bounded buffer.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Client, ClientBuilder, Method, Request, Response, Url, redirect};

use super::budget::Budget;
use super::config::Config;
use super::endpoints::{Endpoint, EndpointConfig, Endpoints};
use super::env;
use super::resolver_cache::ResolverCache;
use crate::bus::config::ConfigError;
use crate::rpc::protocol::attempt::{Answer, AttemptError, BodyKind, CallAttempt, DOMAIN, NoRoute};
use crate::rpc::protocol::headers;
use crate::service::catch_panic;
use crate::telemetry::trace::{TRACE_PARENT, TRACE_STATE};

const CONTEXT: HeaderName = HeaderName::from_static(headers::CONTEXT);
const SESSION: HeaderName = HeaderName::from_static(headers::SESSION);
const TIMEOUT: HeaderName = HeaderName::from_static(headers::TIMEOUT);
const ATTEMPT: HeaderName = HeaderName::from_static(headers::ATTEMPT);
const KEY: HeaderName = HeaderName::from_static(headers::KEY);
const IDEMPOTENT: HeaderName = HeaderName::from_static(headers::IDEMPOTENT);
const PARENT: HeaderName = HeaderName::from_static(TRACE_PARENT);
const STATE: HeaderName = HeaderName::from_static(TRACE_STATE);

/// An HTTP client of services.
pub(crate) struct Http {
    /// The client for `http` addresses, whose HTTP version the configuration sets.
    plain: Client,
    /// The client for `https` addresses, where both sides negotiate the version.
    encrypted: Client,
    /// The resolver for services without fixed addresses; the fixed addresses are moved to `fixed`.
    config: EndpointConfig,
    max_answer: usize,
    /// The fixed addresses, by the service's name in variables.
    fixed: HashMap<String, Arc<Endpoints>>,
    /// The addresses from a resolver.
    resolved: ResolverCache,
}

/// The addresses that a call may use, and those tried in this round.
pub(crate) struct HttpRoute<'a> {
    http: &'a Http,
    endpoints: Arc<Endpoints>,
    tried: Vec<usize>,
}

impl Http {
    pub(crate) fn new(mut config: Config) -> Result<Self, ConfigError> {
        let wrong = |problem: String| ConfigError { variable: "the RPC client".to_owned(), problem };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(headers::JSON));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, application/problem+json"));
        let tls = crate::tls::client(config.tls.as_ref(), &["h2", "http/1.1"]).map_err(wrong)?;
        let builder = || {
            Client::builder()
                .default_headers(headers.clone())
                .tls_backend_preconfigured(tls.clone())
                .redirect(redirect::Policy::none())
                // this crate decides about retries
                .retry(reqwest::retry::never())
                // services are called directly: a proxy in the environment is ignored
                .no_proxy()
                .connect_timeout(config.connect_deadline)
                .pool_idle_timeout(config.idle)
                .tcp_nodelay(true)
                .http2_keep_alive_interval(Duration::from_secs(10))
                .http2_keep_alive_timeout(Duration::from_secs(10))
        };
        let made = |builder: ClientBuilder| {
            builder.build().map_err(|error| wrong(format!("can't be created: {}", chain(&error))))
        };
        let encrypted = made(builder())?;
        let plain = if config.http2 { made(builder().http2_prior_knowledge())? } else { encrypted.clone() };
        let fixed = std::mem::take(&mut config.endpoints.fixed).into_iter();
        let fixed =
            fixed.map(|(service, urls)| (service, Arc::new(Endpoints::new(urls, None, Arc::default())))).collect();
        Ok(Self {
            plain,
            encrypted,
            config: config.endpoints,
            max_answer: config.max_answer,
            fixed,
            resolved: ResolverCache::default(),
        })
    }

    pub(crate) async fn route(&self, service: &'static str) -> Result<HttpRoute<'_>, NoRoute> {
        let endpoints = match (self.fixed.get(&env::key(service)), &self.config.resolver) {
            (Some(endpoints), _) => endpoints.clone(),
            (None, Some(resolver)) => {
                let resolved = self.resolved.of(service, resolver).await;
                resolved.map_err(|why| NoRoute { why, for_good: false })?
            }
            (None, None) => return Err(NoRoute { why: self.config.missing(service), for_good: true }),
        };
        Ok(HttpRoute { http: self, endpoints, tried: Vec::new() })
    }
}

impl HttpRoute<'_> {
    pub(crate) fn another(&self) -> bool {
        self.tried.len() < self.endpoints.addresses.len()
    }

    pub(crate) fn all_again(&mut self) {
        self.tried.clear();
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.endpoints.budget
    }

    pub(crate) async fn send(&mut self, attempt: &CallAttempt) -> Result<Answer, AttemptError> {
        let index = self.endpoints.pick(&self.tried).unwrap_or_default();
        self.tried.push(index);
        let address = self.endpoints.addresses.get(index);
        let Some((address, url)) = address.and_then(|address| Some((address, address.url(attempt.method)?))) else {
            return Err(AttemptError { maybe_begun: false, why: format!("`{}` has no address", attempt.service) });
        };
        let client = if url.scheme() == "https" { &self.http.encrypted } else { &self.http.plain };
        let outcome = client.execute(request(url, attempt)).await;
        address.note(!matches!(&outcome, Err(error) if error.is_connect()));
        let mut response = outcome.map_err(|error| lost(&error, address))?;
        answer(&mut response, self.http.max_answer, address).await
    }
}

fn request(url: Url, attempt: &CallAttempt) -> Request {
    let mut request = Request::new(Method::POST, url);
    let headers = request.headers_mut();
    // all values are ASCII by construction; a value that isn't a valid header value is omitted
    let mut put = |name: HeaderName, text: Bytes| {
        if let Ok(value) = HeaderValue::from_maybe_shared(text) {
            headers.insert(name, value);
        }
    };
    if let Some(context) = &attempt.context {
        put(CONTEXT, context.clone());
    }
    if let Some(timeout) = attempt.timeout {
        put(TIMEOUT, headers::millis(timeout).to_string().into());
    }
    if let Some(key) = &attempt.key {
        put(KEY, format!("\"{}\"", headers::escaped(key)).into());
    }
    if let Some(session) = &attempt.session {
        put(SESSION, session.id.to_string().into());
    }
    if attempt.number > 1 {
        put(ATTEMPT, attempt.number.to_string().into());
    }
    if let Some(trace) = &attempt.trace {
        put(PARENT, Bytes::copy_from_slice(&trace.parent()));
        if let Some(state) = trace.state() {
            put(STATE, state.to_owned().into());
        }
    }
    *request.body_mut() = Some(attempt.request.clone().into());
    request
}

/// Reads an answer to its end.
async fn answer(response: &mut Response, most: usize, address: &Endpoint) -> Result<Answer, AttemptError> {
    let status = response.status().as_u16();
    let headers = response.headers();
    let header = |name: HeaderName| headers.get(name).map(HeaderValue::as_bytes);
    let text = |name: HeaderName| header(name).map(|value| String::from_utf8_lossy(value).into_owned());
    let kind = match header(CONTENT_TYPE) {
        _ if (300..400).contains(&status) => BodyKind::Other(match text(LOCATION) {
            Some(location) => format!("the service redirects to `{location}`, and calls don't follow redirects"),
            None => "the service redirects, and calls don't follow redirects".to_owned(),
        }),
        Some(kind) if headers::is_json(kind) => BodyKind::Json,
        Some(kind) if headers::is_problem(kind) => BodyKind::Problem,
        _ => BodyKind::Other(match text(CONTENT_TYPE) {
            Some(kind) => format!("the answer's content type is `{kind}`, expected {}", headers::JSON),
            None => format!("the answer has no content type, expected {}", headers::JSON),
        }),
    };
    // in seconds; services never send a date
    let retry_after = header(RETRY_AFTER).and_then(|value| headers::number(value, 9)).map(Duration::from_secs);
    let idempotent = header(IDEMPOTENT).is_some_and(|value| value.eq_ignore_ascii_case(b"true"));
    let from = || (!matches!(status, 200 | DOMAIN | 422)).then(|| address.base().to_string());
    let answer = |kind, body| Answer { status, kind, body, retry_after, idempotent, from: from() };
    let too_large = || {
        let why = format!("the answer has more than the allowed {most} bytes");
        answer(BodyKind::Other(why), Bytes::new())
    };
    if let BodyKind::Other(_) = kind {
        return Ok(answer(kind, Bytes::new()));
    }
    if response.content_length().is_some_and(|length| length > most as u64) {
        return Ok(too_large());
    }
    let mut body = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > most => return Ok(too_large()),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(answer(kind, body.freeze())),
            Err(error) => {
                let why = format!("{}: the answer was cut short: {}", address.base(), chain(&error));
                return Err(AttemptError { maybe_begun: true, why });
            }
        }
    }
}

fn lost(error: &reqwest::Error, address: &Endpoint) -> AttemptError {
    // a request that can't be built was never sent either
    let maybe_begun = !(error.is_connect() || error.is_builder());
    AttemptError { maybe_begun, why: format!("{}: {}", address.base(), chain(error)) }
}

/// Formats an error with its causes, without the URL that each would repeat.
fn chain(error: &reqwest::Error) -> String {
    error.source().map_or_else(|| error.to_string(), catch_panic::chain)
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("addresses", &self.config).finish_non_exhaustive()
    }
}
