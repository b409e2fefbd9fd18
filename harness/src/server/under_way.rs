//! An answer for as long as it is being given: its call is under way, its caller is believed, and how it ends is heard.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, Response};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use super::lapse::Lapse;
use super::traffic::Call;

/// Hears the trailers of an answer, where a gRPC stream says how it ended.
type Hears = Box<dyn FnOnce(&HeaderMap) + Send>;

/// Keeps `call` under way until the answer was given; breaks it off when its caller is believed no more.
pub(super) fn under_way(
    answer: Response<Body>,
    call: Call,
    lapse: Option<Lapse>,
    hears: impl FnOnce(&HeaderMap) + Send + 'static,
) -> Response<Body> {
    answer.map(|body| {
        // What is there whole is given whole.
        let lapse = lapse.filter(|_| body.size_hint().exact().is_none());
        Body::new(UnderWay { body, lapse, hears: Some(Box::new(hears)), _call: call })
    })
}

struct UnderWay {
    body: Body,
    lapse: Option<Lapse>,
    hears: Option<Hears>,
    _call: Call,
}

impl HttpBody for UnderWay {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.lapse.as_mut().is_some_and(|lapse| lapse.as_mut().poll(cx).is_ready()) {
            self.lapse = None;
            return Poll::Ready(Some(Err(axum::Error::new("its caller is believed no more"))));
        }
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(trailers) = frame.trailers_ref()
            && let Some(hears) = self.hears.take()
        {
            hears(trailers);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;
    use crate::server::lapse::{LOOK, once_not};
    use crate::server::traffic::Traffic;

    #[tokio::test(start_paused = true)]
    async fn a_stream_breaks_off_when_its_caller_is_believed_no_more() {
        let stream = Body::from_stream(tokio_stream::pending::<Result<Bytes, std::io::Error>>());
        let mut looks = 0;
        let lapse = once_not(move || {
            looks += 1;
            looks < 5
        });
        let answer = under_way(Response::new(stream), Traffic::new().begin(), Some(lapse), |_| {});
        let begun = tokio::time::Instant::now();
        let broken = answer.into_body().collect().await;
        assert!(broken.unwrap_err().to_string().contains("believed no more"));
        assert_eq!(begun.elapsed(), LOOK * 4);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_there_is_given_whole() {
        let answer = Response::new(Body::from("whole"));
        let answer = under_way(answer, Traffic::new().begin(), Some(once_not(|| false)), |_| {});
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "whole");
    }

    #[tokio::test]
    async fn how_a_stream_ends_is_heard() {
        let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), "3".parse().unwrap())]);
        let ends =
            http_body_util::Full::new(Bytes::from("a")).with_trailers(async move { Some(Ok(trailers)) });
        let (heard, hears) = tokio::sync::oneshot::channel();
        let answer = under_way(Response::new(Body::new(ends)), Traffic::new().begin(), None, |trailers| {
            heard.send(trailers["grpc-status"].clone()).unwrap();
        });
        answer.into_body().collect().await.unwrap();
        assert_eq!(hears.await.unwrap(), "3");
    }
}
