//! The front: what stands before the functions on AWS (CloudFront). It alone knows a secret, and it tells who is calling.

use std::net::IpAddr;

use subtle::ConstantTimeEq;

use crate::config::{self, Config};
use crate::error::Error;
use crate::id::Secret;

/// The header that proves that a request came through the front.
const ORIGIN_SECRET: &str = "x-origin-secret";
/// The header in which the front tells the client's address. Nobody else's is believed.
const VIEWER_ADDRESS: &str = "x-viewer-address";
/// The header in which CloudFront tells the client's country, as two letters of ISO 3166-1.
const VIEWER_COUNTRY: &str = "cloudfront-viewer-country";

/// Refuses a request that went around the front; without `ORIGIN_SECRET` there is none to go around.
pub fn check<'a>(config: &Config, header: impl Fn(&str) -> Option<&'a str>) -> Result<(), Error> {
    if config.origin_secret.is_none() || came_through(config, &header) { Ok(()) } else { Err(Error::Forbidden) }
}

/// The client's address: as the front tells it, else by the rules for proxies.
pub fn client_ip<'a>(config: &Config, peer: &str, header: impl Fn(&str) -> Option<&'a str>) -> String {
    let told = header(VIEWER_ADDRESS).and_then(|address| address.trim().parse::<IpAddr>().ok());
    match told {
        Some(ip) if came_through(config, &header) => ip.to_canonical().to_string(),
        _ => config::client_ip(peer, header("x-forwarded-for").unwrap_or_default(), &config.trusted_proxies),
    }
}

/// The client's country, as far as the front tells it.
pub fn country<'a>(config: &Config, header: impl Fn(&str) -> Option<&'a str>) -> Option<&'a str> {
    let told = header(VIEWER_COUNTRY)?;
    let valid = told.len() == 2 && told.bytes().all(|byte| byte.is_ascii_uppercase());
    (valid && came_through(config, &header)).then_some(told)
}

fn came_through<'a>(config: &Config, header: &impl Fn(&str) -> Option<&'a str>) -> bool {
    let Some(expected) = &config.origin_secret else { return false };
    // Hashes have one length, so that the comparison tells nothing of the secret's.
    let presented = Secret::presented(header(ORIGIN_SECRET).unwrap_or_default()).hash();
    presented.as_bytes().ct_eq(expected.hash().as_bytes()).into()
}
