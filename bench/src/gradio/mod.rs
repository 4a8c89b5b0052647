//! Gradio, driven through its queue's protocol (`sse_v3`), as its own page does: an open heartbeat for each page, a POST that
//! joins the queue, and a stream of server-sent events that says what becomes of it.
//!
//! A message is one event here, the chat interface's API function; the page itself makes four more for each message.

mod page;
mod server;

pub(crate) use server::Gradio;
