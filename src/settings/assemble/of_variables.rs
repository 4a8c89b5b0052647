//! The back ends that variables describe: a provider's addresses, which share its key.

use super::{
    super::{BackendSettings, Provider, Secret, load::fault, provider::ServerFields, variables::VARIABLES},
    Assembly, Origin,
};

impl Assembly<'_> {
    /// Makes those of this provider, which are wanted for what is named there.
    pub(super) fn backends_of_variables(&mut self, provider: Provider, wanted: Origin<'_>) {
        let servers = ServerFields::of(provider, self.sources.raw).zip(provider.variables());
        let Some((fields, variables)) = servers else {
            self.add(provider, None, None, None, "MODEL");
            return;
        };
        let key = fields
            .key
            .and_then(|key| key.as_ref())
            .and_then(Option::as_ref)
            .cloned();
        if let Some(variable) = variables.key
            && fields.key.is_some_and(|key| key.is_unset())
            && fields.url.is_unset()
        {
            let advice = format!(
                "this model needs {variable} (or {}, for a server of your own that asks for no key)",
                variables.url
            );
            self.blame(wanted, advice);
            return;
        }
        let addresses = fields
            .url
            .as_ref()
            .and_then(Option::as_ref)
            .map_or(&[][..], Vec::as_slice);
        self.look_for_twins(variables.url, addresses);
        match addresses {
            [] => self.add(provider, None, None, key, variables.key.unwrap_or(variables.url)),
            [address] => self.add(provider, None, Some(address), key, variables.url),
            several => {
                for (at, address) in several.iter().enumerate() {
                    self.add(provider, Some(at + 1), Some(address), key.clone(), variables.url);
                }
            }
        }
    }

    /// A server that stands there twice would be thought to take twice as much.
    fn look_for_twins(&mut self, variable: &str, addresses: &[String]) {
        let twice = addresses
            .iter()
            .enumerate()
            .any(|(at, address)| addresses[..at].contains(address));
        let row = VARIABLES.iter().find(|row| row.name == variable).filter(|_| twice);
        if let Some(row) = row {
            let given = self.sources.given.get(row.field);
            let advice = "an address stands there twice: leave one of them out";
            self.faults.push(fault(row, given, advice));
        }
    }

    fn add(
        &mut self,
        provider: Provider,
        number: Option<usize>,
        address: Option<&String>,
        key: Option<Secret>,
        variable: &str,
    ) {
        let name = number.map_or_else(
            || provider.name().to_owned(),
            |number| format!("{}-{number}", provider.name()),
        );
        if let Some(line) = self.lines.get(&name).copied() {
            let advice = format!("a back end that {variable} describes has this name: choose another");
            self.at(line, format!("[[backend]]: name = {name}"), advice);
        }
        self.backends.push(BackendSettings {
            name,
            pool: provider.name().to_owned(),
            provider,
            address: address.cloned(),
            origin: variable.to_owned(),
            key,
            models: None,
            limit: self.limit,
            weight: 1,
            vision: None,
            tools: None,
            context: None,
            drain: false,
        });
    }
}
