//! How much somebody may ask for in a minute.
//!
//! Each has a bucket that holds a minute's worth. A request takes one, and gives it back if it was refused; the tokens of an answer are
//! taken when they are known, so that a key may owe some, and waits until it does not any more.

mod bucket;
mod own;
mod payers;
mod table;
#[cfg(test)]
mod tests;

use std::{net::IpAddr, sync::Arc};

use uuid::Uuid;

pub use self::{
    own::{KeyRates, Limits, NoRate, Rate, RatesChange, RequestRate, TokenRate},
    table::Standing,
};
use self::{payers::Payers, table::Table};
use super::{key_of, keys::Keys};
use crate::{queue::Owner, settings::Settings, wire::Usage};

/// Who has used how much, in this process.
#[derive(Debug, Default)]
pub struct Rates {
    /// Some have rates of their own.
    keys: Arc<Keys>,
    requests: Table<Owner>,
    tokens: Table<Owner>,
    addresses: Table<IpAddr>,
    /// Tokens of programs, by the addresses that they ask from.
    address_tokens: Table<IpAddr>,
    payers: Payers,
    guesses: Table<IpAddr>,
}

impl Rates {
    /// Nobody has used anything.
    #[must_use]
    pub fn new(keys: Arc<Keys>) -> Self {
        Self {
            keys,
            ..Self::default()
        }
    }

    /// What is in force for an owner.
    #[must_use]
    pub fn limits(&self, owner: Owner, settings: &Settings) -> Limits {
        Limits::of(self.keys.rates(key_of(owner)), settings)
    }

    /// Takes a request of an owner who may have so many a minute.
    ///
    /// # Errors
    /// There is none left; where it stands.
    pub fn take_request(&self, owner: Owner, limit: u64) -> Result<Standing, Standing> {
        self.requests.take(owner, limit)
    }

    /// Gives one back that came to nothing.
    pub fn give_request_back(&self, owner: Owner, limit: u64) -> Standing {
        self.requests.charge(owner, limit, -1.0)
    }

    /// Looks whether an owner who may have so many tokens a minute has any left.
    ///
    /// # Errors
    /// There are none left; where it stands.
    pub fn look_for_tokens(&self, owner: Owner, limit: u64) -> Result<Standing, Standing> {
        self.tokens.look(owner, limit)
    }

    /// Takes the tokens of an answer, whether there are as many or not.
    pub fn take_tokens(&self, owner: Owner, limit: u64, tokens: u64) -> Standing {
        self.tokens.charge(owner, limit, tokens as f64)
    }

    /// A request, a turn or a task of this id and owner was asked for from there: its tokens count for that address, too.
    pub fn note_payer(&self, asked: (Uuid, Owner), address: IpAddr) {
        self.payers.note(asked, address);
    }

    /// Takes what the answer to a request, a turn or a task of this id has taken, where that has a limit: of its owner, and of the address from
    /// which it was asked for.
    pub fn take_usage(&self, asked: (Uuid, Owner), settings: &Settings, usage: Usage) {
        let tokens = usage.input.unwrap_or(0).saturating_add(usage.output.unwrap_or(0));
        if let Some(limit) = self.limits(asked.1, settings).tokens {
            self.take_tokens(asked.1, limit, tokens);
        }
        if let Some(limit) = settings.address_tokens_per_minute
            && let Some(address) = self.payers.of(asked)
        {
            self.address_tokens.charge(address, limit, tokens as f64);
        }
    }

    /// Looks whether an address that may use so many tokens a minute has any left.
    ///
    /// # Errors
    /// There are none left; where it stands.
    pub fn look_for_tokens_at(&self, address: IpAddr, limit: u64) -> Result<Standing, Standing> {
        self.address_tokens.look(address, limit)
    }

    /// Where it stands with them.
    pub fn token_standing_at(&self, address: IpAddr, limit: u64) -> Standing {
        self.address_tokens.standing(address, limit)
    }

    /// Where an owner stands with its requests.
    pub fn request_standing(&self, owner: Owner, limit: u64) -> Standing {
        self.requests.standing(owner, limit)
    }

    /// Where it stands with its tokens.
    pub fn token_standing(&self, owner: Owner, limit: u64) -> Standing {
        self.tokens.standing(owner, limit)
    }

    /// Takes a request from an address from which so many may come in a minute.
    ///
    /// # Errors
    /// There is none left; where it stands.
    pub fn take_from_address(&self, address: IpAddr, limit: u64) -> Result<Standing, Standing> {
        self.addresses.take(address, limit)
    }

    /// Looks whether an address that may send so many wrong secrets of passes a minute has any left.
    ///
    /// # Errors
    /// There are none left; where it stands.
    pub fn look_for_guesses(&self, address: IpAddr, limit: u64) -> Result<Standing, Standing> {
        self.guesses.look(address, limit)
    }

    /// Takes one of them.
    pub fn take_guess(&self, address: IpAddr, limit: u64) -> Standing {
        self.guesses.charge(address, limit, 1.0)
    }

    /// Gives one back that came to nothing.
    pub fn give_back_to_address(&self, address: IpAddr, limit: u64) -> Standing {
        self.addresses.charge(address, limit, -1.0)
    }
}
