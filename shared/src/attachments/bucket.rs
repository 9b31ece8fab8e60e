//! A bucket of S3, in five calls. `object_store` would do it too, for 1.6 MB more of each bootstrap; the signature is the
//! SDK's, and the HTTP client the one that calls everybody else.

use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use futures::stream::{StreamExt, try_unfold};
use http::header::RANGE;
use percent_encoding::{percent_decode_str, utf8_percent_encode};
use reqwest::{Method, Response, StatusCode};
use url::Url;

use super::MAX_SIZE;
use super::store::{Cause, Content, Incoming, Key, OpenError, Place, PutError};
use crate::aws::{ESCAPED, identity};
use crate::outgoing;
use crate::time::{Clock, SystemClock};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// A whole file travels within it.
const TIMEOUT: Duration = Duration::from_secs(20);
/// A signed address is good for so long.
const LINK_TTL: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(super) struct Bucket {
    http: reqwest::Client,
    identity: Identity,
    region: String,
    /// The bucket's address, without a slash at its end.
    address: String,
    /// What all keys begin with: nothing, or something that ends with a slash.
    prefix: String,
}

impl Bucket {
    /// `s3://bucket/prefix`; with `?endpoint=…` at another server than Amazon's.
    pub(super) fn open(url: &str) -> Result<Self, OpenError> {
        let url = Url::parse(url).map_err(|_| OpenError::NotUnderstood)?;
        let bucket = url.host_str().filter(|bucket| !bucket.is_empty()).ok_or(OpenError::NotUnderstood)?;
        let endpoint = url.query_pairs().find(|(name, _)| name == "endpoint").map(|(_, value)| value.into_owned());
        let (credentials, region) = identity(endpoint.is_some()).map_err(|error| OpenError::Unusable(error.into()))?;
        let address = match endpoint {
            Some(endpoint) => format!("{}/{bucket}", endpoint.trim_end_matches('/')),
            None => format!("https://{bucket}.s3.{region}.amazonaws.com"),
        };
        let http = outgoing::client(CONNECT_TIMEOUT, TIMEOUT)
            .and_then(|client| client.build().map_err(crate::Error::internal))
            .map_err(|error| OpenError::Unusable(error.into()))?;
        let prefix = match url.path().trim_matches('/') {
            "" => String::new(),
            prefix => format!("{}/", percent_decode_str(prefix).decode_utf8_lossy()),
        };
        Ok(Self { http, identity: credentials.into(), region, address, prefix })
    }

    fn key(&self, key: Key<'_>) -> String {
        format!("{}{}/{}", self.prefix, key.conversation_id, key.id)
    }

    /// The address of one call, signed: whoever has it may make that call for a minute.
    fn signed(&self, method: &Method, key: &str, query: &[(&str, &str)]) -> Result<Url, Cause> {
        let path = key.split('/').map(escaped).collect::<Vec<_>>().join("/");
        let query: Vec<_> = query.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
        let mut request = http::Request::builder()
            .method(method.clone())
            .uri(format!("{}/{path}?{}", self.address, query.join("&")).trim_end_matches('?'))
            .body(())?;
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(LINK_TTL);
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let parameters = v4::SigningParams::builder()
            .identity(&self.identity)
            .region(&self.region)
            .name("s3")
            .time(SystemClock.now().into())
            .settings(settings)
            .build()?
            .into();
        let uri = request.uri().to_string();
        let signable = SignableRequest::new(method.as_str(), uri, std::iter::empty(), SignableBody::UnsignedPayload)?;
        let (instructions, _) = sign(signable, &parameters)?.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        Ok(Url::parse(&request.uri().to_string())?)
    }

    async fn keys(&self, prefix: &str) -> Result<Vec<String>, Cause> {
        let query = [("list-type", "2"), ("encoding-type", "url"), ("prefix", prefix)];
        let url = self.signed(&Method::GET, "", &query)?;
        let list = accepted(self.http.get(url).send().await)?.text().await.map_err(reqwest::Error::without_url)?;
        Ok(named(&list))
    }
}

#[async_trait]
impl Place for Bucket {
    /// In one go: of an upload in parts a crash would leave some behind.
    async fn put(&self, key: Key<'_>, incoming: &mut Incoming<'_>) -> Result<(), PutError> {
        let most = usize::try_from(MAX_SIZE + 1).unwrap_or(usize::MAX);
        let whole = incoming.chunk(most).await?.concat();
        let url = self.signed(&Method::PUT, &self.key(key), &[]).map_err(PutError::Store)?;
        accepted(self.http.put(url).body(whole).send().await).map(drop).map_err(PutError::Store)
    }

    async fn get(&self, key: Key<'_>, part: Range<u64>) -> Result<Option<Content>, Cause> {
        let url = self.signed(&Method::GET, &self.key(key), &[])?;
        let mut request = self.http.get(url);
        // Of an empty file there is no part.
        if !part.is_empty() {
            request = request.header(RANGE, format!("bytes={}-{}", part.start, part.end - 1));
        }
        let answer = request.send().await;
        if answer.as_ref().is_ok_and(|answer| answer.status() == StatusCode::NOT_FOUND) {
            return Ok(None);
        }
        Ok(Some(try_unfold(accepted(answer)?, next).boxed()))
    }

    fn link(&self, key: Key<'_>, headers: &[(&str, &str)]) -> Result<Option<String>, Cause> {
        let named: Vec<_> = headers.iter().map(|(name, value)| (format!("response-{name}"), *value)).collect();
        let query: Vec<_> = named.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        Ok(Some(self.signed(&Method::GET, &self.key(key), &query)?.into()))
    }

    async fn erase(&self, conversation_id: &str) -> Result<(), Cause> {
        let prefix = format!("{}{conversation_id}/", self.prefix);
        loop {
            let keys = self.keys(&prefix).await?;
            if keys.is_empty() {
                return Ok(());
            }
            for key in keys {
                let url = self.signed(&Method::DELETE, &key, &[])?;
                accepted(self.http.delete(url).send().await)?;
            }
        }
    }
}

/// The keys that a list names, in the form that `encoding-type=url` gives them.
fn named(list: &str) -> Vec<String> {
    let keys = list.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>"));
    keys.map(|(key, _)| percent_decode_str(&key.replace('+', " ")).decode_utf8_lossy().into_owned()).collect()
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

async fn next(mut answer: Response) -> Result<Option<(Bytes, Response)>, Cause> {
    let chunk = answer.chunk().await.map_err(reqwest::Error::without_url)?;
    Ok(chunk.map(|bytes| (bytes, answer)))
}

/// The address stays out of errors: it is signed, and so is a key.
fn accepted(answer: reqwest::Result<Response>) -> Result<Response, Cause> {
    let answer = answer.map_err(reqwest::Error::without_url)?;
    match answer.status() {
        status if status.is_success() => Ok(answer),
        status => Err(format!("the bucket answers {status}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_its_keys() {
        let list = "<?xml version=\"1.0\"?><ListBucketResult><Prefix>a%20b/c</Prefix><Contents><Key>a%20b/c/x-1</Key>\
                    <Size>1</Size></Contents><Contents><Key>a+b/%C3%BC</Key></Contents></ListBucketResult>";

        assert_eq!(named(list), ["a b/c/x-1", "a b/ü"]);
        assert!(named("<ListBucketResult></ListBucketResult>").is_empty());
    }
}
