//! Serves the pages while schemas are edited: updates them when a file changes, and reloads them in the browser.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::watch;

use super::error::Error;
use super::pages;
use super::site::{self, SiteArgs};
use crate::support::paint::{BAD, GOOD, paint, say};
use crate::support::schemas;

/// The interval between two checks of the files.
const LOOK: Duration = Duration::from_millis(300);
/// The maximum time that a page's request waits for a change.
const WAIT: Duration = Duration::from_secs(25);

/// The current pages.
struct ServedPages {
    /// The number of the pages' version, which increases with each change.
    version: u64,
    files: Arc<BTreeMap<String, String>>,
    /// The error in the schemas, if they have one; the pages then stay as they were before the error.
    problem: Option<String>,
}

/// Serves until ctrl-C.
pub(super) fn serve(asked: SiteArgs, at: SocketAddr) -> Result<(), Error> {
    let unservable = |error| Error::Unservable { at, error };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(unservable)?;
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(at).await?;
        // read the state before the pages are made, so that no change is missed
        let before = state(&asked);
        let (made, seen) = watch::channel(make(&asked, None));
        report(&made.borrow());
        say!("{} http://{}/", paint(GOOD, "serving"), listener.local_addr()?);
        std::thread::spawn(move || look(&asked, &made, before));
        let app = Router::new().route("/_changes", get(changes)).fallback(get(page)).with_state(seen);
        tokio::select! {
            served = async { axum::serve(listener, app).await } => served,
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    });
    runtime.shutdown_background();
    served.map_err(unservable)
}

/// Makes the pages. If the schemas have errors, the pages from before stay.
fn make(asked: &SiteArgs, before: Option<&ServedPages>) -> ServedPages {
    let version = before.map_or(1, |it| it.version + 1);
    match site::gather(asked) {
        Ok(site) => ServedPages { version, files: Arc::new(pages::files(&site, true)), problem: None },
        Err(error) => {
            let files = before.map(|it| it.files.clone()).unwrap_or_default();
            ServedPages { version, files, problem: Some(error.to_string().trim().to_owned()) }
        }
    }
}

fn report(made: &ServedPages) {
    match &made.problem {
        Some(problem) => say!("{}: {problem}", paint(BAD, "error")),
        None => say!("{} files", made.files.len()),
    }
}

/// Watches the files as long as the server runs.
fn look(asked: &SiteArgs, made: &watch::Sender<ServedPages>, mut seen: Files) {
    while !made.is_closed() {
        std::thread::sleep(LOOK);
        let now = state(asked);
        if now != seen {
            seen = now;
            let next = make(asked, Some(&made.borrow()));
            report(&next);
            made.send_replace(next);
        }
    }
}

type Files = BTreeMap<PathBuf, (u64, Option<SystemTime>)>;

/// Returns the size and the modification time of every file that the pages are made from.
fn state(asked: &SiteArgs) -> Files {
    let mut files = Files::new();
    let folder = asked.place.find();
    let documents = folder.iter().flat_map(schemas::Folder::documents).map(|(_, file)| file);
    let schemas = folder.iter().map(|it| it.path.clone());
    for path in schemas.chain(documents).chain(asked.manifests.iter().cloned()) {
        walk(&path, &mut files);
    }
    files
}

fn walk(path: &Path, files: &mut Files) {
    let Ok(about) = fs::metadata(path) else { return };
    if about.is_dir() {
        let entries = fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
        entries.for_each(|entry| walk(&entry.path(), files));
    } else {
        files.insert(path.to_owned(), (about.len(), about.modified().ok()));
    }
}

#[derive(serde::Deserialize)]
struct Since {
    since: u64,
}

/// Answers once the pages' version differs from `since`, or after [`WAIT`], with the version and the error in the schemas, if
/// any.
async fn changes(
    State(mut seen): State<watch::Receiver<ServedPages>>,
    Query(Since { since }): Query<Since>,
) -> Response {
    let other = |made: &ServedPages| made.version != since;
    let _ = tokio::time::timeout(WAIT, seen.wait_for(other)).await;
    let made = seen.borrow();
    let body = serde_json::json!({ "version": made.version, "problem": made.problem }).to_string();
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], body).into_response()
}

async fn page(State(seen): State<watch::Receiver<ServedPages>>, uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    let files = seen.borrow().files.clone();
    let Some(text) = files.get(path) else {
        let problem = seen.borrow().problem.clone();
        let text = problem.unwrap_or_else(|| format!("there is no page {path}"));
        return (StatusCode::NOT_FOUND, text).into_response();
    };
    let kind = match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
    let mut response = text.clone().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
