//! The body of a response that passed a guard.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a response: the inner service's, or the guard's own.
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
