//! Networks.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{super::allowed::Allowed, Kind};

/// An address, or a network as CIDR has it.
pub struct Network;

impl Kind for Network {
    type Value = IpNet;

    fn allowed() -> Allowed {
        Allowed::just(
            "address or network",
            "an address or a network (such as 127.0.0.1, 10.0.0.0/8 or fd00::/8)",
        )
    }

    fn parse(text: &str) -> Option<IpNet> {
        let network = text
            .parse()
            .ok()
            .or_else(|| text.parse().ok().map(|address: IpAddr| address.to_canonical().into()));
        network.map(|network: IpNet| network.trunc())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_network_of_one() {
        for (text, network) in [
            ("127.0.0.1", Some("127.0.0.1/32")),
            ("::ffff:127.0.0.1", Some("127.0.0.1/32")),
            ("10.1.2.3/8", Some("10.0.0.0/8")),
            ("fd00::1", Some("fd00::1/128")),
            ("fd00::/8", Some("fd00::/8")),
            ("0.0.0.0/0", Some("0.0.0.0/0")),
            ("10.0.0.0/33", None),
            ("10.0.0", None),
            ("proxy.internal", None),
            ("10.0.0.1:80", None),
        ] {
            let read = Network::parse(text).map(|network| network.to_string());
            assert_eq!(read.as_deref(), network, "{text}");
        }
    }
}
