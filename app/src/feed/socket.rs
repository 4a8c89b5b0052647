//! The browser's end of the feed: one WebSocket that reconnects by itself.

use std::{cell::RefCell, rc::Rc, time::Duration};

use anteroom::wire::FeedMessage;
use leptos::{ev, leptos_dom::helpers::TimeoutHandle, prelude::*};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{CloseEvent, MessageEvent, VisibilityState, WebSocket, js_sys};

use super::{Link, Store, comeback};
use crate::{format, json, words::words};

/// Longest silence of the server: it speaks at least every 20 s.
const LONGEST_SILENCE_MS: f64 = 45_000.0;
/// How often the silence is measured.
const WATCH: Duration = Duration::from_secs(5);
/// A break shorter than this is not worth a word on the screen.
const GRACE: Duration = Duration::from_millis(900);
/// The same where the server has asked the page to come back, unless an attempt fails: it is there, or another node is.
const EXPECTED: Duration = Duration::from_secs(5);
/// The code with which the server asks a page to come back: it restarts, or the session is at home at another node.
const COME_BACK: u16 = 1012;

/// Opens the feed and keeps it open for as long as the page lives.
pub(crate) fn start(store: Store) {
    let feed = Feed {
        store,
        state: Rc::new(RefCell::new(State {
            pause: comeback::FIRST,
            ..State::default()
        })),
    };
    feed.connect();
    feed.watch();
}

/// What belongs to one connection: dropping it forgets the callbacks.
struct Connection {
    socket: WebSocket,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        let _ = self.socket.close();
    }
}

#[derive(Default)]
struct State {
    connection: Option<Connection>,
    retry: Option<TimeoutHandle>,
    /// Says that the connection is lost, unless the server is heard before; and whether the server has asked to be come back to.
    telling: Option<(TimeoutHandle, bool)>,
    pause: f64,
    heard: f64,
}

#[derive(Clone)]
struct Feed {
    store: Store,
    state: Rc<RefCell<State>>,
}

impl Feed {
    fn connect(&self) {
        if let Some(retry) = self.state.borrow_mut().retry.take() {
            retry.clear();
        }
        let Some(socket) = self.url().and_then(|url| WebSocket::new(&url).ok()) else {
            self.lost(false);
            return;
        };
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new({
            let feed = self.clone();
            move |event: MessageEvent| feed.hear(&event)
        });
        let on_close = Closure::<dyn FnMut(CloseEvent)>::new({
            let feed = self.clone();
            move |event: CloseEvent| feed.lost(event.code() == COME_BACK)
        });
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        let mut state = self.state.borrow_mut();
        state.heard = js_sys::Date::now();
        state.connection = Some(Connection {
            socket,
            _on_message: on_message,
            _on_close: on_close,
        });
    }

    fn url(&self) -> Option<String> {
        let location = location();
        let scheme = if location.protocol().ok()? == "https:" {
            "wss"
        } else {
            "ws"
        };
        let host = location.host().ok()?;
        let feed = format!("{scheme}://{host}/feed?language={}", words().language().code());
        Some(match self.store.position.get_value() {
            Some(at) => format!("{feed}&epoch={}&after={}", at.epoch, at.number),
            None => feed,
        })
    }

    fn hear(&self, event: &MessageEvent) {
        {
            let mut state = self.state.borrow_mut();
            state.heard = js_sys::Date::now();
            state.pause = comeback::FIRST;
            if let Some((telling, _)) = state.telling.take() {
                telling.clear();
            }
        }
        match json::parse_there::<FeedMessage>(&event.data()) {
            Ok(message) => self.store.hear(message),
            // Another version's message: its Hello has said so, and the page asks to be reloaded.
            Err(error) => leptos::logging::warn!("feed: {error}"),
        }
    }

    /// The connection has gone: says so if it stays away, and tries again after a growing pause. `asked`: the server has asked to be come back
    /// to.
    fn lost(&self, asked: bool) {
        let pause = {
            let mut state = self.state.borrow_mut();
            let pause = state.pause;
            state.pause = (pause * 2.0).min(comeback::LONGEST);
            pause
        };
        // Its own callback may be running: it is dropped in the next task.
        let feed = self.clone();
        set_timeout(
            move || drop(feed.state.borrow_mut().connection.take_if(|c| !alive(&c.socket))),
            Duration::ZERO,
        );
        let (idle, chance) = (self.store.is_idle(), js_sys::Math::random());
        self.tell_later(asked, comeback::at_hand(idle, chance));
        self.retry_in(comeback::pause(pause, idle, chance));
    }

    /// Tries after so many milliseconds, and not before.
    fn retry_in(&self, pause: f64) {
        let feed = self.clone();
        let retry = set_timeout_with_handle(move || feed.connect(), Duration::from_secs_f64(pause / 1000.0));
        let old = std::mem::replace(&mut self.state.borrow_mut().retry, retry.ok());
        if let Some(old) = old {
            old.clear();
        }
    }

    /// Says in a while that the connection is lost, unless it is there then. A page that has been asked to come back does not know before it has
    /// tried; `pause`, in milliseconds, is how long it takes its time.
    fn tell_later(&self, asked: bool, pause: f64) {
        let mut state = self.state.borrow_mut();
        match state.telling.take() {
            // What is to be said already is said when it was to be, but for a page that has tried in vain since it was asked.
            Some(telling) if asked || !telling.1 => {
                state.telling = Some(telling);
                return;
            }
            Some((telling, _)) => telling.clear(),
            None => {}
        }
        let grace = if asked {
            EXPECTED + Duration::from_secs_f64(pause / 1000.0)
        } else {
            GRACE
        };
        let feed = self.clone();
        let tell = move || {
            feed.state.borrow_mut().telling = None;
            feed.tell_if_lost();
        };
        let telling = set_timeout_with_handle(tell, grace).ok();
        state.telling = telling.map(|telling| (telling, asked));
    }

    fn tell_if_lost(&self) {
        let open = self
            .state
            .borrow()
            .connection
            .as_ref()
            .is_some_and(|c| c.socket.ready_state() == WebSocket::OPEN);
        if !open {
            self.tell_lost();
        }
    }

    fn tell_lost(&self) {
        let heard = self.state.borrow().heard;
        if self.store.link.get_untracked() != Link::Lost {
            self.store.lost_at.set(Some(format::whole(heard)));
            self.store.link.set(Link::Lost);
        }
    }

    fn is_alive(&self) -> bool {
        self.state
            .borrow()
            .connection
            .as_ref()
            .is_some_and(|connection| alive(&connection.socket))
    }

    /// Cuts a connection that cannot be alive any more.
    fn cut(&self) {
        let connection = self.state.borrow_mut().connection.take();
        drop(connection);
        self.lost(false);
    }

    /// Notices a silent death, and the moments when a new attempt is worth making at once.
    fn watch(&self) {
        let feed = self.clone();
        let watching = move || {
            let silence = js_sys::Date::now() - feed.state.borrow().heard;
            if feed.is_alive() && silence > LONGEST_SILENCE_MS {
                feed.cut();
            }
        };
        set_interval(watching, WATCH);
        let feed = self.clone();
        // The network may have come back for many pages at once.
        window_event_listener(ev::online, move |_| {
            if !feed.is_alive() {
                feed.state.borrow_mut().pause = comeback::FIRST;
                feed.retry_in(comeback::at_hand(feed.store.is_idle(), js_sys::Math::random()));
            }
        });
        let feed = self.clone();
        window_event_listener(ev::offline, move |_| {
            feed.cut();
            feed.tell_lost();
        });
        let feed = self.clone();
        window_event_listener(ev::visibilitychange, move |_| {
            if document().visibility_state() == VisibilityState::Visible {
                feed.hurry();
            }
        });
        let feed = self.clone();
        Effect::new(move |begun: Option<()>| {
            feed.store.wake.track();
            if begun.is_some() {
                feed.hurry();
            }
        });
    }

    /// Tries now, where there is no connection.
    fn hurry(&self) {
        if !self.is_alive() {
            self.state.borrow_mut().pause = comeback::FIRST;
            self.connect();
        }
    }
}

fn alive(socket: &WebSocket) -> bool {
    matches!(socket.ready_state(), WebSocket::OPEN | WebSocket::CONNECTING)
}
