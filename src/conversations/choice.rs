//! What is chosen for a conversation: checked, kept, told to its pages and to a turn of it that waits.

use thiserror::Error;

use super::Conversations;
use crate::{
    queue::Owner,
    sessions::Session,
    store::StoreError,
    wire::{
        Choice, ConversationId, FeedEvent, MAX_ANSWER_TOKENS, MAX_INSTRUCTIONS_BYTES, MAX_TEMPERATURE, ModelInfo,
        is_blank,
    },
};

/// Something cannot be chosen, and nothing has changed. `Display` is for the log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ChoiceError {
    /// The model is not offered (any more).
    #[error("the model {0} is not offered")]
    NotOffered(String),
    /// The instructions are longer than they may be.
    #[error("the instructions have {0} bytes")]
    InstructionsTooLong(usize),
    /// The temperature is out of its range, or no number.
    #[error("the temperature is out of its range")]
    Temperature,
    /// The longest answer is out of its range.
    #[error("the longest answer is out of its range")]
    AnswerLength,
}

/// A choice that may be kept, and the model that it comes to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chosen {
    pub(super) choice: Choice,
    /// Its id.
    pub(super) model: String,
}

impl Conversations {
    /// The models that are offered, the one that a new conversation starts with first.
    #[must_use]
    pub fn models(&self) -> Vec<ModelInfo> {
        self.deps.agents.models()
    }

    /// Checks what somebody has chosen, or what is chosen for a conversation that is to go on: its model may be offered no more.
    ///
    /// # Errors
    /// [`ChoiceError`].
    pub(crate) fn chosen(&self, choice: Choice) -> Result<Chosen, ChoiceError> {
        let choice = bounded(choice)?;
        let models = self.models();
        let offered = match &choice.model {
            Some(id) => models.into_iter().find(|model| model.id == *id),
            None => models.into_iter().next(),
        };
        let unknown = || ChoiceError::NotOffered(choice.model.clone().unwrap_or_default());
        let model = offered.ok_or_else(unknown)?.id;
        Ok(Chosen { choice, model })
    }

    /// Keeps what is chosen for a conversation from now on. A turn of it that waits is answered so; one that runs goes on as it is.
    /// `false`: there is no such conversation of this owner.
    ///
    /// # Errors
    /// [`StoreError`]; nothing has changed then.
    pub(crate) async fn choose(
        &self,
        owner: Owner,
        session: &Session,
        conversation: ConversationId,
        chosen: Chosen,
    ) -> Result<bool, StoreError> {
        let Chosen { choice, model } = &chosen;
        let store = &self.deps.store;
        if !store.choose(owner, conversation, choice.clone(), model).await? {
            return Ok(false);
        }
        let choice = choice.clone();
        session.journal().append(FeedEvent::Chosen { conversation, choice });
        if let Some(live) = self.in_flight.of_conversation(owner, conversation) {
            let queue = &self.deps.queue;
            let pool = self.deps.agents.pool(&chosen.model);
            // It changes its line in the same moment, or a slot of the line that it leaves could come to it meanwhile.
            let waits = || {
                // An answer of which there is something goes on as it is.
                let ticket = live.ticket.get().filter(|_| live.steps.len() == 0);
                ticket.is_some_and(|ticket| match pool {
                    Some(pool) if queue.pool_of(*ticket) != Some(pool) => queue.change_pool(*ticket, pool),
                    _ => queue.order_key(*ticket).is_some(),
                })
            };
            live.choose(chosen, waits);
        }
        Ok(true)
    }
}

/// The same choice in the form in which it is kept, if it is within its bounds.
fn bounded(mut choice: Choice) -> Result<Choice, ChoiceError> {
    if choice.instructions.len() > MAX_INSTRUCTIONS_BYTES {
        return Err(ChoiceError::InstructionsTooLong(choice.instructions.len()));
    }
    if is_blank(&choice.instructions) {
        choice.instructions.clear();
    }
    // What is no number is in no range.
    if choice
        .temperature
        .is_some_and(|temperature| !(0.0..=MAX_TEMPERATURE).contains(&temperature))
    {
        return Err(ChoiceError::Temperature);
    }
    if choice
        .max_tokens
        .is_some_and(|tokens| !(1..=MAX_ANSWER_TOKENS).contains(&tokens))
    {
        return Err(ChoiceError::AnswerLength);
    }
    choice.model = choice.model.filter(|model| !model.is_empty());
    Ok(choice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_has_bounds_and_what_says_nothing_is_none() {
        let least = Choice {
            model: None,
            instructions: String::new(),
            temperature: Some(0.0),
            max_tokens: Some(1),
            without_tools: false,
        };
        let most = Choice {
            model: Some("large@gpu".into()),
            instructions: "x".repeat(MAX_INSTRUCTIONS_BYTES),
            temperature: Some(MAX_TEMPERATURE),
            max_tokens: Some(MAX_ANSWER_TOKENS),
            without_tools: true,
        };
        for choice in [Choice::default(), least.clone(), most.clone()] {
            assert_eq!(bounded(choice.clone()), Ok(choice));
        }
        let blank = Choice {
            model: Some(String::new()),
            instructions: " \n\u{200b}".into(),
            ..Choice::default()
        };
        assert_eq!(bounded(blank), Ok(Choice::default()));

        let long = Choice {
            instructions: format!("{}x", most.instructions),
            ..Choice::default()
        };
        let bytes = MAX_INSTRUCTIONS_BYTES + 1;
        assert_eq!(bounded(long), Err(ChoiceError::InstructionsTooLong(bytes)));
        for temperature in [-0.1, 2.1, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let choice = Choice {
                temperature: Some(temperature),
                ..Choice::default()
            };
            assert_eq!(bounded(choice), Err(ChoiceError::Temperature), "{temperature}");
        }
        for tokens in [0, MAX_ANSWER_TOKENS + 1, u32::MAX] {
            let choice = Choice {
                max_tokens: Some(tokens),
                ..Choice::default()
            };
            assert_eq!(bounded(choice), Err(ChoiceError::AnswerLength), "{tokens}");
        }
    }
}
