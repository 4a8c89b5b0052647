//! What servers have for people: resources, which become files of a message, and prompts, whose text is put where messages are written.
//!
//! All of it is asked for when somebody wants to see it, over the connections that tools are called over, and within the same bounds. What a
//! server says is data: it is cleaned (`clean.rs`), kept short (`listed.rs`), and only what it lists is read (`read.rs`, `template.rs`).

mod clean;
mod listed;
mod looks;
mod read;
mod template;

use std::{collections::BTreeMap, time::Duration};

use rmcp::model::{
    ClientRequest, GetPromptRequest, GetPromptRequestParams, ListPromptsRequest, ListResourceTemplatesRequest,
    ListResourcesRequest, ReadResourceRequest, ReadResourceRequestParams,
};
use serde_json::{Map, Value};
use tokio::time::timeout;
use tracing::debug;

use self::looks::Look;
pub(super) use self::looks::Looks;
pub use self::{
    listed::{Argument, Prompt, Resource, Resources, Template},
    read::{Attachment, PromptText},
};
use super::{Person, Place, Tools, connection::InUse, error::ToolError, private::Held, server::ServerSlot};
use crate::{accounts::Principal, queue::Owner};

/// How long a server may take to say which templates it has. Most have none, and some say nothing at all then: what it lists is there without.
const TEMPLATES: Duration = Duration::from_secs(5);

/// A server that may have something for people. Whether it does is known once it has been connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name.
    pub server: String,
    /// It may have resources.
    pub resources: bool,
    /// It may have prompts.
    pub prompts: bool,
}

/// Who asks a server for something.
#[derive(Clone, Debug, Default)]
pub struct Asker {
    /// Of whose things few are asked for at once; `None`: of nobody's in particular.
    pub principal: Option<Principal>,
    /// What they have given of their own.
    pub person: Person,
}

/// A resource that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// One that is listed, by its address.
    Listed(String),
    /// One of a template.
    Filled {
        /// The template, as it is listed.
        template: String,
        /// What stands in place of its variables.
        values: BTreeMap<String, String>,
    },
}

/// A server that is being asked, and all that this takes.
struct Asking {
    server: Held,
    connection: InUse,
    _slot: ServerSlot,
    _look: Look,
}

impl Drop for Asking {
    fn drop(&mut self) {
        if self.connection.is_broken() {
            self.server.lost(&self.connection, None);
        }
    }
}

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Resources,
    Prompts,
}

impl Tools {
    /// The servers that may have something for people, by name. None is connected to for that.
    #[must_use]
    pub fn sources(&self) -> Vec<Source> {
        let servers = self.servers();
        let all = servers.iter().filter_map(|(name, place)| {
            let settings = place.settings();
            let gives = match place {
                Place::Shared(server) => server.gives(),
                // Each person may find something else there.
                Place::Persons(_) => None,
            };
            let source = Source {
                server: name.clone(),
                resources: settings.resources && gives.is_none_or(|gives| gives.resources),
                prompts: settings.prompts && gives.is_none_or(|gives| gives.prompts),
            };
            (source.resources || source.prompts).then_some(source)
        });
        all.collect()
    }

    /// The resources of a server. Connects to it where that is not connected.
    ///
    /// # Errors
    /// [`ToolError`]; [`ToolError::NotThere`]: there is no such server.
    pub async fn resources(&self, server: &str, who: &Asker) -> Result<Resources, ToolError> {
        let asking = self.asking(server, Kind::Resources, who).await?;
        if !asking.connection.gives().resources {
            return Ok(Resources::default());
        }
        let (connection, longest) = (&asking.connection, asking.server.settings.timeout);
        let request = |params| ClientRequest::ListResourcesRequest(ListResourcesRequest::with_param(params));
        let resources = connection.list_of("resources", listed::MOST, longest, request);
        let resources = resources.await?;
        let request =
            |params| ClientRequest::ListResourceTemplatesRequest(ListResourceTemplatesRequest::with_param(params));
        let templates = connection.list_of("resourceTemplates", listed::MOST, longest.min(TEMPLATES), request);
        let templates = templates.await.unwrap_or_else(|fault| {
            debug!(server, "a server does not say which templates it has: {fault}");
            Vec::new()
        });
        Ok(Resources::new(resources, templates))
    }

    /// Reads a resource that its server lists, as a file.
    ///
    /// # Errors
    /// [`ToolError`]; [`ToolError::NotThere`]: it is not listed, or not any more.
    pub async fn read(&self, server: &str, wanted: &Wanted, who: &Asker) -> Result<Attachment, ToolError> {
        let listed = self.resources(server, who).await?;
        let (uri, name) = listed.address(wanted).ok_or(ToolError::NotThere)?;
        let asking = self.asking(server, Kind::Resources, who).await?;
        let request = ReadResourceRequest::new(ReadResourceRequestParams::new(uri.clone()));
        let request = ClientRequest::ReadResourceRequest(request);
        let longest = asking.server.settings.timeout;
        let answer = asking.connection.ask(request, longest).await?;
        let answer = answer.ok_or(ToolError::NotThere)?;
        let server = server.to_owned();
        // Of some MB, which is no work for the threads that serve everybody.
        let read = tokio::task::spawn_blocking(move || read::attachment(&server, &name, &uri, &answer));
        read.await.unwrap_or_else(|_| Err(read::unreadable()))
    }

    /// The prompts of a server. Connects to it where that is not connected.
    ///
    /// # Errors
    /// [`ToolError`]; [`ToolError::NotThere`]: there is no such server.
    pub async fn prompts(&self, server: &str, who: &Asker) -> Result<Vec<Prompt>, ToolError> {
        let asking = self.asking(server, Kind::Prompts, who).await?;
        if !asking.connection.gives().prompts {
            return Ok(Vec::new());
        }
        let request = |params| ClientRequest::ListPromptsRequest(ListPromptsRequest::with_param(params));
        let longest = asking.server.settings.timeout;
        let prompts = asking.connection.list_of("prompts", listed::MOST, longest, request);
        Ok(listed::prompts(prompts.await?))
    }

    /// The text of a prompt, with these arguments.
    ///
    /// # Errors
    /// [`ToolError`]; [`ToolError::NotThere`]: there is no such server.
    pub async fn prompt(
        &self,
        server: &str,
        name: &str,
        arguments: BTreeMap<String, String>,
        who: &Asker,
    ) -> Result<PromptText, ToolError> {
        let asking = self.asking(server, Kind::Prompts, who).await?;
        if !asking.connection.gives().prompts {
            return Err(ToolError::NotThere);
        }
        let told = arguments.into_iter().map(|(name, value)| (name, Value::String(value)));
        let params = GetPromptRequestParams::new(name).with_arguments(told.collect::<Map<_, _>>());
        let request = ClientRequest::GetPromptRequest(GetPromptRequest::new(params));
        let longest = asking.server.settings.timeout;
        let answer = asking.connection.ask(request, longest).await?;
        read::prompt(&answer.ok_or(ToolError::NotThere)?)
    }

    /// Waits for all that it takes to ask a server.
    async fn asking(&self, server: &str, kind: Kind, who: &Asker) -> Result<Asking, ToolError> {
        let place = self.servers().get(server).cloned().ok_or(ToolError::NotThere)?;
        let settings = place.settings();
        let wanted = match kind {
            Kind::Resources => settings.resources,
            Kind::Prompts => settings.prompts,
        };
        if !wanted {
            return Err(ToolError::NotThere);
        }
        let longest = settings.timeout;
        let owner = who.principal.map_or(Owner(0), |principal| principal.owner());
        let free = async {
            (
                self.0.looks.begin(who.principal.as_ref()).await,
                self.slot(server, owner).await,
            )
        };
        let (look, slot) = timeout(longest, free).await.map_err(|_| ToolError::TimedOut {
            seconds: longest.as_secs_f64().ceil() as u64,
        })?;
        let server = self.reach(&place, &who.person).map_err(ToolError::Unreachable)?;
        let connection = server.connection().await.map_err(ToolError::Unreachable)?;
        Ok(Asking {
            connection,
            server,
            _slot: slot,
            _look: look,
        })
    }
}
