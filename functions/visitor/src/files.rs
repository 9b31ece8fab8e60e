//! `GET /files/{conversation_id}/{id}`: a file, for the two sides of its conversation.

use std::fmt::Write;
use std::ops::Range;

use lambda_http::http::header::{self, HeaderValue};
use lambda_http::http::{HeaderMap, StatusCode};
use lambda_http::{Body, Response};
use shared::attachments::{self, AttachmentStore};
use shared::http::{Call, NEW_TOKEN, respond, set};
use shared::id::Secret;
use shared::model::{Attachment, AttachmentState};
use shared::rate_limit::{self, Limit};
use shared::{App, Error, auth};

/// A Lambda function may answer 6 MB, of which base64 takes a third.
const MAX_ANSWER: u64 = 4 * 1024 * 1024;
/// A file never changes. Nobody but the browser that asked keeps it, and only for whoever shows the same token.
const CACHING: &str = "private, max-age=31536000, immutable";

/// What is answered: as a whole, or as it comes.
pub enum Content {
    /// In memory.
    Whole(Body),
    /// From the attachment store.
    Streamed(attachments::Content),
}

/// A file, or the part of it that is asked for.
pub async fn serve(app: &App, call: &Call, conversation_id: &str, id: &str) -> Result<Response<Content>, Error> {
    call.check_origin(app)?;
    let new_token = authorise(app, call, conversation_id).await?;
    let (store, attachment) = find(app, conversation_id, id).await?;
    let size = u64::try_from(attachment.size).unwrap_or_default();
    let mut response = match asked(call.header("range"), size) {
        Asked::Nothing => unsatisfiable(size, &call.request_id),
        Asked::Whole => part(store, &attachment, StatusCode::OK, 0..size).await?,
        Asked::Part(range) => part(store, &attachment, StatusCode::PARTIAL_CONTENT, range).await?,
    };
    if let Some(token) = new_token {
        // A copy in the browser's cache would bring an old token back.
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        set(&mut response, NEW_TOKEN, token.reveal());
    }
    Ok(response)
}

/// Who may have the file: whoever opens its conversation with the resume token, and every admin; an admin may have got a new
/// token. All others learn nothing, not even whether there is such a conversation.
async fn authorise(app: &App, call: &Call, conversation_id: &str) -> Result<Option<Secret>, Error> {
    let token = call.bearer().ok_or(Error::Unauthorized)?;
    let own = app.store.conversation_by_token(conversation_id, &token.hash(), app.now()).await?;
    if own.is_some() {
        rate_limit::take(&*app.store, &app.config, &Limit::Rest(&call.ip_key), app.now()).await?;
        return Ok(None);
    }
    match auth::authenticate(app, call).await {
        Ok(admin) => Ok(admin.new_token),
        Err(Error::Unauthorized) => Err(Error::NotFound),
        Err(Error::Forbidden) => {
            rate_limit::take(&*app.store, &app.config, &Limit::Rest(&call.ip_key), app.now()).await?;
            Err(Error::NotFound)
        }
        Err(error) => Err(error),
    }
}

async fn find<'a>(app: &'a App, conversation_id: &str, id: &str) -> Result<(&'a AttachmentStore, Attachment), Error> {
    let store = app.attachments.as_ref().ok_or(Error::NotFound)?;
    let attachment = app.store.attachment(conversation_id, id).await?.ok_or(Error::NotFound)?;
    match attachment.state {
        AttachmentState::Stored => Ok((store, attachment)),
        AttachmentState::Waiting => Err(Error::FileWaiting),
        AttachmentState::Failed(_) => Err(Error::FileFailed),
    }
}

async fn part(
    store: &AttachmentStore,
    attachment: &Attachment,
    status: StatusCode,
    range: Range<u64>,
) -> Result<Response<Content>, Error> {
    let kind = content_type(attachment);
    let disposition = disposition(&attachment.name);
    if range.end - range.start > MAX_ANSWER {
        let named =
            [("content-type", kind.as_str()), ("content-disposition", &disposition), ("cache-control", CACHING)];
        if let Some(link) = store.link(attachment, &named)? {
            return Ok(elsewhere(&link));
        }
    }
    let Some(content) = store.get(attachment, range.clone()).await? else {
        tracing::error!(attachment.conversation_id, attachment.id, "a stored file is not there");
        return Err(Error::NotFound);
    };
    let mut response = Response::new(Content::Streamed(content));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    harmless(headers);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHING));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    set(&mut response, header::CONTENT_TYPE, &kind);
    set(&mut response, header::CONTENT_DISPOSITION, &disposition);
    if status == StatusCode::PARTIAL_CONTENT {
        let told = format!("bytes {}-{}/{}", range.start, range.end - 1, attachment.size);
        set(&mut response, header::CONTENT_RANGE, &told);
    }
    Ok(response)
}

/// Whatever a file holds, a browser saves it and runs nothing of it.
fn harmless(headers: &mut HeaderMap) {
    const RESOURCE_POLICY: header::HeaderName = header::HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    headers.append(header::VARY, HeaderValue::from_static("authorization"));
}

fn elsewhere(link: &str) -> Response<Content> {
    let mut response = Response::new(Content::Whole(Body::Empty));
    *response.status_mut() = StatusCode::FOUND;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    set(&mut response, header::LOCATION, link);
    response
}

fn unsatisfiable(size: u64, request_id: &str) -> Response<Content> {
    let mut response = respond(Err(Error::field("range", "lies behind the file's end")), request_id);
    *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
    set(&mut response, header::CONTENT_RANGE, &format!("bytes */{size}"));
    response.map(Content::Whole)
}

fn content_type(attachment: &Attachment) -> String {
    let kind = attachments::known(&attachment.mime);
    if kind == "text/plain" { format!("{kind}; charset=utf-8") } else { kind.to_owned() }
}

/// RFC 6266 with the name as RFC 8187 writes it.
fn disposition(name: &str) -> String {
    let name = attachments::file_name(name).unwrap_or_else(|| "file".to_owned());
    let mut text = String::from("attachment; filename*=UTF-8''");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// What a `Range` header asks for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    Part(Range<u64>),
    /// Bytes that are not there.
    Nothing,
}

/// One range of bytes; what is no range, and several at once, ask for the whole (RFC 9110, 14.2).
fn asked(header: Option<&str>, size: u64) -> Asked {
    let Some((unit, range)) = header.and_then(|header| header.split_once('=')) else { return Asked::Whole };
    let Some((first, last)) = range.trim().split_once('-') else { return Asked::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") || !is_number(first) || !is_number(last) {
        return Asked::Whole;
    }
    // More digits than a number has lie behind every end.
    let number = |text: &str| text.parse().unwrap_or(u64::MAX);
    let (start, end) = match (first, last) {
        ("", "") => return Asked::Whole,
        ("", last) => (size.saturating_sub(number(last)), size),
        (first, "") => (number(first), size),
        (first, last) if number(first) > number(last) => return Asked::Whole,
        (first, last) => (number(first), number(last).saturating_add(1).min(size)),
    };
    if start < end { Asked::Part(start..end) } else { Asked::Nothing }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_the_standard_says() {
        for (header, expected) in [
            (None, Asked::Whole),
            (Some("bytes=0-9"), Asked::Part(0..10)),
            (Some("Bytes = 90-"), Asked::Part(90..100)),
            (Some("bytes=-10"), Asked::Part(90..100)),
            (Some("bytes=-1000"), Asked::Part(0..100)),
            (Some("bytes=99-1000"), Asked::Part(99..100)),
            (Some("bytes=0-99999999999999999999999"), Asked::Part(0..100)),
            (Some("bytes=100-"), Asked::Nothing),
            (Some("bytes=-0"), Asked::Nothing),
            (Some("bytes=99999999999999999999999-"), Asked::Nothing),
            (Some("bytes=9-8"), Asked::Whole),
            (Some("bytes=0-1,5-6"), Asked::Whole),
            (Some("bytes=-"), Asked::Whole),
            (Some("bytes=a-b"), Asked::Whole),
            (Some("lines=0-1"), Asked::Whole),
            (Some("bytes"), Asked::Whole),
        ] {
            assert_eq!(asked(header, 100), expected, "{header:?}");
        }
        assert_eq!(asked(Some("bytes=0-"), 0), Asked::Nothing);
    }

    #[test]
    fn a_name_stands_in_the_header_without_a_way_out_of_it() {
        assert_eq!(disposition("Ayvalık 1.jpg"), "attachment; filename*=UTF-8''Ayval%C4%B1k%201.jpg");
        assert_eq!(
            disposition("a\"; filename=\"x.html\r\nX: 1"),
            "attachment; filename*=UTF-8''a_%3B%20filename%3D_x.htmlX_%201"
        );
        assert_eq!(disposition("'*%()"), "attachment; filename*=UTF-8''%27_%25%28%29");
        assert_eq!(disposition(".."), "attachment; filename*=UTF-8''file");
    }
}
