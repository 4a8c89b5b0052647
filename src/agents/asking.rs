//! The agent of a session: has the back end answer that its ticket has got a slot of.

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{
    Agent, AgentError, AgentFactory, Answered, Backends, Notice, Part, Parts, Question,
    backends::Asking,
    demo::DemoAgent,
    providers::{Fault, Hearer, Server, StreamState},
};
use crate::{queue::PoolIndex, settings::ModelName, wire::ModelInfo};

/// What is part of the name of every model that makes vectors of texts, and answers nothing.
const EMBEDS: &str = "embed";

/// Makes agents that share all back ends.
pub(super) struct BackendAgents {
    agent: Arc<BackendAgent>,
}

/// Keeps nothing of a conversation, whose history comes with each question, so that all sessions can share one.
struct BackendAgent {
    backends: Arc<Backends>,
    demo: DemoAgent,
}

impl BackendAgents {
    pub(super) fn new(backends: Arc<Backends>, demo: DemoAgent) -> Self {
        Self {
            agent: Arc::new(BackendAgent { backends, demo }),
        }
    }
}

impl AgentFactory for BackendAgents {
    fn model(&self) -> String {
        self.agent.backends.default_model().to_string()
    }

    fn models(&self) -> Vec<ModelInfo> {
        let default = self.agent.backends.default_model();
        let models = self.agent.backends.models().into_iter();
        models
            // Programs ask it for vectors; people would get no answer.
            .filter(|model| model.name == default || !model.name.name.contains(EMBEDS))
            .map(|model| ModelInfo {
                id: model.name.to_string(),
                title: model.title,
                vision: model.vision,
            })
            .collect()
    }

    fn pool(&self, model: &str) -> Option<PoolIndex> {
        self.agent.backends.place_of(&ModelName::of_id(model)?)
    }

    fn agent(&self) -> Arc<dyn Agent> {
        Arc::clone(&self.agent) as Arc<dyn Agent>
    }
}

#[async_trait]
impl Agent for BackendAgent {
    async fn answer(
        &self,
        mut question: Question,
        parts: Parts,
        cancel: CancellationToken,
    ) -> Result<Answered, AgentError> {
        let mut asking = self.backends.begin(&mut question)?;
        if asking.trimmed() > 0 {
            // A reader that has gone ends the answer below.
            let _gone = parts.send(Part::Notice(Notice::Trimmed(asking.trimmed()))).await;
        }
        if asking.is_without_tools() {
            let _gone = parts.send(Part::Notice(Notice::ToolsLeftOut)).await;
        }
        let mut state = StreamState::default();
        let outcome = tokio::select! {
            biased;
            // Leaving drops the attempt, and with it the request: the connection to the model server is closed.
            () = cancel.cancelled() => None,
            () = parts.closed() => None,
            outcome = self.ask(question, &mut asking, &parts, &mut state) => Some(outcome),
        };
        let answered = Answered {
            usage: state.usage,
            incomplete: state.incomplete,
        };
        match outcome {
            None => Ok(answered),
            // A reader may have gone in the same moment, of an answer without an end.
            Some(Ok(())) if parts.is_closed() => Ok(answered),
            Some(Ok(())) => {
                asking.answered(answered);
                Ok(answered)
            }
            Some(Err(Fault { error, detail, .. })) => {
                asking.failed(&error, &detail);
                Err(error)
            }
        }
    }
}

impl BackendAgent {
    /// Asks once; a second time with half the history, where the server says that it is too long, or without what it says that the model does not take
    /// and nobody has sent.
    async fn ask(
        &self,
        mut question: Question,
        asking: &mut Asking<'_>,
        parts: &Parts,
        state: &mut StreamState,
    ) -> Result<(), Fault> {
        let Some(server) = asking.server() else {
            self.demo
                .answer(&question, parts, &mut state.usage, || asking.shown())
                .await;
            return Ok(());
        };
        if asking.is_blind() && question.leave_found_pictures_out() {
            let _gone = parts.send(Part::Notice(Notice::PicturesLeftOut)).await;
        }
        if asking.is_blind() && question.has_own_pictures() {
            let fault = Fault::new(
                AgentError::VisionUnsupported,
                "it reads no pictures, as the settings say",
            );
            return Err(fault);
        }
        match once(&server, &question, asking, parts, state).await {
            Err(fault) if fault.error == AgentError::ToolsUnsupported && !asking.is_shown() && question.has_tools() => {
                tracing::info!(model = %question.model, "the model takes no tools: it is asked again without them");
                question.leave_tools_out();
                asking.changed(&question);
                let _gone = parts.send(Part::Notice(Notice::ToolsLeftOut)).await;
                *state = StreamState::default();
                once(&server, &question, asking, parts, state).await?;
                asking.takes_no_tools(&question.model);
                Ok(())
            }
            Err(fault)
                if fault.error == AgentError::VisionUnsupported
                    && !asking.is_shown()
                    && !question.has_own_pictures()
                    && question.leave_found_pictures_out() =>
            {
                asking.changed(&question);
                let _gone = parts.send(Part::Notice(Notice::PicturesLeftOut)).await;
                *state = StreamState::default();
                once(&server, &question, asking, parts, state).await
            }
            Err(fault) if fault.error == AgentError::TooLong && !asking.is_shown() && !question.parameters.whole => {
                if !asking.halve(&mut question) {
                    return Err(fault);
                }
                let _gone = parts.send(Part::Notice(Notice::Trimmed(asking.trimmed()))).await;
                *state = StreamState::default();
                once(&server, &question, asking, parts, state).await
            }
            outcome => outcome,
        }
    }
}

async fn once(
    server: &Server,
    question: &Question,
    asking: &Asking<'_>,
    parts: &Parts,
    state: &mut StreamState,
) -> Result<(), Fault> {
    let request = server.request(question, asking.context(), asking.stall()).await;
    let request = request.map_err(|error| Fault::new(error, "the request could not be made"))?;
    let hearer = Hearer {
        parts,
        first: &|| asking.shown(),
    };
    let asked = server.ask(&request, &hearer, state);
    let late = async {
        asking.late().await;
        std::future::pending().await
    };
    tokio::select! {
        outcome = asked => outcome,
        never = late => never,
    }
}
