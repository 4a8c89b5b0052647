//! Where the page is, and the way to another one.
//!
//! On the server that is the business of leptos' router, which has the address of a request. In the browser it is a signal, clicks on links and
//! `history`: nothing else of a router is used there, and leptos' own would be sent to everybody.

#[cfg(not(feature = "ssr"))]
pub(crate) use here::Here;
pub(crate) use here::here;

#[cfg(feature = "ssr")]
mod here {
    use leptos::prelude::*;
    use leptos_router::hooks::use_location;

    /// Where the page is.
    #[derive(Clone, Copy)]
    pub(crate) struct Here {
        /// The path of its address.
        pub(crate) path: Memo<String>,
    }

    impl Here {
        /// Leads nowhere: a page that is being made stays what it is.
        pub(crate) const fn go(self, _: &str) {}
    }

    /// Where the page is that is being made.
    pub(crate) fn here() -> Here {
        Here {
            path: use_location().pathname,
        }
    }
}

#[cfg(not(feature = "ssr"))]
mod here {
    use leptos::{ev, prelude::*};
    use wasm_bindgen::{JsCast as _, JsValue};
    use web_sys::Element;

    use crate::{
        erase::Look as _,
        route::{Page, path_of},
    };

    /// Where the page is.
    #[derive(Clone, Copy)]
    pub(crate) struct Here {
        /// The path of its address.
        pub(crate) path: RwSignal<String>,
    }

    impl Here {
        /// Follows the address of the page, and leads from page to page without loading one, for as long as the page lives.
        pub(crate) fn follow() -> Self {
            let here = Self {
                path: RwSignal::new(location().pathname().unwrap_or_default()),
            };
            window_event_listener(ev::popstate, move |_| here.look());
            window_event_listener(ev::click, move |event| {
                if let Some(address) = followed(&event) {
                    event.prevent_default();
                    here.go(&address);
                }
            });
            here
        }

        /// Leads to the page at an address of this site.
        pub(crate) fn go(self, address: &str) {
            if self.path.peek(|path| path != address)
                && let Ok(history) = window().history()
            {
                // Browsers refuse that of addresses of other sites alone.
                let _ = history.push_state_with_url(&JsValue::NULL, "", Some(address));
            }
            self.look();
        }

        fn look(self) {
            let path = location().pathname().unwrap_or_default();
            if self.path.peek(|known| *known != path) {
                self.path.set(path);
            }
        }
    }

    /// Where the page is, and the way to another one.
    pub(crate) fn here() -> Here {
        expect_context()
    }

    /// The address of the page that a click is to lead to, unless the browser is to see to it: in another tab, on another site, to a file.
    fn followed(event: &ev::MouseEvent) -> Option<String> {
        let held = event.meta_key() || event.alt_key() || event.ctrl_key() || event.shift_key();
        if event.default_prevented() || event.button() != 0 || held {
            return None;
        }
        let clicked: Element = event.target()?.dyn_into().ok()?;
        let link = clicked
            .closest("a[href]:not([target]):not([download]):not([rel~=external])")
            .ok()??;
        let address = link.get_attribute("href")?;
        (Page::of(path_of(&address)) != Page::Missing).then_some(address)
    }
}
