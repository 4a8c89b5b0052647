//! Which models a server has, as it says itself. It is somebody else's list: its length, its names and the time for it are bounded.

use std::{collections::BTreeMap, time::Duration};

use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::{Broken, Fault, Server};
use crate::{agents::AgentError, settings::Provider};

/// Longest time for the whole list.
const LONGEST: Duration = Duration::from_secs(10);
/// Most bytes of it: gateways to hundreds of models need one or two million.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// Most models that are taken over from one server.
const MOST_MODELS: usize = 500;
/// Most bytes of a model's name or title.
const LONGEST_NAME: usize = 200;

/// One model that a server has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::agents) struct Listed {
    /// What it is asked for by.
    pub(in crate::agents) name: String,
    /// What people should read instead.
    pub(in crate::agents) title: Option<String>,
    /// Longest conversation, in tokens.
    pub(in crate::agents) context: Option<u64>,
    /// Whether it reads pictures.
    pub(in crate::agents) vision: Option<bool>,
}

impl Listed {
    pub(super) const fn new(name: String) -> Self {
        Self {
            name,
            title: None,
            context: None,
            vision: None,
        }
    }
}

impl Server {
    /// Asks for the list, in the order of the names. Cancel-safe.
    ///
    /// # Errors
    /// It did not come, or is none.
    pub(in crate::agents) async fn models(&self) -> Result<Vec<Listed>, Fault> {
        timeout(LONGEST, self.fetch())
            .await
            .unwrap_or_else(|_| Err(Fault::new(AgentError::Stalled, "no list in time")))
    }

    async fn fetch(&self) -> Result<Vec<Listed>, Fault> {
        let url = self.endpoint.list(self.protocol).ok_or(Broken)?;
        let sent = self.endpoint.client.get(url).send().await;
        let mut response = sent.map_err(Fault::of_request)?;
        let status = response.status();
        if !status.is_success() {
            let error = AgentError::Rejected {
                status: status.as_u16(),
            };
            return Err(Fault::new(error, format!("status {}", status.as_u16())));
        }
        let mut list = Vec::new();
        loop {
            let piece = response.chunk().await;
            let Some(bytes) = piece.map_err(|error| Fault::of_connection(AgentError::CutOff, error))? else {
                break;
            };
            if list.len() + bytes.len() > MOST_BYTES {
                return Err(Fault::new(AgentError::InvalidResponse, "its list is too long"));
            }
            list.extend_from_slice(&bytes);
        }
        Ok(tidy(self.protocol.read_list(&list)?))
    }
}

/// The models that the servers of `provider` say they have with this list, as they would be offered. `None`: it is no such list, or that provider is
/// no server.
#[must_use]
pub fn model_names(provider: Provider, list: &[u8]) -> Option<Vec<String>> {
    let listed = super::of(provider)?.read_list(list).ok()?;
    Some(tidy(listed).into_iter().map(|model| model.name).collect())
}

pub(super) fn read_list<T: DeserializeOwned>(list: &[u8]) -> Result<T, Broken> {
    serde_json::from_slice(list).map_err(|_| Broken)
}

/// Each model once, and none that no setting could name.
fn tidy(listed: Vec<Listed>) -> Vec<Listed> {
    let is_sound =
        |text: &str| !text.trim().is_empty() && text.len() <= LONGEST_NAME && !text.contains(char::is_control);
    let sound = listed
        .into_iter()
        .filter(|model| is_sound(&model.name) && model.name.trim() == model.name);
    let by_name: BTreeMap<String, Listed> = sound
        .map(|model| Listed {
            title: model.title.filter(|title| is_sound(title)),
            context: model.context.filter(|context| *context > 0),
            ..model
        })
        .map(|model| (model.name.clone(), model))
        .collect();
    by_name.into_values().take(MOST_MODELS).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(provider: Provider, list: &Value) -> Option<Vec<Listed>> {
        let protocol = super::super::of(provider)?;
        protocol.read_list(list.to_string().as_bytes()).ok().map(tidy)
    }

    fn one(name: &str, title: Option<&str>, context: Option<u64>, vision: Option<bool>) -> Listed {
        Listed {
            name: name.to_owned(),
            title: title.map(str::to_owned),
            context,
            vision,
        }
    }

    #[test]
    fn each_provider_has_a_list_of_its_own_form() {
        let openai = json!({ "object": "list", "data": [
            { "id": "org/vllm-model", "object": "model", "max_model_len": 32768 },
            { "id": "text-embedding-3-small" },
            { "id": "router", "context_length": 1000, "architecture": { "input_modalities": ["text", "image"] } },
            { "id": "blind", "architecture": { "input_modalities": ["text"] } },
            { "id": "mistral", "max_context_length": 5 },
        ]});
        assert_eq!(
            read(Provider::OpenAi, &openai),
            Some(vec![
                one("blind", None, None, Some(false)),
                one("mistral", None, Some(5), None),
                one("org/vllm-model", None, Some(32768), None),
                one("router", None, Some(1000), Some(true)),
            ])
        );
        let ollama = json!({ "models": [
            { "name": "llama3.2:latest", "model": "llama3.2:latest", "size": 1 },
            { "name": "nomic-embed-text:latest" },
        ]});
        assert_eq!(
            read(Provider::Ollama, &ollama),
            Some(vec![one("llama3.2:latest", None, None, None)])
        );
        let anthropic =
            json!({ "data": [{ "type": "model", "id": "claude-x", "display_name": "Claude X" }], "has_more": false });
        assert_eq!(
            read(Provider::Anthropic, &anthropic),
            Some(vec![one("claude-x", Some("Claude X"), None, None)])
        );
        let gemini = json!({ "models": [
            { "name": "models/gemini-x", "displayName": "Gemini X", "inputTokenLimit": 7, "supportedGenerationMethods": ["generateContent"] },
            { "name": "models/embedding", "supportedGenerationMethods": ["embedContent"] },
        ]});
        assert_eq!(
            read(Provider::Gemini, &gemini),
            Some(vec![one("gemini-x", Some("Gemini X"), Some(7), None)])
        );
        assert_eq!(read(Provider::Builtin, &json!({})), None);
    }

    #[test]
    fn what_no_setting_could_name_is_left_out() {
        let long = "x".repeat(LONGEST_NAME + 1);
        let names = ["b", "a", "a", "", "  ", " c", "d\n", &long];
        let data: Vec<_> = names.iter().map(|name| json!({ "id": name })).collect();
        let listed = read(Provider::OpenAi, &json!({ "data": data })).expect("a list");
        let names: Vec<_> = listed.iter().map(|model| model.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let many: Vec<_> = (0..2000)
            .map(|number| json!({ "id": format!("m{number:04}") }))
            .collect();
        let listed = read(Provider::OpenAi, &json!({ "data": many })).expect("a list");
        assert_eq!(listed.len(), MOST_MODELS);
        assert_eq!(
            model_names(Provider::OpenAi, b"{\"data\":[{\"id\":\"a\"}]}"),
            Some(vec!["a".to_owned()])
        );
        assert_eq!(read(Provider::OpenAi, &json!([])), None);
        assert_eq!(read(Provider::OpenAi, &json!({ "data": "soon" })), None);
    }
}
