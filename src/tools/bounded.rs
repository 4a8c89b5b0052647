//! rmcp's client over HTTP, where a call whose answer is too large ends as such. By itself it says no more than that a stream has ended.

use std::{collections::HashMap, sync::Arc};

use futures_util::{StreamExt as _, stream::BoxStream};
use reqwest::{
    Client,
    header::{HeaderName, HeaderValue},
};
use rmcp::{
    model::{ClientJsonRpcMessage, ErrorData, JsonRpcMessage, RequestId, ServerJsonRpcMessage},
    transport::streamable_http_client::{
        SseError, StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse, StreamableHttpResponseLimits,
    },
};
use sse_stream::Sse;

use super::lines::TOO_LARGE;

type Headers = HashMap<HeaderName, HeaderValue>;
type Event = Result<Sse, SseError>;
type Outcome<T> = Result<T, StreamableHttpError<reqwest::Error>>;

/// A client that tells.
#[derive(Clone)]
pub(super) struct Bounded(pub(super) Client);

impl StreamableHttpClient for Bounded {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        custom_headers: Headers,
    ) -> Outcome<StreamableHttpPostResponse> {
        let limits = StreamableHttpResponseLimits::default();
        self.post_message_with_response_limits(uri, message, session_id, auth_header, custom_headers, limits)
            .await
    }

    async fn post_message_with_response_limits(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        custom_headers: Headers,
        limits: StreamableHttpResponseLimits,
    ) -> Outcome<StreamableHttpPostResponse> {
        let id = match &message {
            ClientJsonRpcMessage::Request(request) => Some(request.id.clone()),
            _ => None,
        };
        let client = &self.0;
        let response = client
            .post_message_with_response_limits(uri, message, session_id, auth_header, custom_headers, limits)
            .await?;
        Ok(match (response, id) {
            (StreamableHttpPostResponse::Sse(events, session), Some(id)) => {
                let events = events.map(move |event| told(event, &id));
                StreamableHttpPostResponse::Sse(events.boxed(), session)
            }
            (response, _) => response,
        })
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session_id: Arc<str>,
        auth_header: Option<String>,
        custom_headers: Headers,
    ) -> Outcome<()> {
        let client = &self.0;
        client
            .delete_session(uri, session_id, auth_header, custom_headers)
            .await
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth_header: Option<String>,
        custom_headers: Headers,
    ) -> Outcome<BoxStream<'static, Event>> {
        let client = &self.0;
        client
            .get_stream(uri, session_id, last_event_id, auth_header, custom_headers)
            .await
    }

    async fn get_stream_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth_header: Option<String>,
        custom_headers: Headers,
        max_sse_event_size: usize,
    ) -> Outcome<BoxStream<'static, Event>> {
        let client = &self.0;
        client
            .get_stream_with_max_sse_event_size(
                uri,
                session_id,
                last_event_id,
                auth_header,
                custom_headers,
                max_sse_event_size,
            )
            .await
    }
}

/// An answer in place of one that is too large.
fn told(event: Event, id: &RequestId) -> Event {
    match event {
        // rmcp has no name for it but this.
        Err(SseError::Body(error)) if error.to_string().contains("exceeded the maximum size") => {
            let data = ErrorData::new(TOO_LARGE, "too large", None);
            let answer: ServerJsonRpcMessage = JsonRpcMessage::error(data, Some(id.clone()));
            Ok(Sse {
                data: serde_json::to_string(&answer).ok(),
                ..Sse::default()
            })
        }
        event => event,
    }
}
