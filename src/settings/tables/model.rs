//! Who answers, where it is, and how it is asked.

use validator::ValidationError;

use super::{
    super::{Provider, variables},
    Raw,
};

macro_rules! model_table {
    ([$next:ident $($rest:ident)*] $($tables:tt)*) => { $next! { [$($rest)*] $($tables)*
        "The model" {
            /// Who answers. Providers: `builtin`, `openai`, `ollama`, `anthropic`, `gemini`.
            MODEL as model: ModelName {
                also "GEN_MODEL";
                default "demo@builtin";
                applies at_start;
                comment
                    "Who answers: name@provider, the provider being builtin, openai, ollama, anthropic or gemini."
                    "For example gpt-4o@openai or llama3.2@ollama. The demo model works offline and needs nothing.";
            }
            /// The key for OpenAI. Needed for `…@openai` unless `OPENAI_BASE_URL` is set.
            OPENAI_API_KEY as openai_api_key: Option<Secret> {
                shown to_nobody;
                applies at_start;
                comment
                    "OpenAI, or anything that speaks its API (vLLM, llama.cpp, LM Studio): set the base URL, such as"
                    "http://127.0.0.1:8000/v1; the key may then be left empty if that server asks for none.";
            }
            /// A server that speaks OpenAI's API, such as vLLM, llama.cpp or LM Studio: `http://127.0.0.1:8000/v1`.
            OPENAI_BASE_URL as openai_base_url: Option<BaseUrl> {
                shown to_operator;
                applies at_start;
            }
            /// Where Ollama is, if not at `http://127.0.0.1:11434`.
            OLLAMA_URL as ollama_url: Option<BaseUrl> {
                shown to_operator;
                applies at_start;
                comment "Ollama, where it is not at http://127.0.0.1:11434.";
            }
            /// The key for Anthropic.
            ANTHROPIC_API_KEY as anthropic_api_key: Option<Secret> {
                shown to_nobody;
                applies at_start;
                comment "Anthropic; the base URL only for a server of your own.";
            }
            /// A server of your own that speaks Anthropic's API.
            ANTHROPIC_BASE_URL as anthropic_base_url: Option<BaseUrl> {
                shown to_operator;
                applies at_start;
            }
            /// The key for Google Gemini.
            GEMINI_API_KEY as gemini_api_key: Option<Secret> {
                shown to_nobody;
                applies at_start;
                comment "Google Gemini; the base URL only for a server of your own.";
            }
            /// A server of your own that speaks Gemini's API.
            GEMINI_BASE_URL as gemini_base_url: Option<BaseUrl> {
                shown to_operator;
                applies at_start;
            }
            // Not a key, but what an operator tells a model is nobody else's to read on the stats tab.
            /// Said to the model before every conversation. Not shown on the stats tab.
            SYSTEM_PROMPT as system_prompt: Option<Text> {
                range 0 to 65_536;
                shown to_nobody;
                applies at_start;
                comment "Said to the model before every conversation.";
            }
            /// Longest silence of the model server, before and between the pieces of an answer.
            MODEL_STALL_TIMEOUT as model_stall_timeout: Duration {
                default "60";
                range 0.1 to LONGEST;
                applies at_start;
                comment "Longest silence of the model server, before and between the pieces of an answer.";
            }
            /// How often a request that failed before its first piece is made again.
            MODEL_RETRIES as model_retries: u32 {
                default "2";
                range 0 to 10;
                applies at_start;
                comment "How often a request that failed before its first piece is made again.";
            }
            /// The demo model's time to its first token.
            DEMO_FIRST_TOKEN as demo_first_token: Duration {
                default "600ms";
                range 0 to 60;
                applies at_start;
                comment "The demo model's pace: time to its first token, and tokens a second.";
            }
            /// The demo model's tokens a second.
            DEMO_SPEED as demo_speed: u32 {
                default "40";
                range 1 to 100_000;
                applies at_start;
            }
        }
    } };
}

/// Code of an error between fields; its message stands at `MODEL`.
pub(in super::super) const AT_MODEL: &str = "model";

/// A server of one's own behind the base URL may ask for no key.
pub(super) fn model_has_its_key(raw: &Raw) -> Result<(), ValidationError> {
    let Some(model) = raw.model.as_ref() else { return Ok(()) };
    let fields = Provider::of(&model.place).and_then(Provider::fields);
    let Some((url, Some(key))) = fields else {
        return Ok(());
    };
    if !raw.is_unset(key) || !raw.is_unset(url) {
        return Ok(());
    }
    let name = |field| variables::of_field(field).map_or(field, |variable| variable.name);
    let message = format!(
        "this model needs {} (or {}, for a server of your own that asks for no key)",
        name(key),
        name(url)
    );
    Err(ValidationError::new(AT_MODEL).with_message(message.into()))
}
