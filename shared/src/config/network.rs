//! Origins and addresses: who may call, and who is calling.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use url::Url;

/// The pages that may open a visitor's socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<Pattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    scheme: String,
    host: String,
    port: u16,
    subdomains: bool,
}

impl Origins {
    /// Reads a comma-separated list; the error is the part that is no origin.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| pattern(part).ok_or_else(|| part.to_owned())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a request's `Origin` is on the list: same scheme, host and port; `*.` stands for one or more labels.
    pub fn allow(&self, origin: &str) -> bool {
        let Some(asked) = pattern(origin).filter(|asked| !asked.subdomains) else { return false };
        self.0.iter().any(|allowed| {
            allowed.scheme == asked.scheme
                && allowed.port == asked.port
                && if allowed.subdomains {
                    asked.host.strip_suffix(&allowed.host).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
                } else {
                    asked.host == allowed.host
                }
        })
    }
}

/// The origins as a content security policy lists them.
impl fmt::Display for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(index, Pattern { scheme, host, port, subdomains })| {
            let (space, any) = (if index > 0 { " " } else { "" }, if *subdomains { "*." } else { "" });
            write!(f, "{space}{scheme}://{any}{host}:{port}")
        })
    }
}

fn pattern(text: &str) -> Option<Pattern> {
    let subdomains = text.contains("://*.");
    let url = Url::parse(&text.replacen("://*.", "://", 1)).ok()?;
    let bare = matches!(url.scheme(), "http" | "https")
        && matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    let host = url.host_str().filter(|host| !host.contains('*'))?.to_ascii_lowercase();
    bare.then_some(Pattern { scheme: url.scheme().into(), port: url.port_or_known_default()?, host, subdomains })
}

/// Whether an address is on an allow-list; an empty list admits everybody.
pub fn admits(list: &[IpNet], ip: &str) -> bool {
    list.is_empty() || ip.parse().is_ok_and(|ip: IpAddr| list.iter().any(|network| network.contains(&ip)))
}

/// The client's address: the peer, or, when the peer is a trusted proxy, the right-most address of `X-Forwarded-For`
/// that is not one. Never simply its first entry, which anybody can write.
pub fn client_ip(peer: &str, forwarded_for: &str, trusted: &[IpNet]) -> String {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|network| network.contains(&canonical(*ip)));
    let Ok(peer_ip) = peer.parse::<IpAddr>() else { return peer.to_owned() };
    if !is_trusted(&peer_ip) {
        return canonical(peer_ip).to_string();
    }
    let mut client = canonical(peer_ip);
    for part in forwarded_for.rsplit(',').map(str::trim) {
        let Ok(ip) = part.parse::<IpAddr>() else { break };
        client = canonical(ip);
        if !is_trusted(&ip) {
            break;
        }
    }
    client.to_string()
}

/// The form of an address that limits count by: IPv4 whole, IPv6 by its /64, since one client owns all of that. The form
/// of a form is the form itself.
pub fn limit_key(ip: &str) -> String {
    match ip.parse::<IpAddr>().map(canonical) {
        Ok(IpAddr::V6(ip)) => {
            let prefix = Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX));
            format!("{prefix}/64")
        }
        Ok(ip) => ip.to_string(),
        Err(_) => ip.to_owned(),
    }
}

fn canonical(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_origins_are_allowed() {
        let origins = Origins::parse("https://good.com, https://*.shop.example, http://127.0.0.1:8000").unwrap();

        for origin in
            ["https://good.com", "https://a.shop.example", "https://b.a.shop.example", "http://127.0.0.1:8000"]
        {
            assert!(origins.allow(origin), "{origin}");
        }
        for origin in [
            "",
            "null",
            "https://evil.test",
            "https://good.com.evil.test",
            "https://good.com:444",
            "http://good.com",
            "https://shop.example",
            "https://evilshop.example",
            "https://*.shop.example",
            "https://good.com/path",
            "https://user@good.com",
        ] {
            assert!(!origins.allow(origin), "{origin}");
        }
    }

    #[test]
    fn a_forwarded_address_counts_only_behind_a_trusted_proxy() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];

        assert_eq!(client_ip("203.0.113.5", "1.1.1.1", &trusted), "203.0.113.5");
        assert_eq!(client_ip("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2", &trusted), "203.0.113.9");
        assert_eq!(client_ip("10.0.0.1", "", &trusted), "10.0.0.1");
        assert_eq!(client_ip("10.0.0.1", "203.0.113.9, nonsense", &trusted), "10.0.0.1");
        assert_eq!(client_ip("::ffff:10.0.0.1", "203.0.113.9", &trusted), "203.0.113.9");
    }

    #[test]
    fn ipv6_clients_are_counted_by_their_network() {
        assert_eq!(limit_key("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(limit_key("203.0.113.5"), "203.0.113.5");
        assert_eq!(limit_key("2001:db8:1:2::/64"), "2001:db8:1:2::/64");
        assert_eq!(limit_key("::ffff:203.0.113.5"), "203.0.113.5");
    }
}
