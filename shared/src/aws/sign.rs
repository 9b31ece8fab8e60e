//! Signature version 4 in headers, as AWS describes it in "Create a signed AWS API request".
//!
//! `aws-sigv4` derives the key, `ring` hashes. What is signed is put together here, since that library derives the key anew
//! for each request, though it holds for a day: with what else it does for requests of any form, signatures were a third of
//! what a Lambda event costs.

use std::sync::{Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_sigv4::sign::v4::generate_signing_key;
use data_encoding::HEXLOWER;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue};
use percent_encoding::{AsciiSet, utf8_percent_encode};
use ring::digest::{SHA256, digest};
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
    /// The key, and the day that it holds for.
    key: Mutex<Option<(i64, hmac::Key)>>,
}

/// What is signed of a request, beside its headers.
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    /// As it is sent, without a query.
    pub(super) path: &'a str,
    pub(super) body: &'a [u8],
}

impl Signer {
    pub(super) fn new(
        credentials: Credentials,
        region: String,
        service: &'static str,
    ) -> Result<Self, InvalidHeaderValue> {
        let token = credentials.session_token().map(hidden).transpose()?;
        Ok(Self { credentials, token, region, service, key: Mutex::new(None) })
    }

    /// Adds to a request's headers, which name its host, what says who sends it.
    pub(super) fn sign(
        &self,
        request: &Signed<'_>,
        headers: &mut HeaderMap,
        at: Timestamp,
    ) -> Result<(), InvalidHeaderValue> {
        // 2026-11-21T22:11:03.417Z: 20261121T221103Z.
        let (mut date, mut time) = (at.to_string().replace(['-', ':'], ""), String::new());
        date.truncate("20261121T221103".len());
        time.extend([&date, "Z"]);
        date.truncate("20261121".len());
        headers.insert(DATE, HeaderValue::from_str(&time)?);
        if let Some(token) = &self.token {
            headers.insert(TOKEN, token.clone());
        }

        let asked = |name: &HeaderName| *name == CONTENT_TYPE || *name == HOST || name.as_str().starts_with(OWN);
        let mut asked: Vec<_> = headers.iter().filter(|(name, _)| asked(name)).collect();
        asked.sort_unstable_by_key(|(name, _)| name.as_str());
        let Signed { method, path, body } = request;
        let path = utf8_percent_encode(path, ENCODED);
        let (mut canonical, mut names) = (format!("{method}\n{path}\n\n").into_bytes(), String::new());
        for (name, value) in asked {
            for part in [name.as_str().as_bytes(), b":", value.as_bytes().trim_ascii(), b"\n"] {
                canonical.extend_from_slice(part);
            }
            names.extend([if names.is_empty() { "" } else { ";" }, name.as_str()]);
        }
        canonical.extend_from_slice(format!("\n{names}\n{}", hash(body)).as_bytes());
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let signed = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hash(&canonical));
        let signature = HEXLOWER.encode(hmac::sign(&self.key(at), signed.as_bytes()).as_ref());

        let who = self.credentials.access_key_id();
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={who}/{scope}, SignedHeaders={names}, Signature={signature}");
        headers.insert(AUTHORIZATION, hidden(&authorization)?);
        Ok(())
    }

    fn key(&self, at: Timestamp) -> hmac::Key {
        let mut kept = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = kept.as_ref().filter(|(day, _)| *day == at.day()) {
            return key.clone();
        }
        let secret = self.credentials.secret_access_key();
        let key = generate_signing_key(secret, at.into(), &self.region, self.service);
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_ref());
        *kept = Some((at.day(), key.clone()));
        key
    }
}

/// A value that no log shows.
fn hidden(text: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(text)?;
    value.set_sensitive(true);
    Ok(value)
}

fn hash(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, bytes).as_ref())
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
