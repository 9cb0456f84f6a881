//! Web servers of the tests: a host, and a second origin that attacks it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use common::TestResult;

use crate::driver::LAN;

/// A POST that the server got, and the status of its answer. Without one, the browser did not wait for it.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) status: Option<StatusCode>,
}

/// A server on this machine. Dropping it ends it.
pub(crate) struct Server {
    address: SocketAddr,
    log: Arc<Log>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Log {
    posts: Mutex<Vec<Post>>,
    answers_to_lose: AtomicUsize,
    /// Milliseconds before each answer to a POST.
    delay: AtomicU64,
}

impl Server {
    pub(crate) async fn new(router: Router) -> TestResult<Self> {
        let log = Arc::new(Log::default());
        // Browsers ask for it on their own.
        let router = router.route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT }));
        let router = router.layer(from_fn_with_state(Arc::clone(&log), watch));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let serve = async move { axum::serve(listener, router).await.expect("the server runs") };
        Ok(Self { address, log, task: tokio::spawn(serve) })
    }

    /// Starts a server with one document.
    pub(crate) async fn with_document(html: impl Into<String>) -> TestResult<Self> {
        let html = html.into();
        let answer = move || async move { Html(html) };
        Self::new(Router::new().route("/", get(answer))).await
    }

    /// Returns the URL of a path on the address of this machine, which is a secure context.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns the URL of a path on a name that is no secure context.
    pub(crate) fn lan_url(&self, path: &str) -> String {
        format!("http://{LAN}:{}{path}", self.address.port())
    }

    /// Returns the URL of a path on another site than [`Server::url`].
    pub(crate) fn localhost_url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.address.port())
    }

    /// Returns the POSTs so far.
    pub(crate) fn posts(&self) -> Vec<Post> {
        self.log.posts.lock().expect("no panic").clone()
    }

    /// Delays each answer to a POST, after the POST was done.
    pub(crate) fn delay_answers(&self, delay: Duration) {
        let delay = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.log.delay.store(delay, Ordering::Relaxed);
    }

    /// Answers the next POST with 504, as a proxy does that has lost the answer.
    pub(crate) fn lose_next_answer(&self) {
        self.log.answers_to_lose.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn watch(State(log): State<Arc<Log>>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let (path, headers) = (request.uri().path().to_owned(), request.headers().clone());
    let number = {
        let mut posts = log.posts.lock().expect("no panic");
        posts.push(Post { path, headers, status: None });
        posts.len() - 1
    };
    let answer = next.run(request).await;
    sleep(Duration::from_millis(log.delay.load(Ordering::Relaxed))).await;
    log.posts.lock().expect("no panic")[number].status = Some(answer.status());
    let to_lose = &log.answers_to_lose;
    let lose = to_lose.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    if lose.is_ok() {
        return (StatusCode::GATEWAY_TIMEOUT, Html("<h1>Gateway timeout</h1>")).into_response();
    }
    answer
}
