//! Signature version 4 in headers, as AWS describes it in "Create a signed AWS API request".
//!
//! `aws-sigv4` derives the key, `ring` hashes. What is signed is put together here, since that library derives the key anew
//! for each request, though it holds for a day, and hashes a role's token anew, though within a second nothing before it
//! changes: with what else it does for requests of any form, signatures were a third of what a Lambda event costs.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_sigv4::sign::v4::generate_signing_key;
use data_encoding::HEXLOWER;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue};
use percent_encoding::{AsciiSet, utf8_percent_encode};
use ring::digest::{Context, Digest, SHA256, digest};
use ring::hmac;

use super::ESCAPED;
use crate::time::Timestamp;

const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
/// Headers that begin so are signed.
const OWN: &str = "x-amz-";
/// What a path keeps as it is. What is encoded in it already is encoded once more, as every service but S3 wants it.
const ENCODED: &AsciiSet = &ESCAPED.remove(b'/');

/// Signs what is sent to one service.
#[derive(Debug)]
pub(super) struct Signer {
    credentials: Credentials,
    token: Option<HeaderValue>,
    region: String,
    service: &'static str,
    /// What holds for the day of the last signature.
    day: Mutex<Option<Day>>,
    /// What was signed last begins with this.
    begun: Mutex<Option<Begun>>,
}

struct Begun {
    text: Vec<u8>,
    hash: Context,
}

impl fmt::Debug for Begun {
    /// Without the token that it holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Begun")
    }
}

#[derive(Clone, Debug)]
struct Day {
    number: i64,
    scope: Arc<str>,
    key: hmac::Key,
}

/// What is signed of a request, beside its headers.
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    /// As it is sent, without a query.
    pub(super) path: &'a str,
    pub(super) body: &'a [u8],
}

/// A request as it is hashed.
struct Canonical {
    text: Vec<u8>,
    /// Up to here others are alike.
    alike: usize,
    /// The names of the headers that are signed.
    names: String,
}

impl Canonical {
    fn of(request: &Signed<'_>, headers: &HeaderMap) -> Self {
        let asked = |name: &HeaderName| *name == CONTENT_TYPE || *name == HOST || name.as_str().starts_with(OWN);
        let mut asked: Vec<_> = headers.iter().filter(|(name, _)| asked(name)).collect();
        asked.sort_unstable_by_key(|(name, _)| name.as_str());
        let (mut text, mut alike, mut names) = (Vec::with_capacity(2 * 1024), 0, String::with_capacity(96));
        let path = utf8_percent_encode(request.path, ENCODED);
        for part in [request.method, "\n"].into_iter().chain(path).chain(["\n\n"]) {
            text.extend_from_slice(part.as_bytes());
        }
        for (name, value) in asked {
            for part in [name.as_str().as_bytes(), b":", value.as_bytes().trim_ascii(), b"\n"] {
                text.extend_from_slice(part);
            }
            names.extend([if names.is_empty() { "" } else { ";" }, name.as_str()]);
            if *name == TOKEN {
                alike = text.len();
            }
        }
        for part in ["\n", &names, "\n", &hex(&digest(&SHA256, request.body))] {
            text.extend_from_slice(part.as_bytes());
        }
        Self { text, alike, names }
    }
}

impl Signer {
    pub(super) fn new(
        credentials: Credentials,
        region: String,
        service: &'static str,
    ) -> Result<Self, InvalidHeaderValue> {
        let token = credentials.session_token().map(hidden).transpose()?;
        Ok(Self { credentials, token, region, service, day: Mutex::default(), begun: Mutex::default() })
    }

    /// Adds to a request's headers, which name its host, what says who sends it.
    pub(super) fn sign(
        &self,
        request: &Signed<'_>,
        headers: &mut HeaderMap,
        at: Timestamp,
    ) -> Result<(), InvalidHeaderValue> {
        // 2026-11-21T22:11:03.417Z: 20261121T221103Z.
        let mut time = at.to_string();
        time.retain(|one| one != '-' && one != ':');
        time.truncate("20261121T221103".len());
        time.push('Z');
        headers.insert(DATE, HeaderValue::from_str(&time)?);
        if let Some(token) = &self.token {
            headers.insert(TOKEN, token.clone());
        }

        let Canonical { text, alike, names } = Canonical::of(request, headers);
        let (alike, rest) = text.split_at(alike);
        let mut hash = self.begun(alike);
        hash.update(rest);
        let Day { scope, key, .. } = self.day(at, &time);
        let signed = ["AWS4-HMAC-SHA256\n", &time, "\n", &scope, "\n", &hex(&hash.finish())].concat();
        let signature = HEXLOWER.encode(hmac::sign(&key, signed.as_bytes()).as_ref());

        let who = self.credentials.access_key_id();
        let parts =
            ["AWS4-HMAC-SHA256 Credential=", who, "/", &scope, ", SignedHeaders=", &names, ", Signature=", &signature];
        headers.insert(AUTHORIZATION, hidden(&parts.concat())?);
        Ok(())
    }

    /// The hash of what a request begins with. Those of one second begin alike up to a role's token, which is most of what is
    /// hashed of them.
    fn begun(&self, text: &[u8]) -> Context {
        let mut kept = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.as_ref().filter(|known| known.text == text) {
            return known.hash.clone();
        }
        let mut hash = Context::new(&SHA256);
        hash.update(text);
        *kept = Some(Begun { text: text.to_vec(), hash: hash.clone() });
        hash
    }

    /// What holds for a day; `time` begins with its date.
    fn day(&self, at: Timestamp, time: &str) -> Day {
        let mut kept = self.day.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(day) = kept.as_ref().filter(|day| day.number == at.day()) {
            return day.clone();
        }
        let Self { region, service, .. } = self;
        let key = generate_signing_key(self.credentials.secret_access_key(), at.into(), region, service);
        let date = time.split('T').next().unwrap_or_default();
        let day = Day {
            number: at.day(),
            scope: format!("{date}/{region}/{service}/aws4_request").into(),
            key: hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()),
        };
        *kept = Some(day.clone());
        day
    }
}

/// A value that no log shows.
fn hidden(text: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(text)?;
    value.set_sensitive(true);
    Ok(value)
}

fn hex(hash: &Digest) -> String {
    HEXLOWER.encode(hash.as_ref())
}

#[cfg(test)]
mod tests {
    use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
    use aws_sigv4::sign::v4::SigningParams;
    use aws_smithy_runtime_api::client::identity::Identity;

    use super::*;
    use crate::time::DAY;

    const NOON: Timestamp = Timestamp(1_795_262_400_000);

    fn credentials(token: Option<&str>) -> Credentials {
        Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", token.map(Into::into), None, "test")
    }

    fn sent(target: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("abc.execute-api.eu-central-1.amazonaws.com"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
        headers
            .extend(target.map(|target| (HeaderName::from_static("x-amz-target"), HeaderValue::from_static(target))));
        headers
    }

    /// What the library says of a request.
    fn expected(request: &Signed<'_>, headers: &HeaderMap, at: Timestamp, identity: &Identity) -> String {
        let parameters = SigningParams::builder()
            .identity(identity)
            .region("eu-central-1")
            .name("execute-api")
            .time(at.into())
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let host = headers[HOST].to_str().unwrap();
        let plain = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        let url = format!("https://{host}{}", request.path);
        let signable = SignableRequest::new(request.method, url, plain, SignableBody::Bytes(request.body)).unwrap();
        let mut signed = http::Request::builder().method(request.method).uri("/").body(()).unwrap();
        sign(signable, &parameters).unwrap().into_parts().0.apply_to_request_http1x(&mut signed);
        signed.headers()[AUTHORIZATION].to_str().unwrap().to_owned()
    }

    #[test]
    fn a_signature_is_the_one_that_the_library_makes() {
        let paths = ["/", "/live/@connections/L0SM9cOFvHcCIhw%3D", "/live/@connections/a+b~c_d-e.f%2Fg"];
        for token in [None, Some("FwoGZXIvYXdzEBYaDH/+=")] {
            let signer = Signer::new(credentials(token), "eu-central-1".into(), "execute-api").unwrap();
            // The key changes at midnight, and changes back for a clock that does.
            for at in [NOON, NOON.plus(1), NOON.plus(DAY / 2), NOON.plus(DAY), NOON] {
                for (path, target) in
                    paths.iter().flat_map(|path| [(path, None), (path, Some("DynamoDB_20120810.PutItem"))])
                {
                    let mut headers = sent(target);
                    let request = Signed { method: "POST", path, body: "{\"é\": 1}".as_bytes() };
                    let library = expected(&request, &headers, at, &credentials(token).into());
                    signer.sign(&request, &mut headers, at).unwrap();
                    assert_eq!(headers[AUTHORIZATION], library, "{path} {target:?} {token:?} {at}");
                }
            }
        }
    }

    #[test]
    fn the_secret_is_not_shown() {
        let signer = Signer::new(credentials(Some("a-token")), "eu-central-1".into(), "dynamodb").unwrap();
        signer.sign(&Signed { method: "POST", path: "/", body: b"" }, &mut sent(None), NOON).unwrap();

        let shown = format!("{signer:?}");
        assert!(shown.contains("AKIDEXAMPLE") && !shown.contains("wJalr") && !shown.contains("a-token"), "{shown}");
    }
}
