//! Asking our server without a browser.

use std::io::Cursor;
use std::pin::Pin;

use anyhow::{Result, ensure};
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

/// All of an answer.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends a `GET` with `headers` to `url`.
pub async fn get(url: &str, headers: &[(&str, &str)]) -> Result<Answer> {
    let request = headers
        .iter()
        .fold(Request::get(url), |request, (name, value)| request.header(*name, *value))
        .body(content(""))?;
    sent(request).await
}

/// Sends a form with `headers` to `url`. Where the answer leads to is not followed.
pub async fn post(url: &str, headers: &[(&str, &str)], form: &[(&str, &str)]) -> Result<Answer> {
    let mut fields = url::form_urlencoded::Serializer::new(String::new());
    fields.extend_pairs(form);
    let request = headers
        .iter()
        .fold(Request::post(url), |request, (name, value)| request.header(*name, *value))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(content(&fields.finish()))?;
    sent(request).await
}

type Content = Full<Cursor<Vec<u8>>>;

fn content(text: &str) -> Content {
    Full::new(Cursor::new(text.as_bytes().to_vec()))
}

async fn sent(request: Request<Content>) -> Result<Answer> {
    let response = Client::builder(TokioExecutor::new()).build_http().request(request).await?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await?.to_bytes().to_vec();
    Ok(Answer { status: parts.status, headers: parts.headers, body })
}

/// A stream of server-sent events.
pub struct Events {
    body: Pin<Box<dyn Stream<Item = Result<Vec<u8>>> + Send>>,
    text: String,
}

/// One of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    pub id: String,
    pub name: String,
    pub data: String,
}

impl Events {
    /// Listens to `url` as somebody with this cookie, from after `last` on, if that is not empty.
    pub async fn of(url: &str, cookie: &str, last: &str) -> Result<Self> {
        let request = Request::get(url).header("cookie", cookie).header("last-event-id", last);
        let request = request.body(content(""))?;
        let response = Client::builder(TokioExecutor::new()).build_http().request(request).await?;
        ensure!(response.status() == StatusCode::OK, "{url}: {}", response.status());
        let body = response.into_body().into_data_stream();
        let body = Box::pin(body.map(|it| Ok(it?.to_vec())));
        Ok(Self { body, text: String::new() })
    }

    /// The next one; `None` when there is none any more.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let mut found = Event::default();
                for line in event.lines() {
                    match line.split_once(": ") {
                        Some(("id", it)) => it.clone_into(&mut found.id),
                        Some(("event", it)) => it.clone_into(&mut found.name),
                        Some(("data", it)) => found.data.push_str(it),
                        _ => {}
                    }
                }
                let rest = rest.to_owned();
                self.text = rest;
                // Others are there to keep the line open.
                if !found.data.is_empty() {
                    return Ok(Some(found));
                }
            }
            let Some(more) = self.body.next().await else { return Ok(None) };
            self.text.push_str(std::str::from_utf8(&more?)?);
        }
    }
}
