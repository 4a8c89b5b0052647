//! The site's files (script, WebAssembly, style, icons), as `cargo xtask` built them: embedded in the binary of a release build,
//! read once, from the target directory, by that of a debug build.
//!
//! A file whose name holds a hash of its content may be kept for ever; any other is asked for again by its ETag.
//! What was compressed when it was built is sent compressed; nothing is compressed on the way.

mod encoding;
mod made;
mod words;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use anteroom::{http::Refusal, wire::Reason};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::RustEmbed;

use encoding::{Encoding, negotiate};
pub(super) use made::Made;

use crate::AssetUrls;

/// Number of hexadecimal digits that `cargo xtask` takes of a file's SHA-256 into its name.
const HASH_DIGITS: usize = 16;
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const VARY: HeaderValue = HeaderValue::from_static("accept-encoding");

static SITE: OnceLock<Files> = OnceLock::new();

/// Takes the files that were built for browsers. To be called before anything else of the site; without it there are none but the words.
pub fn provide<Site: RustEmbed>() {
    let built = Site::iter().filter_map(|name| {
        let file = Site::get(&name)?;
        let body = match file.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::from(bytes),
        };
        let modified = file.metadata.last_modified().unwrap_or_default();
        Some(Source {
            name: name.into_owned(),
            sha256: file.metadata.sha256_hash(),
            modified,
            body,
        })
    });
    // Given twice, they are the same files.
    let _ = SITE.set(Files::new(built.chain(words::sources())));
}

fn site() -> &'static Files {
    SITE.get_or_init(|| Files::new(words::sources()))
}

/// Where the browser finds the app, whether its names hold hashes (`cargo xtask`) or not (`cargo leptos`).
pub fn urls() -> AssetUrls {
    let [js, wasm, css] = ["js", "wasm", "css"].map(|extension| site().newest("anteroom", extension));
    AssetUrls {
        js,
        wasm,
        css,
        words: words::urls(),
    }
}

/// Where the browser finds the style sheet of what only the tabs show that the server draws.
pub(super) fn sheet_of_tabs() -> String {
    site().newest("tabs", "css")
}

/// The app's style sheet itself. Empty where the server was built without the site.
pub(super) fn style() -> String {
    let plain = site().get(&urls().css).and_then(|file| file.forms.last());
    plain.map_or_else(String::new, |form| String::from_utf8_lossy(&form.body).into_owned())
}

/// `false` where the server was built without the site, so that its pages would have neither style nor script.
pub fn built() -> bool {
    let urls = urls();
    [&urls.js, &urls.wasm, &urls.css]
        .into_iter()
        .all(|url| site().get(url).is_some())
}

/// Serves `/pkg/*` and each file that lies beside `pkg` (icons, the manifest) at the root. Answers HEAD too.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let root = site().files.keys().filter(|name| !name.starts_with("/pkg/"));
    root.fold(Router::new().route("/pkg/{*path}", get(serve)), |router, name| {
        router.route(name, get(serve))
    })
}

async fn serve(uri: Uri, headers: HeaderMap) -> Response {
    site().answer(uri.path(), &headers)
}

/// A file as it was built.
struct Source {
    /// Its path below the site's folder.
    name: String,
    sha256: [u8; 32],
    /// Seconds since 1970.
    modified: u64,
    body: Bytes,
}

/// The site by path.
struct Files {
    files: BTreeMap<String, File>,
}

struct File {
    mime: HeaderValue,
    /// The name holds a hash of the content.
    immutable: bool,
    modified: u64,
    /// Best first; the plain one is the last and always there.
    forms: Vec<Form>,
}

struct Form {
    encoding: Encoding,
    etag: HeaderValue,
    body: Bytes,
}

impl Files {
    fn new(sources: impl Iterator<Item = Source>) -> Self {
        let mut sources: BTreeMap<String, Source> =
            sources.map(|source| (format!("/{}", source.name), source)).collect();
        let plain: Vec<String> = sources
            .keys()
            .filter(|path| !is_compressed(path, &sources))
            .cloned()
            .collect();
        let files = plain.into_iter().map(|path| {
            let mut forms = Vec::new();
            let mut modified = 0;
            for encoding in [Encoding::Brotli, Encoding::Gzip, Encoding::Identity] {
                let name = encoding
                    .extension()
                    .map_or_else(|| path.clone(), |ending| format!("{path}.{ending}"));
                if let Some(source) = sources.remove(&name) {
                    modified = source.modified;
                    forms.push(Form {
                        encoding,
                        etag: etag(&source.sha256),
                        body: source.body,
                    });
                }
            }
            let file = File {
                mime: mime(&path),
                immutable: has_hash(&path),
                modified,
                forms,
            };
            (path, file)
        });
        Self { files: files.collect() }
    }

    fn get(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// Of several (a folder that both `cargo xtask` and `cargo leptos` have written to), the one written last.
    fn newest(&self, name: &str, extension: &str) -> String {
        let of_this_name = |path: &str| {
            let rest = path
                .strip_prefix("/pkg/")
                .and_then(|rest| rest.strip_prefix(name)?.strip_suffix(extension));
            rest.map(|rest| rest.strip_prefix("_bg").unwrap_or(rest))
                .is_some_and(|rest| rest == "." || is_hash(rest.trim_matches('.')))
        };
        self.files
            .iter()
            .filter(|(path, _)| of_this_name(path))
            .max_by_key(|(_, file)| file.modified)
            .map_or_else(|| format!("/pkg/{name}.{extension}"), |(path, _)| path.clone())
    }

    fn answer(&self, path: &str, headers: &HeaderMap) -> Response {
        match self.get(path) {
            Some(file) => file.answer(headers),
            None => {
                let refused = Refusal::new(StatusCode::NOT_FOUND, Reason::RequestUnknown);
                ([(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF)], refused).into_response()
            }
        }
    }
}

impl File {
    fn answer(&self, headers: &HeaderMap) -> Response {
        let encoding = negotiate(headers, self.forms.iter().map(|form| form.encoding));
        let Some(form) = self
            .forms
            .iter()
            .find(|form| form.encoding == encoding)
            .or(self.forms.last())
        else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let unchanged = matches(headers, &form.etag);
        let mut response = if unchanged {
            Response::new(Body::empty())
        } else {
            form.body.clone().into_response()
        };
        if unchanged {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let out = response.headers_mut();
        out.insert(header::CACHE_CONTROL, if self.immutable { FOREVER } else { REVALIDATE });
        out.insert(header::ETAG, form.etag.clone());
        out.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        if self.forms.len() > 1 {
            out.insert(header::VARY, VARY);
        }
        if !unchanged {
            out.insert(header::CONTENT_TYPE, self.mime.clone());
            if let Some(token) = encoding.token() {
                out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(token));
            }
        }
        response
    }
}

/// Whether the browser has this very form already (RFC 9110, 13.1.2: the weak comparison).
fn matches(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim())
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == etag.as_bytes())
}

/// `x.js.br` beside an `x.js`.
fn is_compressed(path: &str, sources: &BTreeMap<String, Source>) -> bool {
    path.strip_suffix(".br")
        .or_else(|| path.strip_suffix(".gz"))
        .is_some_and(|plain| sources.contains_key(plain))
}

/// Whether the last part but one of a file's name is a content hash: `anteroom.0123456789abcdef.js`.
fn has_hash(path: &str) -> bool {
    path.rsplit('.').nth(1).is_some_and(is_hash)
}

fn is_hash(part: &str) -> bool {
    part.len() == HASH_DIGITS && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn etag(sha256: &[u8; 32]) -> HeaderValue {
    let digits: String = sha256[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::try_from(format!("\"{digits}\"")).expect("hexadecimal digits are a valid header value")
}

fn mime(path: &str) -> HeaderValue {
    let mime = mime_guess::from_path(path).first_or_octet_stream();
    let charset = if mime.type_() == mime_guess::mime::TEXT {
        "; charset=utf-8"
    } else {
        ""
    };
    HeaderValue::try_from(format!("{mime}{charset}")).expect("a MIME type is a valid header value")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that meets a missing value has failed")]
mod tests;
