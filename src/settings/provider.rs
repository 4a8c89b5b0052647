//! Who can answer, and which settings say where and with what key.

use super::{
    Secret,
    field::Field,
    kinds::{BaseUrl, List},
    tables::Raw,
    variables,
};

/// The variables that say where a provider's servers are.
#[derive(Clone, Copy, Debug)]
pub struct ServerVariables {
    /// With the addresses.
    pub url: &'static str,
    /// With the key; `None`: no key is ever asked for.
    pub key: Option<&'static str>,
}

/// What they hold.
pub(super) struct ServerFields<'r> {
    pub(super) url: &'r Field<Option<List<BaseUrl>>>,
    pub(super) key: Option<&'r Field<Option<Secret>>>,
}

/// The one list of providers: name in `MODEL`, field of the address, field of the key.
macro_rules! providers {
    ($($(#[$doc:meta])+ $provider:ident = $name:literal $(, url $url:ident $(, key $key:ident)?)?;)+) => {
        /// How a model's servers are spoken to.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Provider {
            $($(#[$doc])+ $provider,)+
        }

        impl Provider {
            /// Every provider.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$provider),+];

            /// Its name in `MODEL` and in the file of back ends.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$provider => $name,)+
                }
            }

            /// The provider of this name.
            #[must_use]
            pub fn of(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|provider| provider.name() == name)
            }

            /// The variables that say where its servers are; `None`: it has none.
            #[must_use]
            pub fn variables(self) -> Option<ServerVariables> {
                let (url, key) = self.fields()?;
                let name = |field| variables::of_field(field).map(|variable| variable.name);
                Some(ServerVariables { url: name(url)?, key: key.and_then(name) })
            }

            /// The fields of its settings: the address, and the key where it takes one. `None`: it has no servers.
            pub(super) fn fields(self) -> Option<(&'static str, Option<&'static str>)> {
                match self {
                    $(Self::$provider => {
                        let fields: &[_] = &[$((stringify!($url), [$(stringify!($key))?].first().copied()))?];
                        fields.first().copied()
                    })+
                }
            }
        }

        impl ServerFields<'_> {
            /// Those of this provider; `None`: it has no servers.
            pub(super) fn of(provider: Provider, raw: &Raw) -> Option<ServerFields<'_>> {
                let _ = raw;
                match provider {
                    $(Provider::$provider => {
                        let fields: &[_] = &[$((&raw.$url, [$(&raw.$key)?].first().copied()))?];
                        let (url, key) = *fields.first()?;
                        Some(ServerFields { url, key })
                    })+
                }
            }
        }
    };
}

providers! {
    /// The demo model inside Anteroom.
    Builtin = "builtin";
    /// OpenAI, or anything that speaks its API at `OPENAI_BASE_URL`.
    OpenAi = "openai", url openai_base_url, key openai_api_key;
    /// Ollama at `OLLAMA_URL`.
    Ollama = "ollama", url ollama_url;
    /// Anthropic.
    Anthropic = "anthropic", url anthropic_base_url, key anthropic_api_key;
    /// Google Gemini.
    Gemini = "gemini", url gemini_base_url, key gemini_api_key;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_but_the_built_in_one_has_variables_that_there_are() {
        for provider in Provider::ALL {
            let Some((url, key)) = provider.fields() else {
                assert_eq!(provider, Provider::Builtin);
                continue;
            };
            for field in [Some(url), key].into_iter().flatten() {
                let variable = variables::of_field(field).expect(field);
                assert!(variable.secret || variable.private, "{field}");
            }
        }
    }

    #[test]
    fn the_table_names_every_provider() {
        let model = variables::of_field("model").expect("a variable");
        for provider in Provider::ALL.map(Provider::name) {
            assert!(model.meaning.contains(&format!("`{provider}`")), "{provider}");
            assert!(model.comment.iter().any(|line| line.contains(provider)), "{provider}");
        }
    }
}
