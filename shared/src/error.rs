//! Every failure that the contract knows (protocol section 5). `code()` strings are API.

use crate::store::StoreError;

/// What went wrong, in the words of the contract.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 400: the body or frame is not JSON.
    #[error("This is not valid JSON.")]
    InvalidJson,
    /// 400: a field is missing or malformed; the text names it.
    #[error("{0}")]
    InvalidMessage(String),
    /// 400: a frame of a type that does not exist here.
    #[error("There is no frame of this type here.")]
    UnknownType,
    /// 409: the socket has sent neither `join` nor `resume`.
    #[error("Send join or resume first.")]
    NotJoined,
    /// 400: nothing is left of the text.
    #[error("The message is empty.")]
    MessageEmpty,
    /// 400: more characters than `MAX_MESSAGE_LEN`.
    #[error("The message is longer than {max} characters.")]
    MessageTooLong {
        /// The limit, in Unicode scalar values.
        max: usize,
    },
    /// 413: more bytes than `MAX_REQUEST_SIZE` or the frame limit.
    #[error("The request is larger than {max} bytes.")]
    MessageTooLarge {
        /// The limit, in bytes.
        max: usize,
    },
    /// 429: a bucket is empty.
    #[error("Too many requests; try again later.")]
    RateLimited {
        /// When to try again, in milliseconds.
        retry_after_ms: i64,
    },
    /// 403: the page's origin is not in `ALLOWED_ORIGINS`.
    #[error("This origin is not allowed.")]
    OriginNotAllowed,
    /// 401: no session, or one that has ended; a wrong or used code.
    #[error("Log in first.")]
    Unauthorized,
    /// 403: the caller's address is not on the allow-list.
    #[error("This address is not allowed.")]
    Forbidden,
    /// 404: there is no such conversation, or the token is not its.
    #[error("There is no such conversation.")]
    ConversationNotFound,
    /// 409: the conversation is closed.
    #[error("The conversation is closed.")]
    ConversationClosed,
    /// 503: as many sockets are open as there may be.
    #[error("There are too many open chats; try again soon.")]
    Capacity,
    /// 404: there is no such thing.
    #[error("There is nothing here.")]
    NotFound,
    /// 404 as `not_found`, to those who may have the file: it is still on its way.
    #[error("The file is on its way; try again soon.")]
    FileWaiting,
    /// 404 as `not_found`, to those who may have the file: it will never come.
    #[error("The file could not be fetched.")]
    FileFailed,
    /// 405 as `not_found`: the path exists, with another method.
    #[error("The path exists, but not with this method.")]
    MethodNotAllowed,
    /// 503 as `internal`: the store cannot be reached.
    #[error("The service is not available; try again soon.")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// 500: something of ours broke. The cause is logged, never sent.
    #[error("Something went wrong on our side.")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// An `invalid_message` about one field.
    pub fn field(name: &str, rule: &str) -> Self {
        Self::InvalidMessage(format!("{name}: {rule}"))
    }

    /// An `internal` with its cause.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }

    /// The stable code of the contract.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::InvalidMessage(_) => "invalid_message",
            Self::UnknownType => "unknown_type",
            Self::NotJoined => "not_joined",
            Self::MessageEmpty => "message_empty",
            Self::MessageTooLong { .. } => "message_too_long",
            Self::MessageTooLarge { .. } => "message_too_large",
            Self::RateLimited { .. } => "rate_limited",
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::ConversationNotFound => "conversation_not_found",
            Self::ConversationClosed => "conversation_closed",
            Self::Capacity => "capacity",
            Self::NotFound | Self::FileWaiting | Self::FileFailed | Self::MethodNotAllowed => "not_found",
            Self::Unavailable(_) | Self::Internal(_) => "internal",
        }
    }

    /// The HTTP status that goes with it.
    pub fn status(&self) -> u16 {
        match self {
            Self::InvalidJson
            | Self::InvalidMessage(_)
            | Self::UnknownType
            | Self::MessageEmpty
            | Self::MessageTooLong { .. } => 400,
            Self::Unauthorized => 401,
            Self::OriginNotAllowed | Self::Forbidden => 403,
            Self::ConversationNotFound | Self::NotFound | Self::FileWaiting | Self::FileFailed => 404,
            Self::MethodNotAllowed => 405,
            Self::NotJoined | Self::ConversationClosed => 409,
            Self::MessageTooLarge { .. } => 413,
            Self::RateLimited { .. } => 429,
            Self::Internal(_) => 500,
            Self::Capacity | Self::Unavailable(_) => 503,
        }
    }

    /// When to try again, for the errors that pass.
    pub fn retry_after_ms(&self) -> Option<i64> {
        match self {
            Self::RateLimited { retry_after_ms } => Some((*retry_after_ms).max(1)),
            Self::Capacity => Some(10_000),
            Self::Unavailable(_) | Self::FileWaiting => Some(2_000),
            _ => None,
        }
    }

    /// The same in whole seconds, as `Retry-After` has it.
    pub fn retry_after_seconds(&self) -> Option<i64> {
        self.retry_after_ms().map(|wait| ((wait + 999) / 1_000).max(1))
    }

    /// The contract's JSON body; the cause stays behind.
    pub fn body(&self, request_id: &str) -> String {
        let body = serde_json::json!({"error": self.code(), "detail": self.to_string(), "request_id": request_id});
        body.to_string()
    }

    /// Logs the cause of the errors that have one; the rest is the caller's own doing and needs no line.
    pub fn log(&self, request_id: &str) {
        if let Self::Internal(_) | Self::Unavailable(_) = self {
            tracing::error!(request_id, error = %self, cause = %self.cause(), "request failed");
        }
    }

    /// What a log is told: the cause of the errors that have one, with its own causes; the sentence of the others.
    pub fn cause(&self) -> String {
        match self {
            Self::Internal(cause) | Self::Unavailable(cause) => chain(&**cause),
            error => error.to_string(),
        }
    }
}

/// What an error says, and after it what each of its causes says.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) => Self::Unavailable(cause),
            StoreError::Broken(cause) => Self::Internal(cause),
        }
    }
}

impl From<getrandom::Error> for Error {
    fn from(error: getrandom::Error) -> Self {
        Self::internal(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_told_what_a_caller_is_not() {
        let refused = StoreError::Broken("AccessDeniedException: not allowed to call BatchGetItem".into());
        assert_eq!(chain(&refused), "the store failed: AccessDeniedException: not allowed to call BatchGetItem");

        let error = Error::from(refused);
        assert_eq!(error.to_string(), "Something went wrong on our side.");
        assert_eq!(error.cause(), "AccessDeniedException: not allowed to call BatchGetItem");
        assert_eq!(Error::NotFound.cause(), "There is nothing here.");
    }
}
