//! Whether Telegram can reach an address: `https`, four ports, and a host that is everybody's.

use std::net::Ipv4Addr;

use url::{Host, Url};

/// The ports that Telegram calls.
const PORTS: [u16; 4] = [443, 80, 88, 8443];

/// Why Telegram cannot reach an address, as a key of the catalogue; `None` when nothing speaks against it.
pub(super) fn obstacle(public_url: &str) -> Option<&'static str> {
    let Ok(url) = Url::parse(public_url) else { return Some("webhook_unreachable") };
    if url.scheme() != "https" {
        return Some("webhook_needs_https");
    }
    if !url.port_or_known_default().is_some_and(|port| PORTS.contains(&port)) {
        return Some("webhook_port");
    }
    let is_public = match url.host() {
        Some(Host::Domain(name)) => {
            name.rsplit_once('.').is_some_and(|(_, last)| !matches!(last, "local" | "internal"))
        }
        Some(Host::Ipv4(address)) => is_public(address),
        // Telegram calls by IPv4 alone.
        Some(Host::Ipv6(_)) | None => false,
    };
    (!is_public).then_some("webhook_unreachable")
}

fn is_public(address: Ipv4Addr) -> bool {
    let shared = address.octets()[0] == 100 && (64..128).contains(&address.octets()[1]);
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || shared)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telegram_reaches_public_names_and_addresses_by_https_on_four_ports() {
        for url in ["https://chat.example.com", "https://chat.example.com:8443", "https://93.184.216.34"] {
            assert_eq!(obstacle(url), None, "{url}");
        }
        for (url, expected) in [
            ("http://chat.example.com", "webhook_needs_https"),
            ("https://chat.example.com:8000", "webhook_port"),
            ("https://localhost", "webhook_unreachable"),
            ("https://parley", "webhook_unreachable"),
            ("https://parley.local", "webhook_unreachable"),
            ("https://127.0.0.1", "webhook_unreachable"),
            ("https://192.168.1.5", "webhook_unreachable"),
            ("https://100.64.0.7", "webhook_unreachable"),
            ("https://[2606:2800:220:1::1]", "webhook_unreachable"),
        ] {
            assert_eq!(obstacle(url), Some(expected), "{url}");
        }
    }
}
