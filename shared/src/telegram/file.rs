//! Fetching files. Their addresses hold the bot's token: they are never passed on, logged or followed elsewhere.

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt, try_unfold};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Response;
use serde::Deserialize;
use serde_json::json;

use super::{Telegram, TelegramError};

/// What stands in a path as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// The bytes of a file as they come.
pub type Download = BoxStream<'static, Result<Bytes, TelegramError>>;

#[derive(Deserialize)]
struct FoundFile {
    file_path: Option<String>,
}

impl Telegram {
    /// Where a file of at most 20 MB can be fetched for an hour.
    pub async fn file_path(&self, file_id: &str) -> Result<String, TelegramError> {
        let found: FoundFile = self.call("getFile", &json!({"file_id": file_id})).await?;
        found.file_path.ok_or_else(|| refused(404, "there is no such file"))
    }

    /// The file at a path that [`Self::file_path`] told.
    pub async fn download(&self, path: &str) -> Result<Download, TelegramError> {
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(refused(404, "the file's path leads elsewhere"));
        }
        let path = utf8_percent_encode(path, ESCAPED);
        let url = format!("{}/file/bot{}/{path}", self.api_url, self.token.reveal());
        let answer = self.http.get(url).send().await.map_err(no_answer)?;
        match answer.status() {
            status if status.is_success() => Ok(try_unfold(answer, next).boxed()),
            status => Err(refused(i64::from(status.as_u16()), "no file")),
        }
    }
}

async fn next(mut answer: Response) -> Result<Option<(Bytes, Response)>, TelegramError> {
    let chunk = answer.chunk().await.map_err(no_answer)?;
    Ok(chunk.map(|bytes| (bytes, answer)))
}

fn no_answer(error: reqwest::Error) -> TelegramError {
    TelegramError::NoAnswer(error.without_url())
}

fn refused(code: i64, description: &str) -> TelegramError {
    TelegramError::Refused { code, description: description.into() }
}
