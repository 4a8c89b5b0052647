//! Telling servers of before from those that begin without a handshake.
//!
//! A server is asked first whether it knows the newest version. One of before is to answer that it knows no such request; some answer with a
//! result instead, an empty one mostly, to whatever they do not know. That says the same, and rmcp is told so: else it would give them up.

use rmcp::{
    model::{ClientRequest, ErrorCode, ErrorData, JsonRpcMessage, RequestId, ServerResult},
    service::{RoleClient, RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};

/// A transport that knows what an answer to the first question has to be.
pub(super) struct Probe<T> {
    transport: T,
    /// The question that waits for its answer.
    asked: Option<RequestId>,
}

impl<T> Probe<T> {
    pub(super) const fn new(transport: T) -> Self {
        Self { transport, asked: None }
    }
}

impl<T: Transport<RoleClient>> Transport<RoleClient> for Probe<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        if let JsonRpcMessage::Request(request) = &item
            && matches!(request.request, ClientRequest::DiscoverRequest(_))
        {
            self.asked = Some(request.id.clone());
        }
        self.transport.send(item)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        let message = self.transport.receive().await?;
        let JsonRpcMessage::Response(response) = &message else {
            return Some(message);
        };
        if self.asked.as_ref() != Some(&response.id) {
            return Some(message);
        }
        self.asked = None;
        if matches!(response.result, ServerResult::DiscoverResult(_)) {
            return Some(message);
        }
        let data = ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "no answer to what was asked", None);
        Some(JsonRpcMessage::error(data, Some(response.id.clone())))
    }

    fn close(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send {
        self.transport.close()
    }
}
