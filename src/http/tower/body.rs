//! The response body of a service inside of a guard.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a response from a [`GuardService`](crate::http::GuardService): the body of the
    /// inner service, or the guard's own answer to a refused request.
    ///
    /// ```
    /// # #[cfg(not(feature = "axum"))] fn main() {}
    /// # #[cfg(feature = "axum")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> { futures_lite::future::block_on(async {
    /// # use axum::{Router, body::Body, http::Request, routing::{get, post}};
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, http::Guard, store::MemoryStore};
    /// # use tower_service::Service;
    /// # async fn list() -> &'static str { "invoice 1" }
    /// # async fn create() -> &'static str { "invoice 2" }
    /// # async fn status(app: &Router, method: &str, path: &str, key: Option<&str>) -> u16 {
    /// #     let request = Request::builder().method(method).uri(path);
    /// #     let request = key.into_iter().fold(request, |request, key| request.header("x-api-key", key));
    /// #     let request = request.body(Body::empty()).expect("a request");
    /// #     app.clone().call(request).await.expect("infallible").status().as_u16()
    /// # }
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = keywright.authority().generate(&alice, new).await?;
    /// # let token = issued.token.expose();
    /// # let guard = Guard::new(keywright.verifier());
    /// use keywright::http::GuardBody;
    /// use tower_layer::Layer;
    ///
    /// let mut service = guard.layer(Router::new().route("/invoices", get(list)));
    /// let request = Request::get("/invoices").body(Body::empty())?;
    /// let body: GuardBody<Body> = service.call(request).await?.into_body();
    /// let text = axum::body::to_bytes(Body::new(body), 1024).await?;
    /// assert!(text.starts_with(br#"{"type":"about:blank","title":"Unauthorized""#));
    /// # Ok(()) }) }
    /// ```
    #[derive(Debug)]
    pub struct GuardBody<B> {
        #[pin]
        of: Whose<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = WhoseProjected]
    enum Whose<B> {
        Inner { #[pin] inner: B },
        Answer { body: Option<Bytes> },
    }
}

impl<B> GuardBody<B> {
    pub(super) fn inner(inner: B) -> Self {
        Self { of: Whose::Inner { inner } }
    }

    pub(super) fn answer(body: Bytes) -> Self {
        Self { of: Whose::Answer { body: Some(body).filter(|body| !body.is_empty()) } }
    }
}

impl<B: Body<Data = Bytes>> Body for GuardBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().of.project() {
            WhoseProjected::Inner { inner } => inner.poll_frame(cx),
            WhoseProjected::Answer { body } => Poll::Ready(body.take().map(Frame::data).map(Ok)),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.of {
            Whose::Inner { inner } => inner.is_end_stream(),
            Whose::Answer { body } => body.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.of {
            Whose::Inner { inner } => inner.size_hint(),
            Whose::Answer { body } => {
                SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64))
            }
        }
    }
}
